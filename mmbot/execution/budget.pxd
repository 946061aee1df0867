from mmbot.domain.bucket cimport Bucket

cdef class Budget:
    cdef object _batch_size, _cancels, _kept, _places, _requests, _reserve
    cdef Bucket _even
    cpdef allow(self, now_ns, cancels, pairs, places)
    cpdef left(self, now_ns)
    cpdef scarce(self, now_ns)
    cpdef spare(self, now_ns, orders)
    cpdef spend(self, now_ns, cancels, places, batches)
