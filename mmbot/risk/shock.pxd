cdef class ShockGate:
    cdef object _mids, _move, _next_ns, _params, _pull_until_ns, _reduce_until_ns, _spreads
    cdef object _variance, _wide_ratio
    cpdef observe(self, best_bid, best_ask, now_ns)
    cpdef pulls(self, now_ns)
    cpdef reduces(self, now_ns)
