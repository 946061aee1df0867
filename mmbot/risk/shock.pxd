cimport cython
from libc.stdint cimport int64_t

cdef class ShockGate:
    cdef object _moves, _params
    cdef double _move, _wide_ratio
    cdef int64_t _next_ns, _pull_until_ns, _reduce_until_ns
    @cython.locals(
        mid=double, spread=double, usual=double, limit=double, moved=double, median=double,
        sigma=double, samples=int, shock=bint,
    )
    cpdef observe(self, best_bid, best_ask, int64_t now_ns)
    cpdef pulls(self, int64_t now_ns)
    cpdef reduces(self, int64_t now_ns)
