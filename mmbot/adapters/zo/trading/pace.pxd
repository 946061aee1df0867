from mmbot.adapters.zo.rest.allowance cimport Allowance
from mmbot.domain.bucket cimport Bucket

cdef class Pace:
    cdef object _cancels
    cdef Bucket _again
    cdef Allowance _allowance
    cpdef has(self, now_ns, count=*)
    cpdef spend(self, now_ns, count=*)
    cpdef again(self, now_ns)
    cpdef crowded(self, now_ns)
