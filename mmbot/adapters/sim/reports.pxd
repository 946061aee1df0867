cdef class Reports:
    cdef public object rejected, would_cross
    cdef list _executions, _funding
