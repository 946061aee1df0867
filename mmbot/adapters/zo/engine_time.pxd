cdef class EngineClock:
    cdef object _advanced_ns, _bounds, _distrust, _seen_s, _stalled
    cdef public object _seen_ns
    cpdef state(self, now_ns)
    cpdef range_ns(self, now_ns)
    cpdef now_s(self, now_ns)
    cpdef stamp(self, lifetime_s, now_ns)
    cpdef expired(self, stamp)
