# Orders that arrive at the exchange, in plain C, shared by include after "orders.pxi".
#
# Own orders meet the displayed book and leave it as it is. Synthetic takers (KIND_TAKE) meet
# displayed size and own orders in price-time priority and eat what they trade.


cdef int sweep(Matcher* m, int side, Order* order, bint at_limit) except -1:
    # Take displayed levels from the best on, those at the limit's own price only if asked.
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t ticks = book_best(m.book, -side), limit = order.ticks ^ s.flip, key
    while order.lots > 0:
        key = ticks ^ s.flip
        if limit > key or (limit == key and not at_limit):
            break
        fill_taker(m, side, order, ticks, min(order.lots, book_lots(m.book, -side, ticks)))
        ticks = book_next(m.book, -side, ticks)
    return 0


cdef int64_t shown_within(Matcher* m, int side, int64_t limit, int64_t enough) noexcept nogil:
    # Displayed lots a taker of `side` reaches at its limit or better; stops counting at `enough`.
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t ticks = book_best(m.book, -side), lots = 0
    while lots < enough and (limit ^ s.flip) <= (ticks ^ s.flip):
        lots += book_lots(m.book, -side, ticks)
        ticks = book_next(m.book, -side, ticks)
    return lots


cdef int arrive_crossing(Matcher* m, int side, Order* order, int mode) except -1:
    if mode == MODE_POST_ONLY:
        return report(m, KIND_EXPIRED, side, order, 0)
    if not m.rules.partial:
        return fill_taker(m, side, order, book_best(m.book, -side), order.lots)
    if mode == MODE_LIMIT:
        # The rest trades at the limit whatever is shown there; a sale first takes that level apart.
        sweep(m, side, order, side < 0)
        if order.lots > 0:
            fill_taker(m, side, order, order.ticks, order.lots)
        return 0
    if mode == MODE_FOK and shown_within(m, side, order.ticks, order.lots) < order.lots:
        return report(m, KIND_EXPIRED, side, order, 0)
    sweep(m, side, order, True)
    if order.lots > 0:
        report(m, KIND_EXPIRED, side, order, 0)
    return 0


cdef int match_submit(
    Matcher* m, int64_t id, int side, int64_t ticks, int64_t lots, int mode
) except -1:
    # An own order arrives: it crosses, rests behind what is displayed, or expires. One that may
    # only reduce is refused unless the whole of it does; once it rests nobody looks again.
    cdef OrderSide* s = order_side(m, side)
    cdef Order order
    memset(&order, 0, sizeof(Order))
    order.id = id
    order.ticks = ticks
    order.lots = lots
    order.due_ns = INT64_MAX
    if side_find(&m.bids, id) >= 0 or side_find(&m.asks, id) >= 0:
        return report(m, KIND_REJECTED, side, &order, 0)
    if mode & MODE_REDUCE_ONLY and lots > -side * m.position:
        return report(m, KIND_REJECTED, side, &order, 0)
    mode &= ~MODE_REDUCE_ONLY
    if (ticks ^ s.flip) <= (book_best(m.book, -side) ^ s.flip):
        return arrive_crossing(m, side, &order, mode)
    if mode == MODE_IOC or mode == MODE_FOK:
        return report(m, KIND_EXPIRED, side, &order, 0)
    order.front = <double>book_lots(m.book, side, ticks)
    if m.rules.queue == QUEUE_PROBABILISTIC:
        order.threshold = -log(unit_draw(m.rules.seed, <uint64_t>id))
        m.rates_mid = 0
    side_insert(s, &order)
    return report(m, KIND_ACCEPTED, side, &order, 0)


cdef int match_cancel(Matcher* m, int64_t id) except -1:
    # Take the order out if it still rests, refuse otherwise.
    cdef int side = BID
    cdef int64_t at = side_find(&m.bids, id)
    cdef Order order
    if at < 0:
        side = ASK
        at = side_find(&m.asks, id)
    if at < 0:
        memset(&order, 0, sizeof(Order))
        order.id = id
        return report(m, KIND_CANCEL_REFUSED, BID, &order, 0)
    report(m, KIND_CANCELLED, side, &order_side(m, side).orders[at], 0)
    side_drop(order_side(m, side), at)
    return 0


