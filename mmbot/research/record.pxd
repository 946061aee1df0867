from mmbot.domain.position cimport Position
from mmbot.research.sums cimport EquitySums, MarketSums

cdef class _MarketTrack:
    cdef public Position position
    cdef public MarketSums sums
    cdef public dict gate_ns
    cdef public list hour_marks
    cdef public object gate_reason, gate_since_ns, last, limit_lots, money, next_hour_ns, pnl_uusd
    cdef public object series

cdef class Recorder:
    cdef public EquitySums equity
    cdef public dict counts
    cdef public list fills, funding_records, tracks
    cdef public object horizons_ns, initial_uusd, marks, start_ns, unmatured
    cpdef sent(self, placed, cancelled)
    cpdef sample(self, sample)
