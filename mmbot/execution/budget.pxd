cimport cython
from libc.stdint cimport int64_t

from mmbot.domain.bucket cimport Bucket

cdef class Budget:
    cdef object _cancels, _kept, _places, _requests
    cdef int64_t _batch_size, _reserve
    cdef Bucket _even
    @cython.locals(
        size=cython.longlong, free=cython.longlong, wanted=cython.longlong,
        cancels_now=cython.longlong, even=cython.longlong, most=cython.longlong,
        tokens=cython.longlong, kept=cython.longlong, used=cython.longlong, alone=cython.longlong
    )
    cpdef allow(self, now_ns, int cancels, int pairs, int places)
    cpdef left(self, now_ns)
    cpdef scarce(self, now_ns)
    cpdef spare(self, now_ns, orders)
    cpdef spend(self, now_ns, cancels, places, batches)
