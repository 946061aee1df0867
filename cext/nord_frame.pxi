# What a delta frame of the venue holds (protocol 4.2) and how its numbers become ticks and lots.
# A fault is left in the cursor; see json_scan.pxi.

# JSON numbers are doubles: above this their whole values are no longer exact.
cdef int64_t MOST_STEPS = 1 << 53

cdef enum:
    MAX_ID_DIGITS = 19
    TOLERANCE_PLACES = 6    # a number may lie 1e-6 steps beside its grid, for the noise of doubles
    FAR_EXPONENT = 9999     # beyond any number on a grid; larger exponents mean the same

cdef enum:
    HAS_DELTA = 1 << 0
    HAS_SYMBOL = 1 << 1
    HAS_UPDATE = 1 << 2
    HAS_LAST = 1 << 3
    HAS_BIDS = 1 << 4
    HAS_ASKS = 1 << 5
    HAS_PRICE = 1 << 6
    HAS_SIZE = 1 << 7
    NEED_DELTA = HAS_DELTA | HAS_SYMBOL | HAS_UPDATE

# Decimals of a market's prices and sizes: one tick is 10^-price, one lot 10^-size.
cdef struct Grid:
    int price
    int size

# A number as written: digits x 10^-places.
cdef struct Written:
    uint64_t digits
    int places

# One frame being read. Levels that stand before the symbol wait until their grid is known.
cdef struct Frame:
    Cursor cursor
    uint32_t seen
    int market
    bint chained
    int64_t last_id
    int64_t update_id
    const char* bids_at
    const char* asks_at
    Levels bids
    Levels asks


cdef inline bint once(Cursor* c, uint32_t* seen, uint32_t bit) noexcept nogil:
    if seen[0] & bit:
        return fail(c, c.at, b"expected each key once")
    seen[0] |= bit
    return True


cdef inline bint same(const char* text, Py_ssize_t length, const char* word) noexcept nogil:
    return length == <Py_ssize_t>strlen(word) and memcmp(text, word, length) == 0


# The key and the colon at the cursor; an escape could hide a key that counts, so none is taken.
cdef inline bint read_key(Cursor* c, const char** key, Py_ssize_t* length) noexcept nogil:
    if c.at[0] != c'"':
        return fail(c, c.at, b"expected a key")
    key[0] = c.at + 1
    if not skip_string(c):
        return False
    length[0] = c.at - key[0] - 1
    if memchr(key[0], c'\\', length[0]) != NULL:
        return fail(c, key[0], b"expected a key without escapes")
    return expect(c, c':', b"expected a colon")


# Behind a member: 1 another one follows, 0 the object is over, -1 a fault.
cdef inline int next_member(Cursor* c) noexcept nogil:
    c.at = skip_space(c.at)
    if c.at[0] == c'}':
        c.at += 1
        return 0
    return 1 if expect(c, c',', b"expected a comma or the end of the object") else -1


# A whole number, or the same in quotes (the protocol's pages differ).
cdef inline bint read_id(Cursor* c, int64_t* out) noexcept nogil:
    cdef bint quoted = c.at[0] == c'"'
    cdef const char* start = c.at + 1 if quoted else c.at
    cdef const char* p = start
    cdef uint64_t value = 0
    while c'0' <= p[0] <= c'9' and p - start < MAX_ID_DIGITS:
        value = value * 10 + <uint64_t>(p[0] - 48)
        p += 1
    if p == start or (start[0] == c'0' and p > start + 1) or value > <uint64_t>INT64_MAX:
        return fail(c, start, b"expected an id below 2^63")
    if quoted and p[0] != c'"':
        return fail(c, p, b"expected the closing quote of an id")
    out[0] = <int64_t>value
    c.at = p + 1 if quoted else p
    return True


# `places` of the digits stand behind the point. 18 significant digits are taken, zeros after them.
cdef inline bint read_digits(Cursor* c, Written* number) noexcept nogil:
    cdef const char* start = c.at
    cdef const char* p = start
    cdef uint64_t digits = 0
    cdef int taken, places = 0
    while c'0' <= p[0] <= c'9':
        if p - start == MAX_DIGITS:
            return fail(c, start, b"expected at most 18 digits")
        digits = digits * 10 + <uint64_t>(p[0] - 48)
        p += 1
    if p == start or (start[0] == c'0' and p > start + 1):
        return fail(c, start, b"expected a number of zero or more")
    taken = <int>(p - start) if digits else 0
    if p[0] == c'.':
        p += 1
        if not c'0' <= p[0] <= c'9':
            return fail(c, p, b"expected a digit after the point")
        while c'0' <= p[0] <= c'9':
            if taken < MAX_DIGITS:
                digits = digits * 10 + <uint64_t>(p[0] - 48)
                taken += digits > 0
                places += 1
            elif p[0] != c'0':
                return fail(c, start, b"expected at most 18 digits")
            p += 1
    number.digits = digits
    number.places = places
    c.at = p
    return True


