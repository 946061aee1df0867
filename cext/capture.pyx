"""Native decoding of recorded markets: raw Binance lines to rows, and rows to their final order."""

cimport cython

include "consts.pxi"
include "book.pxi"

from libc.stdint cimport INT64_MAX, INT64_MIN

cdef uint32_t SIDES = FLAG_BUY | FLAG_SELL
cdef uint32_t STREAMS = FLAG_EXCH | FLAG_LOCAL

include "capture_scan.pxi"
include "capture_message.pxi"
include "capture_sequence.pxi"
include "capture_columns.pxi"
include "capture_books.pxi"

from cpython.pycapsule cimport PyCapsule_GetPointer

cdef enum:
    LOCAL_DIGITS = 19
    MAX_HELD_ROWS = 1_000_000
    MAX_GAPS = 100

# Clearing a whole side: no price is at or beyond these.
cdef int64_t LOWEST_TICKS = 0
cdef int64_t HIGHEST_TICKS = 1 << 62

ROW_BYTES = sizeof(Row)

# A diff that waits for its snapshot; its rows are `start` .. `start + count` of the held ones.
cdef struct Held:
    Message message
    int64_t line
    int64_t exch_ns
    Py_ssize_t start
    Py_ssize_t count


cdef Scale scale_from(grid) except *:
    cdef Scale scale
    scale.decimals, scale.step = grid
    if not 0 <= scale.decimals <= 12 or scale.step < 1:
        raise ValueError(f"expected 0 to 12 decimals and a step above 0, found {grid}")
    return scale


cdef raise_fault(Cursor* c, const char* start, Py_ssize_t line_length):
    """Say what was expected and what stands there instead."""
    cdef Py_ssize_t place = c.at - start
    cdef bytes found = start[place : min(place + 12, line_length)]
    shown = ascii(found.decode("latin-1")) if found else "the end of the line"
    raise ValueError(f"character {place + 1}: {c.why.decode()}, found {shown}")


cdef int64_t gcd(int64_t a, int64_t b) noexcept nogil:
    while b:
        a, b = b, a % b
    return a


