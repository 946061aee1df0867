cdef class Ladder:
    cdef object _grid, _rungs
    cpdef quotes(self, reservation_ticks, spread, tuple touch, budget, room)
    cdef _measure(self, price_ticks)
