"""One event loop over markets: exchange and local clocks, latencies, queues, responses."""

include "consts.pxi"
include "book.pxi"
include "orders.pxi"
include "arrivals.pxi"
include "takers.pxi"

cimport cython

from cpython.pycapsule cimport PyCapsule_GetPointer

include "clocks.pxi"
include "marks.pxi"
include "streams.pxi"

REACHED = 0
RESPONSE = 1
NEED_ROWS = 2
ENDED = 3

ACCEPTED = KIND_ACCEPTED
FILLED = KIND_FILLED
CANCELLED = KIND_CANCELLED
EXPIRED = KIND_EXPIRED
CANCEL_REFUSED = KIND_CANCEL_REFUSED
REJECTED = KIND_REJECTED

REDUCE_ONLY = MODE_REDUCE_ONLY

QUEUE = CAUSE_QUEUE
TRADE_THROUGH = CAUSE_THROUGH
BOOK_CROSS = CAUSE_CROSS
TAKER = CAUSE_TAKER
ARRIVAL = CAUSE_ARRIVAL


@cython.final
cdef class Replay:
    """Markets replayed on two clocks; all times in nanoseconds.

    The next thing to happen is the earliest of a local row, a response reaching the local side, an
    exchange row, and a request reaching the exchange; at equal times in that order, then by market.
    """

    cdef:
        list books
        list inbox
        Market* markets
        int64_t count
        int64_t* exch_next
        int64_t* local_next
        Rules rules
        Latency entry
        Latency response
        Fifo requests
        Fifo responses
        Fifo sampled
        int64_t now
        int64_t start
        int64_t fills
        int64_t needed

    def __cinit__(
        self, list books, *,
        str queue="risk", tuple numbers=(), bint partial=True, bint prints=False,
        tuple horizons=(),
    ):
        cdef int64_t i
        if not books:
            raise ValueError("a replay needs at least one market")
        rules_set(&self.rules, queue, numbers)
        self.rules.partial = partial
        self.rules.prints = prints
        self.books = list(books)
        self.inbox = []
        self.count = 0
        self.markets = <Market*>calloc(len(books), sizeof(Market))
        self.exch_next = <int64_t*>malloc(len(books) * sizeof(int64_t))
        self.local_next = <int64_t*>malloc(len(books) * sizeof(int64_t))
        if self.markets is NULL or self.exch_next is NULL or self.local_next is NULL:
            raise MemoryError
        self.start = INT64_MAX
        self.needed = -1
        self.requests.size = sizeof(Request)
        self.responses.size = sizeof(Response)
        self.sampled.size = sizeof(Mark)
        self.set_latency([(0, 0)], [(0, 0)])
        for i in range(len(books)):
            self.open_market(i, books[i])
            self.open_marks(&self.markets[i].marks, horizons)

    cdef int open_market(self, int64_t i, object book) except -1:
        cdef Market* m = &self.markets[i]
        m.local = <Book*>PyCapsule_GetPointer(book.capsule, "mmbot.book")
        m.local.uncross = True
        m.exch_seen_ns = m.local_seen_ns = UNKNOWN_NS
        m.marks.due_ns = INT64_MAX
        self.exch_next[i] = self.local_next[i] = UNKNOWN_NS
        self.count = i + 1
        return matcher_open(&m.matcher, &self.rules)

    cdef int open_marks(self, Marks* k, tuple horizons) except -1:
        cdef int64_t h
        if horizons and min(horizons) < 0:
            raise ValueError(f"horizons are not negative: {horizons}")
        k.horizons = <int64_t*>malloc((len(horizons) + 1) * sizeof(int64_t))
        k.reached = <int64_t*>malloc((len(horizons) + 1) * sizeof(int64_t))
        if k.horizons is NULL or k.reached is NULL:
            raise MemoryError
        k.horizon_count = len(horizons)
        for h in range(k.horizon_count):
            k.horizons[h] = horizons[h]
            k.reached[h] = 0
        return 0

    def __dealloc__(self):
        cdef int64_t i
        for i in range(self.count):
            market_close(&self.markets[i])
        free(self.markets)
        free(self.exch_next)
        free(self.local_next)
        free(self.entry.at)
        free(self.entry.delay)
        free(self.response.at)
        free(self.response.delay)
        free(self.requests.items)
        free(self.responses.items)
        free(self.sampled.items)

    cdef Market* market(self, int64_t index) except NULL:
        if index < 0 or index >= self.count:
            raise IndexError(f"no market {index}")
        return &self.markets[index]

    def set_latency(self, list entry, list response, seed=None):
        """Delay messages by (time, delay) pairs, interpolated; with a seed, draw one of the delays.

        Requests look their own time up in `entry`, answers the exchange's in `response`. Raises
        ValueError when a list is empty, goes back in time or has a negative delay.
        """
        if not entry or not response:
            raise ValueError("a latency needs at least one row")
        latency_set(&self.entry, entry, seed)
        latency_set(&self.response, response, None if seed is None else seed ^ 1)

    def feed(self, int64_t market, bytes rows, bint last):
        """Append rows (40 bytes each, ordered within each stream); `last` closes the market's file.

        Raises ValueError for rows out of order or out of range, IndexError for an unknown market.
        """
        cdef Market* m = self.market(market)
        cdef const char* source = rows
        cdef Py_ssize_t size = len(rows)
        if m.last or size % <Py_ssize_t>sizeof(Row) != 0:
            raise ValueError("rows of 40 bytes, and none after the last chunk")
        market_feed(m, <const Row*>source, size // <Py_ssize_t>sizeof(Row))
        m.last = last
        self.settle(market, True)
        self.settle(market, False)

    cdef void settle(self, int64_t market, bint exchange) noexcept:
        cdef int64_t ns = market_settle(&self.markets[market], exchange)
        if exchange:
            self.exch_next[market] = ns
        else:
            self.local_next[market] = ns
        if ns != UNKNOWN_NS and ns < self.start:
            self.start = ns

    def advance(self, int64_t until_ns):
        """Let time pass until `until_ns`, the next response, a need for rows, or the end.

        REACHED: all that was due is done and more is to come. RESPONSE: all responses of `now_ns`
        are in the inbox, later things still wait. NEED_ROWS: feed `needed_market`, then call again.
        ENDED: nothing is left; marks not yet due took the last mid.
        """
        cdef Soonest local, exch
        cdef int64_t t, response_ns, request_ns
        while True:
            local = soonest(self.local_next, self.count)
            exch = soonest(self.exch_next, self.count)
            response_ns = fifo_due(&self.responses)
            request_ns = fifo_due(&self.requests)
            t = min(min(local.ns, exch.ns), min(response_ns, request_ns))
            if t == UNKNOWN_NS:
                self.needed = local.market if local.ns == UNKNOWN_NS else exch.market
                return NEED_ROWS
            if t == INT64_MAX:
                self.finish()
                return ENDED
            if t > until_ns:
                self.now = max(self.now, until_ns)
                return REACHED
            self.now = t
            if local.ns == t:
                t = min(min(local.rival_ns, exch.ns), min(response_ns, request_ns)) - 1
                self.run_local(local.market, max(min(t, until_ns), self.now))
            elif response_ns == t:
                self.deliver()
                return RESPONSE
            elif exch.ns == t:
                t = min(min(exch.rival_ns, local.ns), min(response_ns, request_ns)) - 1
                self.run_exchange(exch.market, max(min(t, until_ns), self.now))
            else:
                self.arrive()

    cdef int run_local(self, int64_t market, int64_t stop) except -1:
        # Apply local rows up to `stop`; at least one is due.
        cdef Market* m = &self.markets[market]
        cdef Row* row = &m.rows[m.local_at]
        cdef Row* done = row
        cdef uint32_t kind
        while row.local_ns <= stop:
            done = row
            kind = row.flags & KIND_MASK
            if kind == KIND_DEPTH or kind == KIND_SNAPSHOT:
                book_set(m.local, row_side(row), row.ticks, row.lots)
            elif kind == KIND_CLEAR:
                book_clear_to(m.local, row_side(row), row.ticks)
            elif kind == KIND_TRADE:
                hear_trade(m, row)
            row += 1
            while not row.flags & FLAG_LOCAL:
                row += 1
        m.local_at = row - m.rows
        m.book_exch_ns = done.exch_ns
        m.book_local_ns = self.now = done.local_ns
        self.settle(market, False)
        return 0

    cdef int run_exchange(self, int64_t market, int64_t stop) except -1:
        # Match exchange rows up to `stop` or the first that has something to say.
        cdef Market* m = &self.markets[market]
        cdef Row* row = &m.rows[m.exch_at]
        cdef Matcher* matcher = &m.matcher
        if m.marks.due_ns < row.exch_ns:
            marks_sample(&m.marks, row.exch_ns, market_mid(m), &self.sampled)
        stop = max(min(stop, m.marks.due_ns), row.exch_ns)
        while row.exch_ns <= stop:
            self.now = row.exch_ns
            match_event(matcher, row)
            row += 1
            while not row.flags & FLAG_EXCH:
                row += 1
            if matcher.report_count > 0:
                break
        m.exch_at = row - m.rows
        self.settle(market, True)
        self.answer(market)
        return 0

    cdef int answer(self, int64_t market) except -1:
        # Send the exchange's reports of this instant on their way.
        cdef Market* m = &self.markets[market]
        cdef Response* r
        cdef int64_t i, due
        for i in range(m.matcher.report_count):
            due = self.now + latency_at(&self.response, self.now)
            r = <Response*>fifo_push(&self.responses, due)
            r.exch_ns = self.now
            r.market = <int>market
            r.report = m.matcher.reports[i]
            r.mid = market_mid(m)
            r.fill = -1
            if r.report.kind == KIND_FILLED:
                r.fill = self.fills
                self.fills += 1
                marks_add(&m.marks, r.fill, self.now)
        m.matcher.report_count = 0
        return 0

    cdef int arrive(self) except -1:
        # Hand all requests due now to the exchange, first in first out.
        cdef Request* r
        cdef Matcher* matcher
        while fifo_due(&self.requests) == self.now:
            r = <Request*>fifo_pop(&self.requests)
            matcher = &self.markets[r.market].matcher
            if self.now >= matcher.due_ns:
                match_due(matcher, self.now)
            if r.side == 0:
                match_cancel(matcher, r.id)
            else:
                match_submit(matcher, r.id, r.side, r.ticks, r.lots, r.mode)
            if self.rules.queue == QUEUE_PROBABILISTIC:
                match_rates(matcher, self.now)
            self.answer(r.market)
        return 0

    cdef int deliver(self) except -1:
        # Put all responses due now into the inbox.
        cdef Response* r
        while fifo_due(&self.responses) == self.now:
            r = <Response*>fifo_pop(&self.responses)
            self.inbox.append((
                r.report.kind, r.market, r.report.id, r.exch_ns, r.due_ns, r.report.leaves,
                execution(r) if r.report.kind == KIND_FILLED else None,
            ))
        return 0

    cdef int finish(self) except -1:
        cdef int64_t i
        cdef Market* m
        for i in range(self.count):
            m = &self.markets[i]
            marks_flush(&m.marks, self.now, market_mid(m), &self.sampled)
        return 0

    def submit(
        self, int64_t market, int64_t order_id, int side, int64_t ticks, int64_t lots, int mode
    ):
        """Send an order at `now_ns`; `mode`: FillMode, plus REDUCE_ONLY or 0. ValueError if bad."""
        self.market(market)
        if side not in (BID, ASK) or not MODE_LIMIT <= mode <= MODE_FOK + MODE_REDUCE_ONLY:
            raise ValueError(f"side {side} or mode {mode} does not exist")
        if lots < 1 or ticks == NO_BID or ticks == NO_ASK:
            raise ValueError("an order needs a price and at least one lot")
        cdef Request* r = self.send(market, order_id, side)
        r.ticks = ticks
        r.lots = lots
        r.mode = mode

    def cancel(self, int64_t market, int64_t order_id):
        """Send a cancel at `now_ns`."""
        self.market(market)
        self.send(market, order_id, 0)

    cdef Request* send(self, int64_t market, int64_t order_id, int side) except NULL:
        cdef int64_t due = self.now + latency_at(&self.entry, self.now)
        cdef Request* r = <Request*>fifo_push(&self.requests, due)
        r.id = order_id
        r.market = <int>market
        r.side = side
        return r

    def take_responses(self):
        """Return and forget the responses heard, laid out as the stub's Response."""
        cdef list responses = self.inbox
        self.inbox = []
        return responses

    def take_marks(self):
        """Return and forget sampled mids: (fill_no, horizon index, half ticks, matured)."""
        cdef list marks = []
        cdef Mark* mark
        while self.sampled.head < self.sampled.count:
            mark = <Mark*>fifo_pop(&self.sampled)
            marks.append((mark.fill, mark.horizon, mark.mid, bool(mark.matured)))
        return marks

    def take_prints(self, int64_t market):
        """Return and forget synthetic takers' trades: (exch_ns, aggressor, ticks, lots)."""
        cdef Matcher* matcher = &self.market(market).matcher
        cdef int64_t i
        cdef list prints = []
        cdef Print* p
        for i in range(matcher.print_count):
            p = &matcher.prints[i]
            prints.append((p.exch_ns, p.aggressor, p.ticks, p.lots))
        matcher.print_count = 0
        return prints

    def traded(self, int64_t market):
        cdef Matcher* matcher = &self.market(market).matcher
        return (matcher.traded_lots, matcher.traded_ticklots)

    def best(self, int64_t market):
        """Return the exchange's best bid and ask, own orders included, None for an empty side."""
        cdef Matcher* matcher = &self.market(market).matcher
        cdef int64_t bid = ~min(~matcher.book.best_bid, matcher.bids.first)
        cdef int64_t ask = min(matcher.book.best_ask, matcher.asks.first)
        return (None if bid == NO_BID else bid, None if ask == NO_ASK else ask)

    def take_changed_books(self):
        """New since the last call: (market, exch_ns, local_ns, mid half ticks, `take_heard`)."""
        cdef int64_t i
        cdef list changed = []
        cdef Market* m
        for i in range(self.count):
            m = &self.markets[i]
            if m.book_local_ns != m.told_ns:
                changed.append((i, *book_news(m)))
        return changed

    @property
    def now_ns(self):
        """Local time reached."""
        return self.now

    @property
    def start_ns(self):
        """Earliest time, on either clock, of the rows fed; 2^63 - 1 before any."""
        return self.start

    @property
    def needed_market(self):
        """Market that the last NEED_ROWS asked for."""
        return self.needed