@cython.final
cdef class Decoder:
    """Lines of one symbol's raw capture to rows in arrival order (no stream bits set).

    Grids are (decimals, step): a tick is `step` units of the last of `decimals` places. Times are
    nanoseconds; `offset_ns` is added to local times. With `chained` diffs obey the exchange's rule:
    they wait while one of `snapshots` is still to come, must follow one another by id, and a gap
    clears the book; without it every diff and snapshot is taken as it comes. `survey` writes no
    rows and finds the common divisors of prices and sizes instead. O(1) per level.
    """

    cdef:
        Reading reading
        Rows out
        Rows held_rows
        Held* held
        Py_ssize_t held_count
        Py_ssize_t held_capacity
        uint32_t market
        bint chained
        bint surveying
        bint waiting
        bint joining
        int64_t offset_ns
        int64_t last_id
        int64_t snapshots_left
        int64_t last_trade
        bytes known_symbol
        readonly int64_t line
        readonly int64_t depth_messages
        readonly int64_t trades
        readonly int64_t snapshots
        readonly int64_t bookkeeping
        readonly int64_t other_trades
        readonly int64_t stale_diffs
        readonly int64_t stale_snapshots
        readonly int64_t dropped_diffs
        readonly int64_t trade_gaps
        readonly int64_t gap_count
        readonly int64_t least_latency
        readonly int64_t first_exch
        readonly int64_t last_exch
        readonly int64_t first_local
        readonly int64_t last_local
        readonly int64_t price_divisor
        readonly int64_t size_divisor
        list gap_list

    def __cinit__(self, price, size, *, uint32_t market=0, int64_t offset_ns=0,
                  bint chained=False, int64_t snapshots=0, bint survey=False):
        self.reading.price = scale_from(price)
        self.reading.size = scale_from(size)
        self.market = market
        self.offset_ns = offset_ns
        self.chained = chained
        self.surveying = survey
        self.snapshots_left = snapshots
        self.waiting = snapshots > 0
        self.last_id = -1
        self.last_trade = -1
        self.least_latency = INT64_MAX
        self.last_exch = INT64_MIN
        self.first_exch = INT64_MAX
        self.last_local = INT64_MIN
        self.gap_list = []
        self.known_symbol = b""

    def __dealloc__(self):
        free(self.reading.bids.items)
        free(self.reading.asks.items)
        free(self.out.items)
        free(self.held_rows.items)
        free(self.held)

    @property
    def symbol(self) -> str:
        """Symbol of the messages, empty before the first of them."""
        return self.known_symbol.decode()

    @property
    def gaps(self) -> list[tuple[int, int, int]]:
        """Line, id expected and id found of the first gaps in the chain of diffs."""
        return list(self.gap_list)

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
        cdef Message* m = &self.reading.message
        cdef Book* target = <Book*>PyCapsule_GetPointer(book, "mmbot.book")
        cdef const char* start = <const char*>message
        cdef Py_ssize_t i
        self.reading.cursor.at = start
        if not read_message(&self.reading):
            raise_fault(&self.reading.cursor, start, len(message))
        if self.reading.cursor.at != start + len(message) or m.kind != MSG_DEPTH:
            raise ValueError("expected one depthUpdate and nothing behind it")
        for i in range(self.reading.bids.count):
            book_set(target, BID, self.reading.bids.items[i].ticks, self.reading.bids.items[i].lots)
        for i in range(self.reading.asks.count):
            book_set(target, ASK, self.reading.asks.items[i].ticks, self.reading.asks.items[i].lots)
        return (self.message_ms(), m.first_id, m.last_id, m.previous_id)

    cdef inline int64_t message_ms(self) noexcept nogil:
        cdef Message* m = &self.reading.message
        return m.trade_ms if m.seen & HAS_TRADE_MS else m.event_ms

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
            self.first_local = local_ns
        self.last_local = local_ns
        if not read_message(&self.reading):
            return 0
        if c.at != stop:
            return fail(c, c.at, b"expected nothing behind the message")
        return self.dispatch(local_ns)

    cdef int dispatch(self, int64_t local_ns) except -1:
        cdef Message* m = &self.reading.message
        cdef int64_t exch_ns = self.message_ms() * 1_000_000
        if m.seen & HAS_SNAPSHOT_ID:
            if exch_ns == 0:
                # Spot snapshots carry no time: the book is then at least as new as the last event.
                exch_ns = self.last_exch if self.last_exch != INT64_MIN else local_ns
            self.note_times(exch_ns, local_ns)
            return self.on_snapshot(exch_ns, local_ns)
        if m.kind == MSG_OTHER or m.partial:
            self.bookkeeping += 1
            return 1
        if not self.same_symbol():
            return fail(&self.reading.cursor, m.symbol, b"expected one symbol per capture")
        if m.kind == MSG_TRADE:
            return self.on_trade(exch_ns, local_ns)
        self.depth_messages += 1
        self.note_times(exch_ns, local_ns)
        return self.on_depth(exch_ns, local_ns)

    cdef inline void note_times(self, int64_t exch_ns, int64_t local_ns) noexcept nogil:
        self.least_latency = min(self.least_latency, local_ns - exch_ns)
        self.first_exch = min(self.first_exch, exch_ns)
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
        cdef uint32_t flags
        if self.last_trade >= 0 and m.trade_id > self.last_trade + 1:
            self.trade_gaps += m.trade_id - self.last_trade - 1
        self.last_trade = max(self.last_trade, m.trade_id)
        if m.seen & HAS_ORDER_TYPE and not m.market_order:
            # Insurance fund and liquidation transfers: no order in the book was hit.
            self.other_trades += 1
            return 1
        if read_decimal(c, m.price, &self.reading.price, &level.ticks) == NULL:
            return 0
        if read_decimal(c, m.size, &self.reading.size, &level.lots) == NULL:
            return 0
        if level.ticks == 0 or level.lots == 0:
            return fail(c, m.price, b"expected a trade with price and size above zero")
        self.trades += 1
        self.note_times(exch_ns, local_ns)
        if self.surveying:
            self.note_divisors(&one)
            return 1
        flags = KIND_TRADE | (FLAG_SELL if m.seller else FLAG_BUY)
        self.add(&self.out, &one, flags, exch_ns, local_ns)
        return 1

    cdef int on_depth(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Reading* r = &self.reading
        if self.surveying:
            self.note_divisors(&r.bids)
            self.note_divisors(&r.asks)
            return 1
        if self.chained and not self.admit(&r.message, self.line, exch_ns, local_ns):
            if self.waiting:
                self.hold(exch_ns, local_ns)
            return 1
        self.add(&self.out, &r.bids, KIND_DEPTH | FLAG_BUY, exch_ns, local_ns)
        self.add(&self.out, &r.asks, KIND_DEPTH | FLAG_SELL, exch_ns, local_ns)
        return 1

    # Whether a diff is the next one of the book; a gap clears the book on the way.
    cdef int admit(self, Message* m, int64_t line, int64_t exch_ns, int64_t local_ns) except -1:
        cdef bint follows
        if self.waiting:
            return False
        if self.last_id >= 0:
            if m.last_id <= self.last_id:
                self.stale_diffs += 1
                return False
            if self.joining:
                follows = m.first_id <= self.last_id + 1 or (
                    m.seen & HAS_PREVIOUS != 0 and m.previous_id <= self.last_id
                )
            elif m.seen & HAS_PREVIOUS:
                follows = m.previous_id == self.last_id
            else:
                follows = m.first_id == self.last_id + 1
            if not follows:
                self.on_gap(m, line, exch_ns, local_ns)
                if self.waiting:
                    return False
        self.joining = False
        self.last_id = m.last_id
        return True

    cdef int on_gap(self, Message* m, int64_t line, int64_t exch_ns, int64_t local_ns) except -1:
        self.gap_count += 1
        if len(self.gap_list) < MAX_GAPS:
            found = m.previous_id if m.seen & HAS_PREVIOUS else m.first_id - 1
            self.gap_list.append((line, self.last_id, found))
        self.clear_side(FLAG_BUY, LOWEST_TICKS, exch_ns, local_ns)
        self.clear_side(FLAG_SELL, HIGHEST_TICKS, exch_ns, local_ns)
        self.last_id = -1
        self.waiting = self.snapshots_left > 0
        return 0

    cdef int on_snapshot(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Reading* r = &self.reading
        cdef Levels* bids = &r.bids
        cdef Levels* asks = &r.asks
        self.snapshots += 1
        self.snapshots_left -= 1
        if self.surveying:
            self.note_divisors(bids)
            self.note_divisors(asks)
            return 1
        if self.chained and not self.waiting and r.message.last_id <= self.last_id:
            self.stale_snapshots += 1
            return 1
        if bids.count:
            self.clear_side(FLAG_BUY, bids.items[bids.count - 1].ticks, exch_ns, local_ns)
            self.add(&self.out, bids, KIND_SNAPSHOT | FLAG_BUY, exch_ns, local_ns)
        if asks.count:
            self.clear_side(FLAG_SELL, asks.items[asks.count - 1].ticks, exch_ns, local_ns)
            self.add(&self.out, asks, KIND_SNAPSHOT | FLAG_SELL, exch_ns, local_ns)
        self.last_id = r.message.last_id
        self.joining = True
        self.waiting = False
        self.release(local_ns)
        return 1

    # Keep a diff until its snapshot comes; the oldest are given up when there are too many.
    cdef int hold(self, int64_t exch_ns, int64_t local_ns) except -1:
        cdef Held* entry
        cdef Py_ssize_t before
        if self.held_rows.count > MAX_HELD_ROWS:
            self.dropped_diffs += self.held_count
            self.held_count = 0
            self.held_rows.count = 0
        if self.held_count == self.held_capacity:
            entry = <Held*>realloc(self.held, (self.held_capacity * 2 + 64) * sizeof(Held))
            if entry == NULL:
                raise MemoryError("diffs waiting for a snapshot")
            self.held = entry
            self.held_capacity = self.held_capacity * 2 + 64
        before = self.held_rows.count
        self.add(&self.held_rows, &self.reading.bids, KIND_DEPTH | FLAG_BUY, exch_ns, local_ns)
        self.add(&self.held_rows, &self.reading.asks, KIND_DEPTH | FLAG_SELL, exch_ns, local_ns)
        entry = &self.held[self.held_count]
        entry.message = self.reading.message
        entry.line = self.line
        entry.exch_ns = exch_ns
        entry.start = before
        entry.count = self.held_rows.count - before
        self.held_count += 1
        return 0

    # The snapshot is here: the newer of the waiting diffs follow it, known since now.
    cdef int release(self, int64_t local_ns) except -1:
        cdef Held* entry
        cdef Py_ssize_t i, j
        for i in range(self.held_count):
            entry = &self.held[i]
            if not self.admit(&entry.message, entry.line, entry.exch_ns, local_ns):
                if self.waiting:
                    return self.keep_held(i)
                continue
            reserve(&self.out, entry.count)
            for j in range(entry.start, entry.start + entry.count):
                self.out.items[self.out.count] = self.held_rows.items[j]
                self.out.items[self.out.count].local_ns = local_ns
                self.out.count += 1
        self.held_count = 0
        self.held_rows.count = 0
        return 0

    # The chain broke among the waiting diffs: those from `first` on wait for the next snapshot.
    cdef int keep_held(self, Py_ssize_t first) except -1:
        cdef Py_ssize_t start = self.held[first].start
        cdef Py_ssize_t i
        self.held_count -= first
        self.held_rows.count -= start
        memmove(self.held, self.held + first, self.held_count * sizeof(Held))
        memmove(
            self.held_rows.items, self.held_rows.items + start, self.held_rows.count * sizeof(Row)
        )
        for i in range(self.held_count):
            self.held[i].start -= start
        return 0

    cdef int clear_side(
        self, uint32_t side, int64_t ticks, int64_t exch_ns, int64_t local_ns
    ) except -1:
        cdef Level level = Level(ticks, 0)
        cdef Levels one = Levels(&level, 1, 1)
        return self.add(&self.out, &one, KIND_CLEAR | side, exch_ns, local_ns)

    cdef int add(
        self, Rows* rows, const Levels* levels, uint32_t flags, int64_t exch_ns, int64_t local_ns
    ) except -1:
        cdef Row* row
        cdef Py_ssize_t i
        reserve(rows, levels.count)
        for i in range(levels.count):
            row = rows.items + rows.count + i
            row.exch_ns = exch_ns
            row.local_ns = local_ns
            row.ticks = levels.items[i].ticks
            row.lots = levels.items[i].lots
            row.flags = flags
            row.market = self.market
        rows.count += levels.count
        return 0

    cdef void note_divisors(self, const Levels* levels) noexcept nogil:
        # Cannot raise: integer arithmetic on what was read.
        cdef Py_ssize_t i
        for i in range(levels.count):
            if self.price_divisor == 0 or levels.items[i].ticks % self.price_divisor:
                self.price_divisor = gcd(self.price_divisor, levels.items[i].ticks)
            if self.size_divisor == 0 or levels.items[i].lots % self.size_divisor:
                self.size_divisor = gcd(self.size_divisor, levels.items[i].lots)
