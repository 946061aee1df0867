cdef class Ladder:
    cdef object _rungs
    cpdef quotes(self, reservation_ticks, spread, tuple touch, budget, room)
