cimport cython

cdef class ShockGate:
    cdef object _moves, _params
    cdef double _move, _wide_ratio
    cdef long long _next_ns, _pull_until_ns, _reduce_until_ns
    @cython.locals(
        mid=double, spread=double, usual=double, limit=double, moved=double, median=double,
        sigma=double, samples=int, shock=bint,
    )
    cpdef observe(self, best_bid, best_ask, long long now_ns)
    cpdef pulls(self, long long now_ns)
    cpdef reduces(self, long long now_ns)
