# A strict scanner for the messages of a Binance futures or spot stream, whatever their key order.
# A block of text ends in NUL, so every loop stops at a byte it does not accept; nothing here raises
# except for want of memory: a fault is left in the cursor, with its place.
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strlen

cdef enum:
    MAX_DIGITS = 18
    MAX_NESTING = 16

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

cdef int64_t[19] POW10
POW10[0] = 1
cdef int _power
for _power in range(1, 19):
    POW10[_power] = POW10[_power - 1] * 10

# A grid step is `step` units of the last of `decimals` decimal places.
cdef struct Scale:
    int decimals
    int64_t step

cdef struct Level:
    int64_t ticks
    int64_t lots

cdef struct Levels:
    Level* items
    Py_ssize_t count
    Py_ssize_t capacity

cdef struct Cursor:
    const char* at
    const char* why

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


cdef inline bint fail(Cursor* c, const char* at, const char* why) noexcept nogil:
    c.at = at
    c.why = why
    return False


cdef inline const char* skip_space(const char* p) noexcept nogil:
    while p[0] == c' ' or p[0] == c'\t' or p[0] == c'\r':
        p += 1
    return p


cdef inline bint expect(Cursor* c, char mark, const char* why) noexcept nogil:
    cdef const char* p = skip_space(c.at)
    if p[0] != mark:
        return fail(c, p, why)
    c.at = skip_space(p + 1)
    return True


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


# At a backslash; leaves the cursor behind the escape.
cdef bint skip_escape(Cursor* c) noexcept nogil:
    cdef const char* p = c.at + 1
    cdef int i
    if p[0] == c'u':
        for i in range(1, 5):
            if not (c'0' <= p[i] <= c'9' or c'a' <= p[i] <= c'f' or c'A' <= p[i] <= c'F'):
                return fail(c, p + i, b"expected four hexadecimal digits")
        c.at = p + 5
        return True
    if p[0] not in (c'"', c'\\', c'/', c'b', c'f', c'n', c'r', c't'):
        return fail(c, p, b"expected an escape of JSON")
    c.at = p + 1
    return True


# At the opening quote; leaves the cursor behind the closing one.
cdef inline bint skip_string(Cursor* c) noexcept nogil:
    cdef const char* p = c.at + 1
    while p[0] != c'"':
        if <unsigned char>p[0] < 32:
            return fail(c, p, b"expected the end of a string")
        if p[0] == c'\\':
            c.at = p
            if not skip_escape(c):
                return False
            p = c.at
        else:
            p += 1
    c.at = p + 1
    return True


cdef inline const char* skip_digits(const char* p) noexcept nogil:
    while c'0' <= p[0] <= c'9':
        p += 1
    return p


cdef bint skip_number(Cursor* c) noexcept nogil:
    cdef const char* whole = c.at + 1 if c.at[0] == c'-' else c.at
    cdef const char* p = skip_digits(whole)
    cdef const char* part
    if p == whole or (whole[0] == c'0' and p > whole + 1):
        return fail(c, whole, b"expected a value")
    if p[0] == c'.':
        part = p + 1
        p = skip_digits(part)
        if p == part:
            return fail(c, p, b"expected a digit")
    if p[0] == c'e' or p[0] == c'E':
        part = p + 2 if p[1] == c'+' or p[1] == c'-' else p + 1
        p = skip_digits(part)
        if p == part:
            return fail(c, p, b"expected a digit")
    c.at = p
    return True


cdef bint skip_word(Cursor* c, const char* word) noexcept nogil:
    cdef size_t length = strlen(word)
    cdef size_t i
    for i in range(length):
        if c.at[i] != word[i]:
            return fail(c, c.at, b"expected a value")
    c.at += length
    return True


cdef bint skip_value(Cursor* c, int nesting) noexcept nogil:
    cdef char first = c.at[0]
    if first == c'"':
        return skip_string(c)
    if first == c'{' or first == c'[':
        return skip_nested(c, nesting)
    if first == c't':
        return skip_word(c, b"true")
    if first == c'f':
        return skip_word(c, b"false")
    if first == c'n':
        return skip_word(c, b"null")
    return skip_number(c)


cdef bint skip_nested(Cursor* c, int nesting) noexcept nogil:
    cdef bint members = c.at[0] == c'{'
    cdef char close = c'}' if members else c']'
    if nesting == MAX_NESTING:
        return fail(c, c.at, b"expected less nesting")
    c.at = skip_space(c.at + 1)
    if c.at[0] == close:
        c.at += 1
        return True
    while True:
        if members:
            if c.at[0] != c'"':
                return fail(c, c.at, b"expected a key")
            if not skip_string(c) or not expect(c, c':', b"expected a colon"):
                return False
        if not skip_value(c, nesting + 1):
            return False
        c.at = skip_space(c.at)
        if c.at[0] == close:
            c.at += 1
            return True
        if not expect(c, c',', b"expected a comma or the end of a list"):
            return False


cdef int grow_levels(Levels* levels) except -1:
    cdef Py_ssize_t capacity = levels.capacity * 2 + 256
    cdef Level* items = <Level*>realloc(levels.items, capacity * sizeof(Level))
    if items == NULL:
        raise MemoryError("price levels of one message")
    levels.items = items
    levels.capacity = capacity
    return 0


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
