"""Native decoding of recorded markets: raw Binance lines to rows, and rows to their final order."""

cimport cython

include "consts.pxi"
include "book.pxi"

from libc.stdint cimport INT64_MAX, INT64_MIN

from cpython.pycapsule cimport PyCapsule_GetPointer

cdef uint32_t SIDES = FLAG_BUY | FLAG_SELL
cdef uint32_t STREAMS = FLAG_EXCH | FLAG_LOCAL

# Clearing a whole side: no price is at or beyond these.
cdef int64_t LOWEST_TICKS = 0
cdef int64_t HIGHEST_TICKS = 1 << 62

cdef enum:
    LOCAL_DIGITS = 19
    MAX_GAPS = 100

ROW_BYTES = sizeof(Row)

# A line is one message, so the end of the line is none of the blanks between tokens.
cdef inline const char* skip_space(const char* p) noexcept nogil:
    while p[0] == c' ' or p[0] == c'\t' or p[0] == c'\r':
        p += 1
    return p


include "json_scan.pxi"
include "capture_scan.pxi"
include "capture_message.pxi"
include "capture_sequence.pxi"
include "capture_columns.pxi"
include "capture_books.pxi"
include "capture_chain.pxi"

RULES = ("arrival", "exchange", "survey")

# What was met so far.
cdef struct Counts:
    int64_t depth_messages
    int64_t trades
    int64_t snapshots
    int64_t other_messages
    int64_t other_trades
    int64_t missing_trades
    int64_t stale_snapshots
    int64_t gaps
    int64_t least_latency
    int64_t first_local


cdef Scale scale_from(step) except *:
    cdef Scale scale
    scale.decimals, scale.step = step
    if not 0 <= scale.decimals <= 12 or scale.step < 1:
        raise ValueError(f"expected 0 to 12 decimals and a step above 0, found {step}")
    return scale


cdef int64_t gcd(int64_t a, int64_t b) noexcept nogil:
    while b:
        a, b = b, a % b
    return a


