cdef class Hindrances:
    cdef dict _held
    cdef list _of_market
    cdef object _markets
    cpdef reason(self, market)
