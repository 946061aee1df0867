cdef class Ladder:
    cdef object _grid, _rungs, _step
    cpdef quotes(self, reservation_ticks, spread, tuple touch, budget, room, tuple shares=*)
    cdef _measure(self, price_ticks)
