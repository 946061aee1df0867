cdef class Losses:
    cdef object _base, _daily_uusd, _drawdown_ppm, _warn_ppm
    cdef public object warning
    cpdef observe(self, equity, day)
