from mmbot.quoting.reference cimport Reference
from mmbot.quoting.signals cimport Signals
from mmbot.quoting.state cimport QuotingState

cdef class FairPrice:
    cdef object _exclude_own, _fallback_mid, _max_deviation, _micro, _slopes, _source, _steep
    cdef Reference _reference
    cpdef price(self, QuotingState state, mid_ticks, Signals signals)
    cpdef learn(self, QuotingState state, mid_ticks, Signals signals)
