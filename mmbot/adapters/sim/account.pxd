cdef class SimAccount:
    cdef public object markets, initial_uusd, positions
    cdef object _marks, _resting
    cpdef rest(self, market, side, lots)