@cython.final
cdef class Decoder:
    """Lines of one symbol's raw capture to rows in arrival order (no stream bits set).

    `grid` is (decimals, step) of prices and of sizes: a tick is `step` units of the last of
    `decimals` places. Times are nanoseconds; `offset_ns` is added to local times. `rule` says what
    becomes of diffs: "arrival" takes every diff and snapshot as it comes; "exchange" lets diffs
    wait while one of `snapshots` is to come, chains them by id, and a gap clears the book; "survey"
    writes no rows and finds the common divisors of prices and sizes. O(1) per level.
    """

    cdef:
        Reading reading
        Rows out
        Chain chain
        Counts counts
        uint32_t market
        bint chained
        bint surveying
        int64_t offset_ns
        int64_t last_exch
        int64_t last_local
        int64_t last_trade
        int64_t price_divisor
        int64_t size_divisor
        bytes known_symbol
        list gap_list
        readonly int64_t line

    def __init__(self, grid, uint32_t market=0, int64_t offset_ns=0, str rule="arrival",
                 int64_t snapshots=0):
        if rule not in RULES:
            raise ValueError(f"expected one of the rules {RULES}, found {rule!r}")
        self.reading.price = scale_from(grid[0])
        self.reading.size = scale_from(grid[1])
        self.market = market
        self.offset_ns = offset_ns
        self.chained = rule == "exchange"
        self.surveying = rule == "survey"
        self.chain.snapshots_left = snapshots
        self.chain.waiting = snapshots > 0
        self.chain.last_id = -1
        self.last_trade = -1
        self.counts.least_latency = INT64_MAX
        self.last_exch = INT64_MIN
        self.last_local = INT64_MIN
        self.gap_list = []
        self.known_symbol = b""

    def __dealloc__(self):
        free(self.reading.bids.items)
        free(self.reading.asks.items)
        free(self.out.items)
        free_chain(&self.chain)

    @property
    def symbol(self) -> str:
        """Symbol of the messages, empty before the first of them."""
        return self.known_symbol.decode()

    @property
    def gaps(self) -> list[tuple[int, int, int]]:
        """Line, id expected and id found of the first gaps in the chain of diffs."""
        return list(self.gap_list)

    @property
    def divisors(self) -> tuple[int, int]:
        """Common divisors of the prices and of the sizes that a survey has seen, in grid steps."""
        return (self.price_divisor, self.size_divisor)

    @property
    def figures(self) -> dict[str, int]:
        """What was met so far: messages by kind, what was left out, smallest latency in ns."""
        return {
            **self.counts,
            "stale_diffs": self.chain.stale_diffs,
            "dropped_diffs": self.chain.dropped_diffs,
        }

    def feed(self, bytes text) -> int:
        """Decode the whole lines of `text`; return how many bytes they are.

        ValueError: a line that is not as expected; `line` is its number.
        """
        cdef const char* start = <const char*>text
        cdef const char* end = start + len(text)
        cdef const char* p = start
        cdef const char* stop = NULL
        while p < end:
            stop = <const char*>memchr(p, c'\n', end - p)
            if stop == NULL:
                break
            self.line += 1
            if not self.decode(p, stop):
                raise_fault(&self.reading.cursor, p, stop - p)
            p = stop + 1
        return p - start

    def take(self) -> bytes:
        """Return the rows decoded since the last call."""
        return take_rows(&self.out)

    def apply_depth(self, bytes message, book) -> tuple[int, int, int, int]:
        """Decode one depthUpdate and set its levels in an OrderBook's capsule.

        Return (exchange ms, first id, last id, previous id or 0). All levels or none are applied.
        ValueError: not a depthUpdate as expected.
        """
        cdef Reading* r = &self.reading
        cdef Book* target = <Book*>PyCapsule_GetPointer(book, "mmbot.book")
        cdef const char* start = <const char*>message
        cdef Py_ssize_t i
        r.cursor.at = start
        if not read_message(r):
            raise_fault(&r.cursor, start, len(message))
        if r.cursor.at != start + len(message) or r.message.kind != MSG_DEPTH or r.message.partial:
            raise ValueError("expected one depthUpdate and nothing behind it")
        for i in range(r.bids.count):
            book_set(target, BID, r.bids.items[i].ticks, r.bids.items[i].lots)
        for i in range(r.asks.count):
            book_set(target, ASK, r.asks.items[i].ticks, r.asks.items[i].lots)
        return (
            message_ms(&r.message), r.message.first_id, r.message.last_id, r.message.previous_id
        )

    # 1 decoded, 0 refused with the reason in the cursor.
    cdef int decode(self, const char* start, const char* stop) except -1:
        cdef Cursor* c = &self.reading.cursor
        cdef int64_t local_ns = 0
        c.at = start
        if stop - start <= LOCAL_DIGITS:
            return fail(c, start, b"expected 19 digits of local time and a message")
        if not read_local(c, &local_ns):
            return 0
        local_ns += self.offset_ns
        if local_ns < self.last_local:
            return fail(c, start, b"expected local time not to go back")
        if self.last_local == INT64_MIN:
            self.counts.first_local = local_ns
        self.last_local = local_ns
        if not read_message(&self.reading):
            return 0
        if c.at != stop:
            return fail(c, c.at, b"expected nothing behind the message")
        return self.dispatch(local_ns)

    cdef int dispatch(self, int64_t local_ns) except -1:
        cdef Message* m = &self.reading.message
        cdef int64_t exch_ns = message_ms(m) * 1_000_000
        if m.seen & HAS_SNAPSHOT_ID:
            if exch_ns == 0:
                # Spot snapshots carry no time: the book is then at least as new as the last event.
                exch_ns = self.last_exch if self.last_exch != INT64_MIN else local_ns
            self.note_times(exch_ns, local_ns)
            return self.on_snapshot(exch_ns, local_ns)
        if m.kind == MSG_OTHER or m.partial:
            self.counts.other_messages += 1
            return 1
        if not self.same_symbol():
            return fail(&self.reading.cursor, m.symbol, b"expected one symbol per capture")
        if m.kind == MSG_TRADE:
            return self.on_trade(exch_ns, local_ns)
        self.counts.depth_messages += 1
        self.note_times(exch_ns, local_ns)
        return self.on_depth(exch_ns, local_ns)

    cdef inline void note_times(self, int64_t exch_ns, int64_t local_ns) noexcept nogil:
        # Cannot raise: integer arithmetic.
        self.counts.least_latency = min(self.counts.least_latency, local_ns - exch_ns)
        self.last_exch = max(self.last_exch, exch_ns)

    cdef inline bint same_symbol(self):
        cdef Message* m = &self.reading.message
        cdef Py_ssize_t length = len(self.known_symbol)
        if length == 0:
            self.known_symbol = m.symbol[: m.symbol_length]
            return m.symbol_length > 0
        return length == m.symbol_length and not memcmp(
            <const char*>self.known_symbol, m.symbol, length
        )

    cdef int on_trade(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Message* m = &self.reading.message
        cdef Cursor* c = &self.reading.cursor
        cdef Level level
        cdef Levels one = Levels(&level, 1, 1)
        if self.last_trade >= 0 and m.trade_id > self.last_trade + 1:
            self.counts.missing_trades += m.trade_id - self.last_trade - 1
        self.last_trade = max(self.last_trade, m.trade_id)
        if m.seen & HAS_ORDER_TYPE and not m.market_order:
            # Insurance fund and liquidation transfers: no order in the book was hit.
            self.counts.other_trades += 1
            return 1
        if read_decimal(c, m.price, &self.reading.price, &level.ticks) == NULL:
            return 0
        if read_decimal(c, m.size, &self.reading.size, &level.lots) == NULL:
            return 0
        if level.ticks == 0 or level.lots == 0:
            return fail(c, m.price, b"expected a trade with price and size above zero")
        self.counts.trades += 1
        self.note_times(exch_ns, local_ns)
        self.add(&one, KIND_TRADE | (FLAG_SELL if m.seller else FLAG_BUY), exch_ns, local_ns)
        return 1

    cdef int on_depth(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Message* m = &self.reading.message
        cdef int verdict = IN_TURN
        if self.chained:
            verdict = self.place(m, self.line, exch_ns, local_ns)
        if verdict == WAITS:
            self.hold(exch_ns, local_ns)
        elif verdict == IN_TURN:
            self.add(&self.reading.bids, KIND_DEPTH | FLAG_BUY, exch_ns, local_ns)
            self.add(&self.reading.asks, KIND_DEPTH | FLAG_SELL, exch_ns, local_ns)
        return 1

    # Decide on a diff; ids missing in front of it clear the book.
    cdef int place(self, Message* m, int64_t line, int64_t exch_ns, int64_t local_ns) except -1:
        cdef int64_t expected = self.chain.last_id
        cdef bint broken = False
        cdef int verdict = place_diff(&self.chain, m, &broken)
        if broken:
            self.counts.gaps += 1
            if len(self.gap_list) < MAX_GAPS:
                found = m.previous_id if m.seen & HAS_PREVIOUS else m.first_id - 1
                self.gap_list.append((line, expected, found))
            self.clear_side(FLAG_BUY, LOWEST_TICKS, exch_ns, local_ns)
            self.clear_side(FLAG_SELL, HIGHEST_TICKS, exch_ns, local_ns)
        return verdict

    cdef int on_snapshot(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Levels* bids = &self.reading.bids
        cdef Levels* asks = &self.reading.asks
        cdef int64_t snapshot_id = self.reading.message.last_id
        self.counts.snapshots += 1
        self.chain.snapshots_left -= 1
        if self.chained and not self.chain.waiting and snapshot_id <= self.chain.last_id:
            self.counts.stale_snapshots += 1
            return 1
        if bids.count:
            self.clear_side(FLAG_BUY, bids.items[bids.count - 1].ticks, exch_ns, local_ns)
            self.add(bids, KIND_SNAPSHOT | FLAG_BUY, exch_ns, local_ns)
        if asks.count:
            self.clear_side(FLAG_SELL, asks.items[asks.count - 1].ticks, exch_ns, local_ns)
            self.add(asks, KIND_SNAPSHOT | FLAG_SELL, exch_ns, local_ns)
        self.chain.last_id = snapshot_id
        self.chain.joining = True
        self.chain.waiting = False
        self.release(local_ns)
        return 1

    cdef int hold(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Reading* r = &self.reading
        cdef Rows* rows = &self.chain.rows
        cdef Held* entry = hold_diff(&self.chain, &r.message, self.line, exch_ns)
        add_levels(rows, &r.bids, Row(exch_ns, local_ns, 0, 0, KIND_DEPTH | FLAG_BUY, self.market))
        add_levels(rows, &r.asks, Row(exch_ns, local_ns, 0, 0, KIND_DEPTH | FLAG_SELL, self.market))
        entry.count = rows.count - entry.start
        return 0

    # The snapshot is here: the newer of the waiting diffs follow it, known since now.
    cdef int release(self, int64_t local_ns) except -1:
        cdef Held* entry
        cdef Py_ssize_t i, j
        cdef int verdict
        for i in range(self.chain.held_count):
            entry = &self.chain.held[i]
            verdict = self.place(&entry.message, entry.line, entry.exch_ns, local_ns)
            if verdict == WAITS:
                keep_held(&self.chain, i)
                return 0
            if verdict == LEFT_OUT:
                continue
            reserve(&self.out, entry.count)
            for j in range(entry.start, entry.start + entry.count):
                self.out.items[self.out.count] = self.chain.rows.items[j]
                self.out.items[self.out.count].local_ns = local_ns
                self.out.count += 1
        self.chain.held_count = 0
        self.chain.rows.count = 0
        return 0

    cdef int clear_side(
        self, uint32_t side, int64_t ticks, int64_t exch_ns, int64_t local_ns
    ) except -1:
        cdef Row row = Row(exch_ns, local_ns, ticks, 0, KIND_CLEAR | side, self.market)
        if self.surveying:
            return 0
        reserve(&self.out, 1)
        self.out.items[self.out.count] = row
        self.out.count += 1
        return 0

    cdef int add(
        self, const Levels* levels, uint32_t flags, int64_t exch_ns, int64_t local_ns
    ) except -1:
        if self.surveying:
            self.note_divisors(levels)
            return 0
        return add_levels(&self.out, levels, Row(exch_ns, local_ns, 0, 0, flags, self.market))

    cdef void note_divisors(self, const Levels* levels) noexcept nogil:
        # Cannot raise: integer arithmetic on what was read.
        cdef Py_ssize_t i
        for i in range(levels.count):
            if self.price_divisor == 0 or levels.items[i].ticks % self.price_divisor:
                self.price_divisor = gcd(self.price_divisor, levels.items[i].ticks)
            if self.size_divisor == 0 or levels.items[i].lots % self.size_divisor:
                self.size_divisor = gcd(self.size_divisor, levels.items[i].lots)
