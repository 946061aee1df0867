from mmbot.quoting.signals cimport Signals
from mmbot.quoting.state cimport QuotingState

cdef class FairPrice:
    cdef object _exclude_own, _fallback_mid, _max_age_ns, _max_deviation, _micro, _min_samples
    cdef object _offsets, _second, _slopes, _source, _stale, _steep, _window_s
    cpdef price(self, QuotingState state, mid_ticks, Signals signals)
    cpdef learn(self, QuotingState state, mid_ticks, Signals signals)
