# Rows from the 64-byte rows of an events file, and to and from the packed columns of a tape block.
from libc.math cimport fabs, llround

cdef struct EventRow:
    uint64_t flags
    int64_t exch_ns
    int64_t local_ns
    double price
    double size
    uint64_t order_id
    int64_t number
    double value

# Doubles hold whole numbers exactly up to here.
cdef double EXACT = 9007199254740992.0

cdef enum:
    COLUMNS = 5


cdef bint grid_steps(double value, const Scale* scale, int64_t* steps) noexcept nogil:
    cdef double scaled = value * <double>POW10[scale.decimals]
    cdef int64_t whole
    if not (scaled >= 0.0 and scaled < EXACT):
        return False
    whole = llround(scaled)
    if fabs(scaled - <double>whole) > 1e-6 + scaled * 1e-15 or whole % scale.step:
        return False
    steps[0] = whole // scale.step
    return True


@cython.final
cdef class EventDecoder:
    """Rows of an events file (64 bytes, prices and sizes as doubles) to rows of ours, in order.

    `grid` is as in Decoder; nothing is rounded but the noise of a double.
    `survey` writes no rows and finds the common divisors of prices and sizes. O(1) per row.
    """

    cdef:
        Scale price
        Scale size
        Rows out
        uint32_t market
        bint surveying
        int64_t last_exch
        int64_t last_local
        int64_t price_divisor
        int64_t size_divisor
        readonly int64_t count

    def __init__(self, grid, uint32_t market=0, bint survey=False):
        self.price = scale_from(grid[0])
        self.size = scale_from(grid[1])
        self.market = market
        self.surveying = survey
        self.last_exch = INT64_MIN
        self.last_local = INT64_MIN

    def __dealloc__(self):
        free(self.out.items)

    @property
    def divisors(self) -> tuple[int, int]:
        """Common divisors of the prices and of the sizes that a survey has seen, in grid steps."""
        return (self.price_divisor, self.size_divisor)

    def feed(self, bytes events) -> bytes:
        """Convert whole event rows.

        ValueError: not whole rows, an unknown kind, a number off its grid, or time going back;
        `count` is then the number of the row at fault, from 0.
        """
        cdef const EventRow* given = <const EventRow*><const char*>events
        cdef Py_ssize_t i
        if len(events) % sizeof(EventRow):
            raise ValueError(f"expected whole rows of 64 bytes, found {len(events)} bytes")
        reserve(&self.out, 2 * (len(events) // sizeof(EventRow)))
        for i in range(<Py_ssize_t>(len(events) // sizeof(EventRow))):
            self.convert(&given[i])
            self.count += 1
        return take_rows(&self.out)

    cdef int convert(self, const EventRow* event) except -1:
        cdef uint32_t flags = event.flags & 0xFFFFFFFFu
        cdef uint32_t kind = flags & KIND_MASK
        cdef Row row
        if event.flags >> 32 or flags & ~(KIND_MASK | STREAMS | SIDES) or not flags & STREAMS:
            raise ValueError(f"expected known flags, found {event.flags:#x}")
        if not KIND_DEPTH <= kind <= KIND_SNAPSHOT:
            raise ValueError(f"expected depth, trade, clear or snapshot, found kind {kind}")
        self.check_time(event, flags)
        row.exch_ns = event.exch_ns
        row.local_ns = event.local_ns
        row.flags = flags
        row.market = self.market
        row.ticks = 0
        row.lots = 0
        if kind == KIND_CLEAR and not flags & SIDES:
            self.put(&row, FLAG_BUY, LOWEST_TICKS)
            self.put(&row, FLAG_SELL, HIGHEST_TICKS)
            return 0
        if flags & SIDES == 0 or flags & SIDES == SIDES:
            raise ValueError(f"expected one side, found flags {flags:#x}")
        if not grid_steps(event.price, &self.price, &row.ticks):
            raise ValueError(f"expected a price on the grid, found {event.price!r}")
        if not grid_steps(event.size, &self.size, &row.lots):
            raise ValueError(f"expected a size on the grid, found {event.size!r}")
        self.put(&row, 0, row.ticks)
        return 0

    cdef int check_time(self, const EventRow* event, uint32_t flags) except -1:
        if flags & FLAG_EXCH:
            if event.exch_ns < self.last_exch:
                raise ValueError(
                    f"exchange time goes back from {self.last_exch} to {event.exch_ns}"
                )
            self.last_exch = event.exch_ns
        if flags & FLAG_LOCAL:
            if event.local_ns < self.last_local:
                raise ValueError(
                    f"local time goes back from {self.last_local} to {event.local_ns}"
                )
            self.last_local = event.local_ns
        return 0

    cdef void put(self, Row* row, uint32_t side, int64_t ticks) noexcept:
        # Cannot raise: feed has reserved two rows for each.
        row.ticks = ticks
        row.flags |= side
        if self.surveying:
            self.price_divisor = gcd(self.price_divisor, row.ticks)
            self.size_divisor = gcd(self.size_divisor, row.lots)
            return
        self.out.items[self.out.count] = row[0]
        self.out.count += 1
        row.flags &= ~side


cdef inline uint64_t zigzag(int64_t value) noexcept nogil:
    return (<uint64_t>value << 1) ^ <uint64_t>(value >> 63)


cdef inline int64_t unzigzag(uint64_t value) noexcept nogil:
    return <int64_t>((value >> 1) ^ (0 - (value & 1)))


cdef inline unsigned char* put_varint(unsigned char* p, uint64_t value) noexcept nogil:
    while value >= 128:
        p[0] = <unsigned char>(value | 128)
        value >>= 7
        p += 1
    p[0] = <unsigned char>value
    return p + 1


# The value at p[0] and p[0] moved behind it; a number cut by `end` or too long leaves NULL there.
cdef inline uint64_t get_varint(const unsigned char** p, const unsigned char* end) noexcept nogil:
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef const unsigned char* at = p[0]
    while at != NULL and at < end and shift < 64:
        value |= <uint64_t>(at[0] & 127) << shift
        if at[0] < 128:
            p[0] = at + 1
            return value
        at += 1
        shift += 7
    p[0] = NULL
    return 0


# What the next row's columns are relative to; ticks follow the last row of the same side.
cdef struct Previous:
    int64_t exch_ns
    int64_t latency_ns
    int64_t ticks[2]


cdef inline int64_t less(int64_t a, int64_t b) noexcept nogil:
    return <int64_t>(<uint64_t>a - <uint64_t>b)


cdef inline int64_t plus(int64_t a, int64_t b) noexcept nogil:
    return <int64_t>(<uint64_t>a + <uint64_t>b)


def pack_rows(bytes rows) -> bytes:
    """Write rows as five columns of varints, mostly differences, behind their five lengths.

    The columns: flags, exchange time, latency, ticks, lots (docs/tape-format.md). The market is
    not kept. ValueError: not whole rows, or flags with bits that have no meaning.
    """
    cdef Py_ssize_t count = row_count(rows), i
    cdef const Row* given = <const Row*><const char*>rows
    cdef unsigned char* room = <unsigned char*>malloc(COLUMNS * (count * 10 + 1))
    cdef unsigned char* column[COLUMNS]
    cdef unsigned char* at[COLUMNS]
    cdef Previous last
    cdef int64_t latency
    cdef int side, k
    if room == NULL:
        raise MemoryError(f"columns of {count} rows")
    memset(&last, 0, sizeof(last))
    try:
        for k in range(COLUMNS):
            column[k] = at[k] = room + k * count * 10
        for i in range(count):
            if given[i].flags & ~(KIND_MASK | STREAMS | SIDES):
                raise ValueError(f"expected known flags in row {i}, found {given[i].flags:#x}")
            side = given[i].flags & FLAG_BUY != 0
            latency = less(given[i].local_ns, given[i].exch_ns)
            at[0] = put_varint(at[0], (given[i].flags & KIND_MASK) << 4 | given[i].flags >> 28)
            at[1] = put_varint(at[1], zigzag(less(given[i].exch_ns, last.exch_ns)))
            at[2] = put_varint(at[2], zigzag(less(latency, last.latency_ns)))
            at[3] = put_varint(at[3], zigzag(less(given[i].ticks, last.ticks[side])))
            at[4] = put_varint(at[4], zigzag(given[i].lots))
            last.exch_ns = given[i].exch_ns
            last.latency_ns = latency
            last.ticks[side] = given[i].ticks
        parts = [column[k][: at[k] - column[k]] for k in range(COLUMNS)]
        return b"".join([len(part).to_bytes(4, "little") for part in parts] + parts)
    finally:
        free(room)


def unpack_rows(bytes packed, Py_ssize_t count, uint32_t market) -> bytes:
    """Read `count` rows written by pack_rows, giving them a market.

    ValueError: the columns do not hold exactly that many rows.
    """
    cdef const unsigned char* start = <const unsigned char*><const char*>packed
    cdef const unsigned char* stop = start + len(packed)
    cdef const unsigned char* at[COLUMNS]
    cdef const unsigned char* end[COLUMNS]
    cdef Previous last
    cdef Rows out
    cdef Py_ssize_t i
    cdef int k
    memset(&out, 0, sizeof(out))
    memset(&last, 0, sizeof(last))
    # A row takes five bytes at least: never reserve room for a count that cannot be true.
    if count < 0 or len(packed) < 4 * COLUMNS or len(packed) - 4 * COLUMNS < 5 * count:
        raise ValueError(f"expected the columns of {count} rows, found {len(packed)} bytes")
    end[0] = start + 4 * COLUMNS
    for k in range(COLUMNS):
        at[k] = end[k - 1] if k else end[0]
        length = int.from_bytes(packed[4 * k : 4 * k + 4], "little")
        if length > stop - at[k]:
            raise ValueError(f"expected column {k} of {length} bytes, found {stop - at[k]}")
        end[k] = at[k] + <Py_ssize_t>length
    try:
        reserve(&out, count)
        for i in range(count):
            unpack_row(out.items + i, at, end, &last)
            out.items[i].market = market
        for k in range(COLUMNS):
            if at[k] != end[k]:
                raise ValueError(f"expected the end of column {k} behind {count} rows")
        out.count = count
        return take_rows(&out)
    finally:
        free(out.items)


cdef inline void unpack_row(
    Row* row, const unsigned char** at, const unsigned char** end, Previous* last
) noexcept nogil:
    # Cannot raise: a cut column leaves a NULL, which the caller finds at its end.
    cdef uint64_t code = get_varint(&at[0], end[0])
    cdef int side
    row.flags = <uint32_t>((code & 15) << 28 | (code >> 4) & KIND_MASK)
    side = row.flags & FLAG_BUY != 0
    last.exch_ns = plus(last.exch_ns, unzigzag(get_varint(&at[1], end[1])))
    last.latency_ns = plus(last.latency_ns, unzigzag(get_varint(&at[2], end[2])))
    last.ticks[side] = plus(last.ticks[side], unzigzag(get_varint(&at[3], end[3])))
    row.exch_ns = last.exch_ns
    row.local_ns = plus(last.exch_ns, last.latency_ns)
    row.ticks = last.ticks[side]
    row.lots = unzigzag(get_varint(&at[4], end[4]))


def split_rows(bytes rows, Py_ssize_t markets) -> list[bytes]:
    """Sort rows by market, order kept; one entry for each of `markets`, maybe empty.

    ValueError: not whole rows, or a market that is none of them.
    """
    cdef Py_ssize_t count = row_count(rows), i, start = 0
    cdef const Row* given = <const Row*><const char*>rows
    parts = [[] for _ in range(markets)]
    for i in range(count):
        if <Py_ssize_t>given[i].market >= markets:
            raise ValueError(
                f"expected a market below {markets} in row {i}, found {given[i].market}"
            )
        if i + 1 == count or given[i + 1].market != given[i].market:
            parts[given[i].market].append(rows[start * sizeof(Row) : (i + 1) * sizeof(Row)])
            start = i + 1
    return [b"".join(part) for part in parts]
