from mmbot.quoting.state cimport QuotingState

cdef class Gate:
    cdef object _max_age_ns, _max_spread, _min_levels, _needs_free, _old, _thin, _wide
    cpdef reason(self, QuotingState state, tuple top)
