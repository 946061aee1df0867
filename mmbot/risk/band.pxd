cdef class PriceBand:
    cdef object _ratio
    cdef public object index_ticks
