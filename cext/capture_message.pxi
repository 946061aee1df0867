# What the members of a message mean; see capture_scan.pxi for how they are read.

cdef int64_t LATEST_MS = 9_000_000_000_000


cdef inline bint first_time(Reading* r, uint32_t bit) noexcept nogil:
    if r.message.seen & bit:
        return fail(&r.cursor, r.cursor.at, b"expected each key once")
    r.message.seen |= bit
    return True


# A member that is a number in the messages we know; other kinds may use the name for anything.
cdef inline bint number_member(Reading* r, uint32_t bit, int64_t* out) noexcept nogil:
    if not c'0' <= r.cursor.at[0] <= c'9':
        return skip_value(&r.cursor, 2)
    return first_time(r, bit) and read_integer(&r.cursor, out)


cdef inline bint text_member(
    Reading* r, uint32_t bit, const char** start, Py_ssize_t* length
) noexcept nogil:
    cdef const char* open_quote = r.cursor.at
    if not skip_value(&r.cursor, 2):
        return False
    if open_quote[0] != c'"':
        return True
    start[0] = open_quote + 1
    length[0] = r.cursor.at - open_quote - 2
    return first_time(r, bit)


cdef inline bint equals(const char* text, Py_ssize_t length, const char* word) noexcept nogil:
    return length == <Py_ssize_t>strlen(word) and memcmp(text, word, length) == 0


cdef bint kind_member(Reading* r) noexcept nogil:
    cdef const char* text = NULL
    cdef Py_ssize_t length = 0
    if not text_member(r, HAS_KIND, &text, &length):
        return False
    if equals(text, length, b"depthUpdate"):
        r.message.kind = MSG_DEPTH
    elif equals(text, length, b"trade"):
        r.message.kind = MSG_TRADE
    return True


# "btcusdt@depth20@100ms" repeats the best 20 levels: it is no list of changes.
cdef bint stream_member(Reading* r) noexcept nogil:
    cdef const char* text = NULL
    cdef const char* mark
    cdef Py_ssize_t length = 0
    if not text_member(r, HAS_STREAM, &text, &length):
        return False
    mark = <const char*>memchr(text, c'@', length) if text != NULL else NULL
    if mark != NULL and text + length - mark > 6 and memcmp(mark, b"@depth", 6) == 0:
        r.message.partial = c'0' <= mark[6] <= c'9'
    return True


cdef int levels_member(Reading* r, uint32_t bit, Levels* levels) except -1:
    if r.cursor.at[0] != c'[':
        return skip_value(&r.cursor, 2)
    if not first_time(r, bit):
        return 0
    return read_levels(r, levels)


cdef bint flag_member(Reading* r) noexcept nogil:
    if r.cursor.at[0] != c't' and r.cursor.at[0] != c'f':
        return skip_value(&r.cursor, 2)
    r.message.seller = r.cursor.at[0] == c't'
    return first_time(r, HAS_MAKER) and skip_value(&r.cursor, 2)


cdef bint order_type_member(Reading* r) noexcept nogil:
    cdef const char* text = NULL
    cdef Py_ssize_t length = 0
    if not text_member(r, HAS_ORDER_TYPE, &text, &length):
        return False
    r.message.market_order = text != NULL and equals(text, length, b"MARKET")
    return True


cdef int letter_member(Reading* r, char key) except -1:
    cdef Message* m = &r.message
    cdef Py_ssize_t length = 0
    if key == c'e':
        return kind_member(r)
    if key == c'E':
        return number_member(r, HAS_EVENT_MS, &m.event_ms)
    if key == c'T':
        return number_member(r, HAS_TRADE_MS, &m.trade_ms)
    if key == c's':
        return text_member(r, HAS_SYMBOL, &m.symbol, &m.symbol_length)
    if key == c'U':
        return number_member(r, HAS_FIRST, &m.first_id)
    if key == c'u':
        return number_member(r, HAS_LAST, &m.last_id)
    if key == c't':
        return number_member(r, HAS_TRADE_ID, &m.trade_id)
    if key == c'p':
        return text_member(r, HAS_PRICE, &m.price, &length)
    if key == c'q':
        return text_member(r, HAS_SIZE, &m.size, &length)
    if key == c'm':
        return flag_member(r)
    if key == c'X':
        return order_type_member(r)
    if key == c'b':
        return levels_member(r, HAS_BIDS, &r.bids)
    if key == c'a':
        return levels_member(r, HAS_ASKS, &r.asks)
    return skip_value(&r.cursor, 2)


