"""Native decoding of the venue's order book changes straight into a market's OrderBook."""

cimport cython

include "consts.pxi"
include "book.pxi"

from libc.stdint cimport INT64_MAX, INT64_MIN

from cpython.pycapsule cimport PyCapsule_GetPointer


cdef inline const char* skip_space(const char* p) noexcept nogil:
    while p[0] == c' ' or p[0] == c'\n' or p[0] == c'\t' or p[0] == c'\r':
        p += 1
    return p


include "json_scan.pxi"
include "nord_frame.pxi"


def refuse_repeats(bytes text) -> None:
    """ValueError unless `text` is one JSON value whose objects have each key once.

    Escapes in keys are refused, as is nesting beyond 16: both hide things, and nobody needs them.
    """
    cdef Cursor c
    cdef const char* start = <const char*>text
    c.at = skip_space(start)
    if read_once(&c, 0):
        c.at = skip_space(c.at)
        if c.at == start + len(text):
            return
        fail(&c, c.at, b"expected one JSON value and nothing behind it")
    raise_fault(&c, start, len(text))


# A value at the cursor; 1 read, 0 refused.
cdef int read_once(Cursor* c, int nesting) except -1:
    cdef const char* key = NULL
    cdef Py_ssize_t length = 0
    cdef bint members = c.at[0] == c'{'
    cdef set seen
    if not members and c.at[0] != c'[':
        return skip_value(c, nesting)
    if nesting == MAX_NESTING:
        return fail(c, c.at, b"expected less nesting")
    c.at = skip_space(c.at + 1)
    if c.at[0] == (c'}' if members else c']'):
        c.at += 1
        return 1
    seen = set()
    while True:
        if members:
            if not read_key(c, &key, &length):
                return 0
            name = key[:length]
            if name in seen:
                return fail(c, key, b"expected each key once")
            seen.add(name)
        if not read_once(c, nesting + 1):
            return 0
        c.at = skip_space(c.at)
        if c.at[0] == (c'}' if members else c']'):
            c.at += 1
            return 1
        if not expect(c, c',', b"expected a comma or the end of a list"):
            return 0


cdef Grid grid_from(int price_decimals, int size_decimals) except *:
    if not (0 <= price_decimals <= 12 and 0 <= size_decimals <= 12):
        raise ValueError(f"expected 0 to 12 decimals, found {price_decimals} and {size_decimals}")
    return Grid(price_decimals, size_decimals)


cdef list pairs(const Levels* levels):
    cdef Py_ssize_t i
    return [(levels.items[i].ticks, levels.items[i].lots) for i in range(levels.count)]