cdef inline bint read_exponent(Cursor* c, Written* number) noexcept nogil:
    cdef const char* p = c.at + 1
    cdef bint down = p[0] == c'-'
    cdef int exponent = 0
    if down or p[0] == c'+':
        p += 1
    if not c'0' <= p[0] <= c'9':
        return fail(c, p, b"expected a digit of an exponent")
    while c'0' <= p[0] <= c'9':
        exponent = min(exponent * 10 + (p[0] - 48), FAR_EXPONENT)
        p += 1
    number.places += exponent if down else -exponent
    c.at = p
    return True


# A price or a size on a grid of `decimals` places, as a number of steps.
cdef inline bint read_steps(Cursor* c, int decimals, int64_t* steps) noexcept nogil:
    cdef const char* start = c.at
    cdef Written number
    cdef uint64_t unit, whole, rest, near = 0
    cdef int over
    if not read_digits(c, &number):
        return False
    if (c.at[0] == c'e' or c.at[0] == c'E') and not read_exponent(c, &number):
        return False
    whole = number.digits
    over = number.places - decimals
    if whole == 0 or over == 0:
        pass
    elif over < 0:
        if over < -MAX_DIGITS or whole > <uint64_t>(MOST_STEPS // POW10[-over]):
            return fail(c, start, b"expected a number below 2^53 steps")
        whole *= <uint64_t>POW10[-over]
    else:
        if over > MAX_DIGITS:
            return fail(c, start, b"expected a number on the grid")
        unit = <uint64_t>POW10[over]
        rest = whole % unit
        whole //= unit
        if over >= TOLERANCE_PLACES:
            near = <uint64_t>POW10[over - TOLERANCE_PLACES]
        if rest > near:
            if unit - rest > near:
                return fail(c, start, b"expected a number on the grid")
            whole += 1
        if whole == 0:
            return fail(c, start, b"expected zero or at least one step")
    if whole > <uint64_t>MOST_STEPS:
        return fail(c, start, b"expected a number below 2^53 steps")
    steps[0] = <int64_t>whole
    return True


# Behind the bracket of [price, size].
cdef inline bint read_pair(Cursor* c, const Grid* grid, Level* level) noexcept nogil:
    c.at = skip_space(c.at)
    if not read_steps(c, grid.price, &level.ticks):
        return False
    if not expect(c, c',', b"expected a comma and a size"):
        return False
    if not read_steps(c, grid.size, &level.lots):
        return False
    c.at = skip_space(c.at)
    if c.at[0] != c']':
        return fail(c, c.at, b"expected the end of a [price, size] pair")
    c.at += 1
    return True


# Behind the brace of {"price":p,"size":s}.
cdef bint read_named_level(Cursor* c, const Grid* grid, Level* level) noexcept nogil:
    cdef uint32_t seen = 0
    cdef const char* key = NULL
    cdef Py_ssize_t length = 0
    cdef int more = 1
    c.at = skip_space(c.at)
    while more > 0:
        if not read_key(c, &key, &length):
            return False
        if same(key, length, b"price"):
            if not once(c, &seen, HAS_PRICE) or not read_steps(c, grid.price, &level.ticks):
                return False
        elif same(key, length, b"size"):
            if not once(c, &seen, HAS_SIZE) or not read_steps(c, grid.size, &level.lots):
                return False
        elif not skip_value(c, 2):
            return False
        more = next_member(c)
    if more == 0 and seen != HAS_PRICE | HAS_SIZE:
        return fail(c, c.at, b"expected a price and a size")
    return more == 0


# A list of levels from its bracket; 1 read, 0 refused.
cdef int read_side(Cursor* c, const Grid* grid, Levels* levels) except -1:
    cdef Level level
    cdef bint named
    levels.count = 0
    if c.at[0] != c'[':
        return fail(c, c.at, b"expected a list of levels")
    c.at = skip_space(c.at + 1)
    if c.at[0] == c']':
        c.at += 1
        return 1
    while True:
        named = c.at[0] == c'{'
        if not named and c.at[0] != c'[':
            return fail(c, c.at, b"expected a level")
        c.at += 1
        if not (read_named_level if named else read_pair)(c, grid, &level):
            return 0
        if level.ticks == 0:
            return fail(c, c.at, b"expected a price above zero")
        if levels.count == levels.capacity:
            grow_levels(levels)
        levels.items[levels.count] = level
        levels.count += 1
        c.at = skip_space(c.at)
        if c.at[0] == c']':
            c.at += 1
            return 1
        if not expect(c, c',', b"expected a comma or the end of the levels"):
            return 0
