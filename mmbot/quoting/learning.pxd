from mmbot.quoting.signals cimport Signals
from mmbot.quoting.state cimport QuotingState

cdef class Learning:
    cdef object _arrivals, _mid, _second, _spreads, _volatility
    cdef public object fills, markout
    cdef public Signals signals
    cpdef see(self, QuotingState state, mid, spread_ticks)
    cpdef judge(self, QuotingState state, mid, fair, tuple touch)
