cdef class OrderIds:
    cdef object _instance, _run, _sequence
    cpdef next(self)
