# What the replay waits for, in plain C, shared by include after "orders.pxi": latencies, messages under way,
# mids due after a fill, and the two cursors of a market's rows.

from libc.string cimport memcpy

cdef extern from *:
    """
    #define UNKNOWN_NS INT64_MIN
    """
    int64_t UNKNOWN_NS       # a cursor's next time when it needs rows

cdef struct Soonest:
    int64_t ns
    int64_t market
    int64_t rival_ns         # the soonest of the other markets

cdef struct Latency:
    int64_t* at
    int64_t* delay
    int64_t count
    bint drawn
    uint64_t seed
    uint64_t draws

cdef struct Request:
    int64_t due_ns
    int64_t id
    int64_t ticks
    int64_t lots
    int market
    int side                 # 0 is a cancel
    int mode

cdef struct Response:
    int64_t due_ns
    int64_t exch_ns
    int64_t mid
    int64_t fill
    int market
    Report report

cdef struct Fifo:
    char* items
    size_t size
    int64_t head
    int64_t count
    int64_t room
    int64_t last_ns          # no message overtakes: the latest due time given out

cdef struct Filled:
    int64_t number
    int64_t exch_ns

cdef struct Mark:
    int64_t due_ns
    int64_t fill
    int64_t horizon
    int64_t mid
    bint matured

cdef struct Marks:
    int64_t* horizons
    int64_t* reached         # per horizon: the first fill not sampled yet
    int64_t horizon_count
    Filled* fills
    int64_t count
    int64_t room
    int64_t due_ns

cdef struct Market:
    Matcher matcher
    Book* local
    Row* rows                # followed by one row at INT64_MAX that both streams see
    int64_t count
    int64_t room
    int64_t exch_at
    int64_t local_at
    bint last
    int64_t exch_seen_ns     # times of the last row fed, per stream
    int64_t local_seen_ns
    int64_t book_exch_ns     # stamps of the last row the local book saw
    int64_t book_local_ns
    int64_t mid
    Marks marks


cdef inline Soonest soonest(int64_t* times, int64_t count) noexcept nogil:
    cdef Soonest s
    cdef int64_t i
    s.ns = times[0]
    s.market = 0
    s.rival_ns = INT64_MAX
    for i in range(1, count):
        if times[i] < s.ns:
            s.rival_ns = s.ns
            s.ns = times[i]
            s.market = i
        elif times[i] < s.rival_ns:
            s.rival_ns = times[i]
    return s


cdef int latency_set(Latency* l, list pairs, object seed) except -1:
    # Keep (time, delay) pairs; the caller has checked that there is one.
    cdef int64_t i
    free(l.at)
    free(l.delay)
    l.count = len(pairs)
    l.at = <int64_t*>malloc(l.count * sizeof(int64_t))
    l.delay = <int64_t*>malloc(l.count * sizeof(int64_t))
    if l.at is NULL or l.delay is NULL:
        raise MemoryError
    for i in range(l.count):
        l.at[i], l.delay[i] = pairs[i]
        if l.delay[i] < 0 or (i > 0 and l.at[i] < l.at[i - 1]):
            raise ValueError(f"latency row {i}: times must not go back, delays not be negative")
    l.drawn = seed is not None
    l.seed = <uint64_t>seed if l.drawn else 0
    l.draws = 0
    return 0


cdef int64_t latency_at(Latency* l, int64_t now) noexcept:
    cdef int64_t low = 0, high = l.count, middle
    cdef double slope
    if l.drawn:
        l.draws += 1
        return l.delay[mixed(mixed(l.seed) ^ l.draws) % <uint64_t>l.count]
    while low < high:
        middle = (low + high) >> 1
        if l.at[middle] <= now:
            low = middle + 1
        else:
            high = middle
    if low == 0 or low == l.count:
        return l.delay[0] if low == 0 else l.delay[l.count - 1]
    slope = <double>(l.delay[low] - l.delay[low - 1]) / <double>(l.at[low] - l.at[low - 1])
    return l.delay[low - 1] + <int64_t>(slope * <double>(now - l.at[low - 1]))


cdef void* fifo_push(Fifo* q, int64_t due_ns) except NULL:
    # Room for a message due then, or later if one before it is; its first field is that time.
    cdef int64_t* slot
    if q.count == q.room and q.head > q.room >> 1:
        memmove(q.items, q.items + q.head * q.size, (q.count - q.head) * q.size)
        q.count -= q.head
        q.head = 0
    if q.count == q.room:
        q.items = <char*>grown(q.items, &q.room, q.size)
    slot = <int64_t*>(q.items + q.count * q.size)
    q.count += 1
    q.last_ns = max(q.last_ns, due_ns)
    slot[0] = q.last_ns
    return slot


