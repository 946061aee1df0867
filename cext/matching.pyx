"""One market's exchange without clocks or latency: rows and own orders in, reports out."""

include "consts.pxi"
include "book.pxi"
include "orders.pxi"
include "arrivals.pxi"
include "takers.pxi"

cimport cython


ACCEPTED = KIND_ACCEPTED
FILLED = KIND_FILLED
CANCELLED = KIND_CANCELLED
EXPIRED = KIND_EXPIRED
CANCEL_REFUSED = KIND_CANCEL_REFUSED
REJECTED = KIND_REJECTED

QUEUE = CAUSE_QUEUE
TRADE_THROUGH = CAUSE_THROUGH
BOOK_CROSS = CAUSE_CROSS
TAKER = CAUSE_TAKER
ARRIVAL = CAUSE_ARRIVAL

DEPTH = KIND_DEPTH
TRADE = KIND_TRADE
CLEAR = KIND_CLEAR
SNAPSHOT = KIND_SNAPSHOT
TAKE = KIND_TAKE


@cython.final
cdef class Matching:
    """Resting orders with queue positions over a book of its own; ticks, lots and nanoseconds.

    `now_ns` must not go backwards; only the probabilistic model looks at it. A row costs O(1) while
    no own order is concerned, else O(own orders of that side).
    """

    cdef:
        Rules rules
        Matcher matcher

    def __cinit__(self, *, str queue="risk", tuple numbers=(), bint partial=True):
        memset(&self.matcher, 0, sizeof(Matcher))
        rules_set(&self.rules, queue, numbers)
        self.rules.partial = partial
        self.rules.prints = True
        matcher_open(&self.matcher, &self.rules)

    def __dealloc__(self):
        matcher_close(&self.matcher)

    cdef list drain(self):
        cdef list reports = []
        cdef int64_t i
        cdef Report* r
        for i in range(self.matcher.report_count):
            r = &self.matcher.reports[i]
            reports.append(
                (r.kind, r.id, r.side, r.ticks, r.lots, r.leaves, bool(r.maker), r.cause)
            )
        self.matcher.report_count = 0
        return reports

    def event(self, int64_t now_ns, int kind, int side, int64_t ticks, int64_t lots):
        """Apply a market row (kind DEPTH, TRADE, CLEAR, SNAPSHOT or TAKE) and return its reports.

        A report is (kind, order_id, side, ticks, lots, leaves, maker, cause). Raises ValueError for
        a price or size no exchange shows.
        """
        cdef Row row
        if lots < 0 or ticks == NO_BID or ticks == NO_ASK:
            raise ValueError("sizes must not be negative, prices not at the end of 64 bits")
        row.exch_ns = now_ns
        row.local_ns = now_ns
        row.ticks = ticks
        row.lots = lots
        row.flags = <uint32_t>kind | (FLAG_BUY if side > 0 else FLAG_SELL)
        row.market = 0
        match_event(&self.matcher, &row)
        return self.drain()

    def submit(
        self, int64_t now_ns, int64_t order_id, int side, int64_t ticks, int64_t lots, int mode
    ):
        """Let an order arrive and return its reports; ValueError unless `lots` is positive."""
        if lots < 1 or ticks == NO_BID or ticks == NO_ASK:
            raise ValueError("an order needs a price and at least one lot")
        if now_ns >= self.matcher.due_ns:
            match_due(&self.matcher, now_ns)
        match_submit(&self.matcher, order_id, side, ticks, lots, mode)
        if self.rules.queue == QUEUE_PROBABILISTIC:
            match_rates(&self.matcher, now_ns)
        return self.drain()

    def cancel(self, int64_t now_ns, int64_t order_id):
        """Let a cancel arrive and return its reports."""
        if now_ns >= self.matcher.due_ns:
            match_due(&self.matcher, now_ns)
        match_cancel(&self.matcher, order_id)
        return self.drain()

    def take_prints(self):
        """Return and forget the executions of TAKE rows: (now_ns, aggressor, ticks, lots)."""
        cdef list prints = []
        cdef int64_t i
        cdef Print* p
        for i in range(self.matcher.print_count):
            p = &self.matcher.prints[i]
            prints.append((p.exch_ns, p.aggressor, p.ticks, p.lots))
        self.matcher.print_count = 0
        return prints

    def front(self, int64_t order_id):
        """Return the lots in front of a resting order; IndexError when it does not rest."""
        cdef int64_t at = side_find(&self.matcher.bids, order_id)
        if at >= 0:
            return self.matcher.bids.orders[at].front
        at = side_find(&self.matcher.asks, order_id)
        if at < 0:
            raise IndexError(f"order {order_id} does not rest")
        return self.matcher.asks.orders[at].front

    def lots_at(self, int side, int64_t ticks):
        """Return the displayed lots at a price, own orders not counted."""
        return book_lots(self.matcher.book, side, ticks)

    def best(self):
        """Return best bid and best ask, own orders included, None for an empty side."""
        cdef int64_t bid = ~min(~self.matcher.book.best_bid, self.matcher.bids.first)
        cdef int64_t ask = min(self.matcher.book.best_ask, self.matcher.asks.first)
        return (None if bid == NO_BID else bid, None if ask == NO_ASK else ask)
