cimport cython
from libc.stdint cimport int64_t

cdef class EngineClock:
    cdef object _bounds
    cdef bint _stalled
    cdef int64_t _advanced_ns, _distrust, _seen_s
    cdef public int64_t _seen_ns
    cpdef state(self, int64_t now_ns)
    @cython.locals(
        least=cython.longlong, most=cython.longlong, at_ns=cython.longlong, drift=cython.longlong
    )
    cpdef range_ns(self, int64_t now_ns)
    @cython.locals(earliest_ns=cython.longlong)
    cpdef now_s(self, int64_t now_ns)
    cpdef stamp(self, int64_t lifetime_s, int64_t now_ns)
    @cython.locals(
        earliest_ns=cython.longlong, earliest_s=cython.longlong, seen_s=cython.longlong,
        wanted_s=cython.longlong
    )
    cpdef stamp_and_now_s(self, int64_t lifetime_s, int64_t now_ns)
    cpdef expired(self, int64_t stamp)
