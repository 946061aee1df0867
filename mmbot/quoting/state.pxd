from mmbot.domain.market cimport Market

cdef class Takers:
    cdef public object bought_lots, bought_ticks, sold_lots, sold_ticks
    cpdef take(self, trades)
    cpdef forget(self)

cdef class QuotingState:
    cdef public Market market
    cdef public Takers takers
    cdef public object book, now_ns, book_ts_ns, position_lots, equity_uusd, free_uusd, latency_ns
    cdef public object reference_ticks, reference_ts_ns, room