cdef inline void count_trade(Matcher* m, int64_t ticks, int64_t lots) noexcept nogil:
    m.traded_lots += lots
    m.traded_ticklots += <double>ticks * <double>lots


cdef int take_print(Matcher* m, Row* row, int64_t ticks, int64_t lots) except -1:
    count_trade(m, ticks, lots)
    if not m.rules.prints or lots == 0:
        return 0
    if m.print_count == m.print_room:
        m.prints = <Print*>grown(m.prints, &m.print_room, sizeof(Print))
    cdef Print* p = &m.prints[m.print_count]
    p.exch_ns = row.exch_ns
    p.ticks = ticks
    p.lots = lots
    p.aggressor = row_side(row)
    m.print_count += 1
    return 0


cdef int64_t take_own(Matcher* m, Row* row, int64_t at, int64_t lots) except -1:
    # Trade with the own order at this place; answers the lots traded.
    cdef int side = -row_side(row)
    cdef int64_t traded = min(lots, order_side(m, side).orders[at].lots)
    if traded > 0:
        take_print(m, row, order_side(m, side).orders[at].ticks, traded)
        fill_maker(m, side, at, traded, CAUSE_QUEUE)
    return traded


cdef int64_t take_level(Matcher* m, Row* row, int64_t ticks, int64_t lots) except -1:
    # The best price of a taker's walk, in time priority; answers the lots it still wants.
    cdef int side = -row_side(row)
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t shown = book_lots(m.book, side, ticks), eaten = 0, piece, at = 0, before
    while lots > 0 and at < s.count and s.orders[at].ticks == ticks:
        piece = min(lots, max(llround(s.orders[at].front) - eaten, 0))
        take_print(m, row, ticks, piece)
        eaten += piece
        lots -= piece
        before = s.count
        lots -= take_own(m, row, at, lots)
        if s.count == before:
            at += 1
    piece = min(lots, max(shown - eaten, 0))
    take_print(m, row, ticks, piece)
    eaten += piece
    for at in range(s.count):
        if s.orders[at].ticks == ticks:
            s.orders[at].front = max(s.orders[at].front - <double>eaten, 0.0)
    book_set(m.book, side, ticks, max(shown - eaten, 0))
    return lots - piece


cdef int match_take(Matcher* m, Row* row) except -1:
    # A taker walks displayed size and own orders up to its limit; what it eats leaves the book.
    cdef int side = -row_side(row)
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t key, worst = row.ticks ^ s.flip, lots = row.lots
    while lots > 0:
        key = min(book_best(m.book, side) ^ s.flip, s.first)
        if key > worst or key == NO_KEY:
            break
        lots = take_level(m, row, key ^ s.flip, lots)
    return 0


cdef inline int match_row(Matcher* m, Row* row) except -1:
    # One row of the exchange's stream.
    cdef uint32_t kind = row.flags & KIND_MASK
    if kind == KIND_DEPTH or kind == KIND_SNAPSHOT:
        return match_depth(m, row_side(row), row.ticks, row.lots)
    if kind == KIND_TRADE:
        count_trade(m, row.ticks, row.lots)
        return match_trade(m, row_side(row), row.ticks, row.lots)
    if kind == KIND_CLEAR:
        book_clear_to(m.book, row_side(row), row.ticks)
    elif kind == KIND_TAKE:
        match_take(m, row)
    return 0


cdef inline int match_event(Matcher* m, Row* row) except -1:
    # A row and, in the probabilistic model, the time that passes before it.
    if m.rules.queue != QUEUE_PROBABILISTIC:
        return match_row(m, row)
    if row.exch_ns >= m.due_ns:
        match_due(m, row.exch_ns)
    match_row(m, row)
    match_rates(m, row.exch_ns)
    return 0
