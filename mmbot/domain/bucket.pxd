cdef class Bucket:
    cdef object _burst, _full_ns, _period_ns
    cpdef free(self, now_ns)
    cpdef spend(self, now_ns, count)
    cpdef wait_ns(self, now_ns, count)