cdef inline int64_t fifo_due(Fifo* q) noexcept nogil:
    return (<int64_t*>(q.items + q.head * q.size))[0] if q.head < q.count else INT64_MAX


cdef inline void* fifo_pop(Fifo* q) noexcept nogil:
    # Valid until the next push.
    q.head += 1
    return q.items + (q.head - 1) * q.size


cdef void marks_next(Marks* k) noexcept nogil:
    cdef int64_t h
    k.due_ns = INT64_MAX
    for h in range(k.horizon_count):
        if k.reached[h] < k.count:
            k.due_ns = min(k.due_ns, k.fills[k.reached[h]].exch_ns + k.horizons[h])


cdef int marks_add(Marks* k, int64_t number, int64_t exch_ns) except -1:
    cdef int64_t h, done = k.count
    if k.horizon_count == 0:
        return 0
    if k.count == k.room:
        for h in range(k.horizon_count):
            done = min(done, k.reached[h])
        if 2 * done > k.room:
            memmove(k.fills, k.fills + done, (k.count - done) * sizeof(Filled))
            k.count -= done
            for h in range(k.horizon_count):
                k.reached[h] -= done
        else:
            k.fills = <Filled*>grown(k.fills, &k.room, sizeof(Filled))
    k.fills[k.count].number = number
    k.fills[k.count].exch_ns = exch_ns
    k.count += 1
    marks_next(k)
    return 0


cdef inline int64_t market_mid(Market* m) noexcept nogil:
    # Best bid + best ask at the exchange, half ticks; the last known while a side is empty.
    cdef Book* book = m.matcher.book
    if book.best_bid != NO_BID and book.best_ask != NO_ASK:
        m.mid = book.best_bid + book.best_ask
    return m.mid


cdef inline int64_t market_settle(Market* m, bint exchange) noexcept nogil:
    # Time of a cursor's next row: INT64_MAX at the end, UNKNOWN_NS when rows must be fed first.
    cdef int64_t at = m.exch_at if exchange else m.local_at
    cdef uint32_t flag = FLAG_EXCH if exchange else FLAG_LOCAL
    while at < m.count and not m.rows[at].flags & flag:
        at += 1
    if exchange:
        m.exch_at = at
    else:
        m.local_at = at
    if at == m.count:
        return INT64_MAX if m.last else UNKNOWN_NS
    return m.rows[at].exch_ns if exchange else m.rows[at].local_ns


cdef int row_check(Market* m, const Row* row) except -1:
    # Refuse what no reader may produce, naming what is wrong.
    cdef uint32_t kind = row.flags & KIND_MASK
    if kind < KIND_DEPTH or kind > KIND_TAKE:
        raise ValueError(f"unknown kind of row {kind}")
    if row.lots < 0 or row.ticks == NO_BID or row.ticks == NO_ASK:
        raise ValueError("a size is negative or a price out of range")
    if row.flags & FLAG_EXCH:
        if row.exch_ns < m.exch_seen_ns:
            raise ValueError(f"exchange time goes back from {m.exch_seen_ns} to {row.exch_ns}")
        m.exch_seen_ns = row.exch_ns
    if row.flags & FLAG_LOCAL:
        if row.local_ns < m.local_seen_ns:
            raise ValueError(f"local time goes back from {m.local_seen_ns} to {row.local_ns}")
        m.local_seen_ns = row.local_ns
    return 0


cdef int market_feed(Market* m, const Row* rows, int64_t count) except -1:
    # Append rows, after dropping those both cursors have passed.
    cdef int64_t done = min(m.exch_at, m.local_at), wanted, i
    cdef Row* kept
    for i in range(count):
        row_check(m, &rows[i])
    m.count -= done
    m.exch_at -= done
    m.local_at -= done
    if done > 0:
        memmove(m.rows, m.rows + done, m.count * sizeof(Row))
    wanted = m.count + count + 1
    if wanted > m.room:
        kept = <Row*>realloc(m.rows, wanted * sizeof(Row))
        if kept is NULL:
            raise MemoryError
        m.rows = kept
        m.room = wanted
    memcpy(m.rows + m.count, rows, count * sizeof(Row))
    m.count += count
    m.rows[m.count].exch_ns = INT64_MAX
    m.rows[m.count].local_ns = INT64_MAX
    m.rows[m.count].flags = FLAG_EXCH | FLAG_LOCAL
    return 0


cdef void market_close(Market* m) noexcept:
    matcher_close(&m.matcher)
    free(m.rows)
    free(m.marks.horizons)
    free(m.marks.reached)
    free(m.marks.fills)
