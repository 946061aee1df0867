from mmbot.domain.market cimport Market

cdef class QuotingState:
    cdef public Market market
    cdef public object book, now_ns, book_ts_ns, position_lots, equity_uusd, free_uusd
    cdef public object bought_lots, bought_ticks, latency_ns, reference_ticks, reference_ts_ns, room
    cdef public object sold_lots, sold_ticks
    cpdef take_trades(self, trades)
    cpdef forget_trades(self)