@cython.final
cdef class Deltas:
    """Reads delta frames (protocol 4.2) of several markets, one at a time.

    `markets` are (symbol, price decimals, size decimals). `parse` takes a frame to pieces and
    touches no book, so the caller can check the chain of ids first; `apply` then sets the levels.
    """

    cdef:
        Frame frame
        Grid* grids
        dict places
        bint ready

    def __init__(self, markets):
        markets = list(markets)
        free(self.grids)
        self.places = {}
        self.ready = False
        self.grids = <Grid*>malloc(max(len(markets), 1) * sizeof(Grid))
        if self.grids is NULL:
            raise MemoryError
        for symbol, price_decimals, size_decimals in markets:
            name = symbol.encode()
            if name in self.places:
                raise ValueError(f"expected each market once, found {symbol} again")
            self.grids[len(self.places)] = grid_from(price_decimals, size_decimals)
            self.places[name] = len(self.places)

    def __dealloc__(self):
        free(self.grids)
        free(self.frame.bids.items)
        free(self.frame.asks.items)

    def parse(self, bytes frame):
        """Return (market, last_update_id or None, update_id) of one frame; market is its place.

        ValueError, with what was expected and where: anything else than one whole delta of one
        of the markets, with whole ids, prices above zero and sizes of zero or more on their
        grids. Nothing can be applied then.
        """
        cdef Frame* f = &self.frame
        cdef const char* start = <const char*>frame
        self.ready = False
        f.seen = 0
        f.chained = False
        f.bids_at = f.asks_at = NULL
        f.bids.count = f.asks.count = 0
        f.cursor.at = skip_space(start)
        if not self.read_members(False) or not self.read_waiting(start + len(frame)):
            raise_fault(&f.cursor, start, len(frame))
        self.ready = True
        return f.market, f.last_id if f.chained else None, f.update_id

    def apply(self, book) -> None:
        """Set the levels of the frame last parsed in an OrderBook's capsule.

        ValueError: it was refused, or there is none.
        """
        cdef Book* target = <Book*>PyCapsule_GetPointer(book, "mmbot.book")
        cdef Frame* f = &self.frame
        cdef Py_ssize_t i
        if not self.ready:
            raise ValueError("expected a frame that was parsed before")
        for i in range(f.bids.count):
            book_set(target, BID, f.bids.items[i].ticks, f.bids.items[i].lots)
        for i in range(f.asks.count):
            book_set(target, ASK, f.asks.items[i].ticks, f.asks.items[i].lots)

    @property
    def bids(self) -> list[tuple[int, int]]:
        """(ticks, lots) of the frame last parsed, in its order; empty when it was refused."""
        return pairs(&self.frame.bids) if self.ready else []

    @property
    def asks(self) -> list[tuple[int, int]]:
        """The same of the other side."""
        return pairs(&self.frame.asks) if self.ready else []

    # The members of the outer object, or of the delta in it; 1 read, 0 refused.
    cdef int read_members(self, bint inner) except -1:
        cdef Cursor* c = &self.frame.cursor
        cdef const char* key = NULL
        cdef Py_ssize_t length = 0
        cdef int more = 1
        if not expect(c, c'{', b"expected an object"):
            return 0
        if c.at[0] == c'}':
            c.at += 1
            return 1
        while more > 0:
            if not read_key(c, &key, &length):
                return 0
            if not (self.member(key, length) if inner else self.outer_member(key, length)):
                return 0
            more = next_member(c)
        return more == 0

    cdef int outer_member(self, const char* key, Py_ssize_t length) except -1:
        cdef Frame* f = &self.frame
        if not same(key, length, b"delta"):
            return skip_value(&f.cursor, 0)
        return once(&f.cursor, &f.seen, HAS_DELTA) and self.read_members(True)

    cdef int member(self, const char* key, Py_ssize_t length) except -1:
        cdef Frame* f = &self.frame
        cdef Cursor* c = &f.cursor
        if same(key, length, b"update_id"):
            return once(c, &f.seen, HAS_UPDATE) and read_id(c, &f.update_id)
        if same(key, length, b"last_update_id"):
            if not once(c, &f.seen, HAS_LAST):
                return 0
            f.chained = c.at[0] != c'n'
            return read_id(c, &f.last_id) if f.chained else skip_word(c, b"null")
        if same(key, length, b"market_symbol"):
            return once(c, &f.seen, HAS_SYMBOL) and self.read_symbol()
        if same(key, length, b"bids"):
            return once(c, &f.seen, HAS_BIDS) and self.side_member(&f.bids, &f.bids_at)
        if same(key, length, b"asks"):
            return once(c, &f.seen, HAS_ASKS) and self.side_member(&f.asks, &f.asks_at)
        return skip_value(c, 0)

    cdef int read_symbol(self) except -1:
        cdef Cursor* c = &self.frame.cursor
        cdef const char* start = c.at + 1
        if c.at[0] != c'"':
            return fail(c, c.at, b"expected a symbol")
        if not skip_string(c):
            return 0
        found = self.places.get(start[: c.at - start - 1])
        if found is None:
            return fail(c, start, b"expected a symbol of the markets asked for")
        self.frame.market = found
        return 1

    cdef int side_member(self, Levels* levels, const char** waiting) except -1:
        cdef Frame* f = &self.frame
        if f.seen & HAS_SYMBOL:
            return read_side(&f.cursor, &self.grids[f.market], levels)
        waiting[0] = f.cursor.at
        return skip_value(&f.cursor, 0)

    # The outer object is read: is the frame whole, and what of the levels that stood too early?
    cdef int read_waiting(self, const char* end) except -1:
        cdef Frame* f = &self.frame
        f.cursor.at = skip_space(f.cursor.at)
        if f.cursor.at != end:
            return fail(&f.cursor, f.cursor.at, b"expected one frame and nothing behind it")
        if f.seen & NEED_DELTA != NEED_DELTA:
            return fail(&f.cursor, end, b"expected a delta with market_symbol and update_id")
        if f.bids_at != NULL:
            f.cursor.at = f.bids_at
            if not read_side(&f.cursor, &self.grids[f.market], &f.bids):
                return 0
        if f.asks_at != NULL:
            f.cursor.at = f.asks_at
            return read_side(&f.cursor, &self.grids[f.market], &f.asks)
        return 1
