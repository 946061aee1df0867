cdef class SpreadCalculator:
    cdef object _max, _min, _range
    cpdef spread(self, imbalance)
