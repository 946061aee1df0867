from mmbot.domain.bucket cimport Bucket

cdef class Allowance:
    cdef object _counted, _minute, _per_min
    cdef tuple _kept
    cdef list _senders
    cdef Bucket _even
    cdef Bucket _reads
    cpdef sent(self)
    cpdef left(self, now_ns)
    cpdef ahead(self, now_ns)
    cpdef read(self, now_ns)
    cdef _count(self, now_ns)
