cdef class MarketSums:
    cdef public object abs_lot_ns, limit_ns, lot_ns, max_lots, mid_half_tick_ns, quoting_ns, samples
    cdef public object span_ns, spread_tick_ns, square_lot_ns, two_sided_ns
    cpdef hold(self, sample, until_ns, limit_lots)

cdef class Drawdown:
    cdef public object deepest_uusd, longest_ns, peak_ts_ns, peak_uusd, share_fall_uusd
    cdef public object share_peak_uusd
    cpdef add(self, ts_ns, equity_uusd)

cdef class EquitySums:
    cdef public Drawdown drawdown
    cdef public list closes
    cdef public object fees_uusd, minute, minute_end_ns, net_uusd, series
    cpdef change(self, ts_ns, by_uusd)
