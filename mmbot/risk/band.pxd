cdef class PriceBand:
    cdef object _ratio
    cdef public object index_ticks
    cpdef allows(self, ticks, reference_ticks, needs_index)
