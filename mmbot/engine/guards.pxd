from mmbot.execution.tracker cimport Tracker
from mmbot.quoting.state cimport QuotingState
from mmbot.risk.band cimport PriceBand
from mmbot.risk.shock cimport ShockGate

cdef class Guards:
    cdef object _ages_ns, _calm, _missing_books, _missing_references, _recovery
    cdef ShockGate _shock
    cdef public PriceBand band
    cdef public object flattening, rejects, reference_share, slicing, slippage_ppb
    cpdef take_book(self, last_ns, now_ns)
    cpdef stop_reason(self, QuotingState state, tuple best, now_ns)
    cpdef reduces(self, now_ns)
    cpdef remember(self, quotes, half_ticks, reference=*)
    cpdef endangered(self, QuotingState state, Tracker tracker)
