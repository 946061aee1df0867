from mmbot.quoting.state cimport QuotingState

cdef class FairPrice:
    cdef object _exclude_own, _fallback_mid, _max_age_ns, _min_samples, _offsets, _second, _source
    cdef object _stale, _window_s
    cpdef price(self, QuotingState state, mid_ticks)
