# How the numbers and price levels of a Binance futures or spot stream are written; json_scan.pxi
# reads the rest. Nothing here raises except for want of memory: a fault is left in the cursor.

cdef enum:
    MSG_OTHER = 0
    MSG_DEPTH = 1
    MSG_TRADE = 2

# Which members a message had.
cdef enum:
    HAS_KIND = 1 << 0
    HAS_EVENT_MS = 1 << 1
    HAS_TRADE_MS = 1 << 2
    HAS_FIRST = 1 << 3
    HAS_LAST = 1 << 4
    HAS_PREVIOUS = 1 << 5
    HAS_TRADE_ID = 1 << 6
    HAS_PRICE = 1 << 7
    HAS_SIZE = 1 << 8
    HAS_MAKER = 1 << 9
    HAS_BIDS = 1 << 10
    HAS_ASKS = 1 << 11
    HAS_SYMBOL = 1 << 12
    HAS_SNAPSHOT_ID = 1 << 13
    HAS_ORDER_TYPE = 1 << 14
    HAS_STREAM = 1 << 15
    HAS_CONTENT = 1 << 16
    NEED_DEPTH = HAS_FIRST | HAS_LAST | HAS_BIDS | HAS_ASKS | HAS_SYMBOL
    NEED_TRADE = HAS_TRADE_ID | HAS_PRICE | HAS_SIZE | HAS_MAKER | HAS_SYMBOL
    NEED_SNAPSHOT = HAS_SNAPSHOT_ID | HAS_BIDS | HAS_ASKS

# A grid step is `step` units of the last of `decimals` decimal places.
cdef struct Scale:
    int decimals
    int64_t step

cdef struct Message:
    uint32_t seen
    int kind
    int64_t event_ms
    int64_t trade_ms
    int64_t first_id
    int64_t last_id
    int64_t previous_id
    int64_t trade_id
    const char* symbol
    Py_ssize_t symbol_length
    const char* price
    const char* size
    bint seller
    bint market_order
    bint partial

# Everything one message needs to be read: grids in, levels out.
cdef struct Reading:
    Cursor cursor
    Message message
    Scale price
    Scale size
    Levels bids
    Levels asks


# From the first digit to the closing quote; NULL when the number is refused.
cdef inline const char* read_decimal(
    Cursor* c, const char* start, const Scale* scale, int64_t* steps
) noexcept nogil:
    cdef:
        const char* p = start
        uint64_t value = 0
        unsigned int digit = <unsigned char>p[0] - 48
        int missing = scale.decimals
        int digits
    while digit <= 9:
        value = value * 10 + digit
        p += 1
        digit = <unsigned char>p[0] - 48
    digits = <int>(p - start)
    if digits == 0:
        fail(c, p, b"expected a decimal number without sign")
        return NULL
    if digits + missing > MAX_DIGITS:
        fail(c, start, b"expected a number of at most 18 digits on its grid")
        return NULL
    if p[0] == c'.':
        p += 1
        digit = <unsigned char>p[0] - 48
        if digit > 9:
            fail(c, p, b"expected a digit after the point")
            return NULL
        while digit <= 9:
            if missing > 0:
                value = value * 10 + digit
                missing -= 1
            elif digit != 0:
                fail(c, start, b"expected a number on the grid")
                return NULL
            p += 1
            digit = <unsigned char>p[0] - 48
    if p[0] != c'"':
        fail(c, p, b"expected the closing quote of a number")
        return NULL
    value *= <uint64_t>POW10[missing]
    if scale.step != 1:
        if value % <uint64_t>scale.step:
            fail(c, start, b"expected a number on the grid")
            return NULL
        value //= <uint64_t>scale.step
    steps[0] = <int64_t>value
    return p + 1


cdef inline bint read_integer(Cursor* c, int64_t* out) noexcept nogil:
    cdef:
        const char* p = c.at
        uint64_t value = 0
        unsigned int digit = <unsigned char>p[0] - 48
    while digit <= 9:
        value = value * 10 + digit
        p += 1
        digit = <unsigned char>p[0] - 48
    if p == c.at or p - c.at > MAX_DIGITS or (c.at[0] == c'0' and p > c.at + 1):
        return fail(c, c.at, b"expected a whole number of at most 18 digits")
    out[0] = <int64_t>value
    c.at = p
    return True


# The 19 digits in front of a message, and the blank behind them.
cdef inline bint read_local(Cursor* c, int64_t* local_ns) noexcept nogil:
    cdef const char* start = c.at
    cdef uint64_t value = 0
    cdef int i
    for i in range(19):
        if not c'0' <= start[i] <= c'9':
            return fail(c, start + i, b"expected 19 digits of local time")
        value = value * 10 + <uint64_t>(start[i] - 48)
    if start[19] != c' ':
        return fail(c, start + 19, b"expected one blank behind the local time")
    if value > 9_000_000_000_000_000_000u:
        return fail(c, start, b"expected local time in nanoseconds")
    local_ns[0] = <int64_t>value
    c.at = start + 20
    return True


# [["61800.10","2.534"],...] from its bracket; 1 read, 0 refused.
cdef int read_levels(Reading* r, Levels* levels) except -1:
    cdef:
        Cursor* c = &r.cursor
        const char* p = skip_space(c.at + 1)
        Level level
    levels.count = 0
    if p[0] == c']':
        c.at = p + 1
        return 1
    while True:
        if p[0] != c'[':
            return fail(c, p, b"expected a [price, size] pair")
        p = skip_space(p + 1)
        if p[0] != c'"':
            return fail(c, p, b"expected a price in quotes")
        p = read_decimal(c, p + 1, &r.price, &level.ticks)
        if p == NULL:
            return 0
        p = skip_space(p)
        if p[0] != c',':
            return fail(c, p, b"expected a comma and a size")
        p = skip_space(p + 1)
        if p[0] != c'"':
            return fail(c, p, b"expected a size in quotes")
        p = read_decimal(c, p + 1, &r.size, &level.lots)
        if p == NULL:
            return 0
        p = skip_space(p)
        if p[0] != c']' or level.ticks == 0:
            return fail(c, p, b"expected a price above zero, a size and a bracket")
        if levels.count == levels.capacity:
            grow_levels(levels)
        levels.items[levels.count] = level
        levels.count += 1
        p = skip_space(p + 1)
        if p[0] == c']':
            c.at = p + 1
            return 1
        if p[0] != c',':
            return fail(c, p, b"expected a comma or the end of the levels")
        p = skip_space(p + 1)
