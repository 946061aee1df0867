# The probabilistic fill model, in plain C, shared by include after "orders.pxi".
#
# An order fills at rate A exp(-k d), d its distance from the exchange's mid in bps, whatever
# trades. Its waiting time is drawn once, from (seed, order id): the same run draws the same fills.
# The rate is optimistic: it knows no queue, no size and no informed flow.
from libc.math cimport exp, log


cdef inline uint64_t mixed(uint64_t x) noexcept nogil:
    # One step of splitmix64.
    x += 0x9E3779B97F4A7C15u
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu
    return x ^ (x >> 31)


cdef inline double unit_draw(uint64_t seed, uint64_t number) noexcept nogil:
    # Uniform in (0, 1), never its ends.
    return (<double>(mixed(mixed(seed) ^ number) >> 12) + 0.5) / 4503599627370496.0


cdef void rates_side(Matcher* m, int side, int64_t now, int64_t mid) noexcept nogil:
    cdef OrderSide* s = order_side(m, side)
    cdef Order* order
    cdef int64_t at
    cdef double distance, wait
    for at in range(s.count):
        order = &s.orders[at]
        order.hazard += order.rate * <double>(now - m.rates_ns)
        order.rate = 0
        order.due_ns = INT64_MAX
        if mid > 0:
            distance = 1e4 * side * <double>(mid - 2 * order.ticks) / <double>mid
            order.rate = m.rules.arrivals_per_ns * exp(-m.rules.decay_per_bps * distance)
        wait = order.threshold - order.hazard
        if order.rate > 0 and wait / order.rate < 4e18 - <double>now:
            order.due_ns = now + <int64_t>max(wait / order.rate, 0.0)
            m.due_ns = min(m.due_ns, order.due_ns)


cdef void match_rates(Matcher* m, int64_t now) noexcept nogil:
    # After a change of book or orders at `now`: new rates if the mid moved or an order joined.
    cdef int64_t mid = 0
    if m.book.best_bid != NO_BID and m.book.best_ask != NO_ASK:
        mid = m.book.best_bid + m.book.best_ask
    if mid == m.rates_mid:
        return
    m.due_ns = INT64_MAX
    rates_side(m, BID, now, mid)
    rates_side(m, ASK, now, mid)
    m.rates_mid = mid
    m.rates_ns = now


cdef int due_side(Matcher* m, int side, int64_t now) except -1:
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t at = 0
    while at < s.count:
        if s.orders[at].due_ns <= now:
            fill_maker(m, side, at, s.orders[at].lots, CAUSE_ARRIVAL)
        else:
            m.due_ns = min(m.due_ns, s.orders[at].due_ns)
            at += 1
    return 0


cdef int match_due(Matcher* m, int64_t now) except -1:
    # Before anything happens at `now`: fill the orders whose time has come.
    m.due_ns = INT64_MAX
    due_side(m, BID, now)
    due_side(m, ASK, now)
    return 0
