# A market's rows and the cursors of its two streams, in plain C, shared by include.
# Include "marks.pxi" before it.
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
    int64_t told_ns          # the book_local_ns last told
    int64_t bought_ticks     # highest price takers bought at since it was last told; 0 none
    int64_t sold_ticks       # lowest price they sold at
    int64_t bought_lots
    int64_t sold_lots
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


cdef inline int64_t book_mid(Book* book) noexcept nogil:
    # Best bid + best ask, half ticks; 0 while a side is missing.
    if book.best_bid == NO_BID or book.best_ask == NO_ASK:
        return 0
    return book.best_bid + book.best_ask


cdef inline int64_t market_mid(Market* m) noexcept nogil:
    # Best bid + best ask at the exchange, half ticks. The other side stands in for an
    # empty one; 0 when both are empty.
    cdef Book* book = m.matcher.book
    if book.best_bid == NO_BID and book.best_ask == NO_ASK:
        return 0
    if book.best_bid == NO_BID:
        return 2 * book.best_ask
    if book.best_ask == NO_ASK:
        return 2 * book.best_bid
    return book.best_bid + book.best_ask


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


cdef inline void hear_trade(Market* m, Row* row) noexcept nogil:
    if row_side(row) == BID:
        m.bought_ticks = max(m.bought_ticks, row.ticks)
        m.bought_lots += row.lots
    else:
        m.sold_ticks = min(m.sold_ticks, row.ticks) if m.sold_ticks else row.ticks
        m.sold_lots += row.lots


cdef inline object take_heard(Market* m):
    # The highest price takers bought at since the last call, the lowest they sold at, 0 for none,
    # and lots bought and sold; None when nobody traded.
    if not m.bought_lots and not m.sold_lots:
        return None
    heard = (m.bought_ticks, m.sold_ticks, m.bought_lots, m.sold_lots)
    m.bought_ticks = m.sold_ticks = m.bought_lots = m.sold_lots = 0
    return heard


cdef inline tuple book_news(Market* m):
    # Stamps of the last row the local book saw, its mid, and what takers did; then it is told.
    m.told_ns = m.book_local_ns
    return m.book_exch_ns, m.book_local_ns, book_mid(m.local), take_heard(m)
