cimport cython

cdef class EngineClock:
    cdef object _bounds
    cdef bint _stalled
    cdef long long _advanced_ns, _distrust, _seen_s
    cdef public long long _seen_ns
    cpdef state(self, long long now_ns)
    @cython.locals(
        least=cython.longlong, most=cython.longlong, at_ns=cython.longlong, drift=cython.longlong
    )
    cpdef range_ns(self, long long now_ns)
    @cython.locals(earliest_ns=cython.longlong)
    cpdef now_s(self, long long now_ns)
    @cython.locals(earliest_ns=cython.longlong, wanted_s=cython.longlong)
    cpdef stamp(self, long long lifetime_s, long long now_ns)
    cpdef expired(self, long long stamp)