cdef int member(Reading* r, const char* key, Py_ssize_t length, bint inner) except -1:
    if length == 1:
        return letter_member(r, key[0])
    if equals(key, length, b"pu"):
        return number_member(r, HAS_PREVIOUS, &r.message.previous_id)
    if inner:
        return skip_value(&r.cursor, 2)
    if equals(key, length, b"stream"):
        return stream_member(r)
    if equals(key, length, b"data") and r.cursor.at[0] == c'{':
        return first_time(r, HAS_CONTENT) and read_object(r, True)
    if equals(key, length, b"lastUpdateId"):
        return number_member(r, HAS_SNAPSHOT_ID, &r.message.last_id)
    if equals(key, length, b"bids"):
        return levels_member(r, HAS_BIDS, &r.bids)
    if equals(key, length, b"asks"):
        return levels_member(r, HAS_ASKS, &r.asks)
    return skip_value(&r.cursor, 2)


# One JSON object from its brace; 1 read, 0 refused.
cdef int read_object(Reading* r, bint inner) except -1:
    cdef Cursor* c = &r.cursor
    cdef const char* key
    cdef Py_ssize_t length
    if not expect(c, c'{', b"expected a JSON object"):
        return 0
    if c.at[0] == c'}':
        c.at += 1
        return 1
    while True:
        if c.at[0] != c'"':
            return fail(c, c.at, b"expected a key")
        key = c.at + 1
        if not skip_string(c):
            return 0
        length = c.at - key - 1
        if not expect(c, c':', b"expected a colon") or not member(r, key, length, inner):
            return 0
        c.at = skip_space(c.at)
        if c.at[0] == c'}':
            c.at += 1
            return 1
        if not expect(c, c',', b"expected a comma or the end of the object"):
            return 0


# The whole message at the cursor, which is left behind it; 1 read, 0 refused.
cdef int read_message(Reading* r) except -1:
    cdef Message* m = &r.message
    memset(m, 0, sizeof(Message))
    r.cursor.why = NULL
    r.bids.count = 0
    r.asks.count = 0
    if not read_object(r, False):
        return 0
    r.cursor.at = skip_space(r.cursor.at)
    return check_members(r)


cdef bint check_members(Reading* r) noexcept nogil:
    cdef uint32_t seen = r.message.seen
    cdef bint timed = seen & (HAS_TRADE_MS | HAS_EVENT_MS) != 0
    if r.message.event_ms > LATEST_MS or r.message.trade_ms > LATEST_MS:
        return fail(&r.cursor, r.cursor.at, b"expected times in milliseconds")
    if r.message.kind == MSG_DEPTH and (seen & NEED_DEPTH != NEED_DEPTH or not timed):
        return fail(&r.cursor, r.cursor.at, b"expected T, s, U, u, b and a in a depthUpdate")
    if r.message.kind == MSG_TRADE and (seen & NEED_TRADE != NEED_TRADE or not timed):
        return fail(&r.cursor, r.cursor.at, b"expected T, s, t, p, q and m in a trade")
    if seen & HAS_SNAPSHOT_ID and (seen & NEED_SNAPSHOT != NEED_SNAPSHOT or seen & HAS_KIND):
        return fail(&r.cursor, r.cursor.at, b"expected lastUpdateId, bids and asks in a snapshot")
    return True


# The matching engine's time where there is one; spot diffs have the time of sending only.
cdef inline int64_t message_ms(const Message* m) noexcept nogil:
    return m.trade_ms if m.seen & HAS_TRADE_MS else m.event_ms
