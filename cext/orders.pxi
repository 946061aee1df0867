# Resting orders of one market at the exchange and when they fill, in plain C, shared by include.
# Include "consts.pxi" and "book.pxi" before it, "arrivals.pxi" and "takers.pxi" after it.
#
# The own orders of a side are kept best price first, earlier arrival first. They never change the
# book. `front` is the quantity in lots that must trade before an order is reached. A depth event
# changes the book first, then the queues at its price, then fills what the other best has reached.
from libc.math cimport isnan, llround, pow
from libc.stdint cimport INT64_MAX

cdef enum:
    QUEUE_RISK = 0           # only trades move the queue, and the displayed size caps it
    QUEUE_POWER = 1          # cancels count too, more of them behind the higher the power
    QUEUE_PROBABILISTIC = 2  # random arrivals instead of a queue; optimistic

cdef enum:
    MODE_LIMIT = 0           # as mmbot.domain.order.FillMode
    MODE_POST_ONLY = 1
    MODE_IOC = 2
    MODE_FOK = 3
    MODE_REDUCE_ONLY = 4     # may be added to any of them

cdef enum:
    KIND_ACCEPTED = 1
    KIND_FILLED = 2
    KIND_CANCELLED = 3
    KIND_EXPIRED = 4
    KIND_CANCEL_REFUSED = 5
    KIND_REJECTED = 6

cdef enum:
    CAUSE_NONE = 0
    CAUSE_QUEUE = 1          # a trade at the order's price reached it
    CAUSE_THROUGH = 2        # a trade beyond the order's price
    CAUSE_CROSS = 3          # the book's other side reached the order's price
    CAUSE_TAKER = 4          # the order crossed on arrival
    CAUSE_ARRIVAL = 5        # drawn by the probabilistic model

cdef struct Order:
    int64_t id
    int64_t ticks
    int64_t lots             # still open
    double front
    double traded            # at this price since its last depth event (power)
    double hazard            # accumulated so far (probabilistic)
    double threshold         # hazard at which it fills
    double rate              # hazard per nanosecond since the mid last moved
    int64_t due_ns           # when it fills at this rate

cdef struct OrderSide:
    int64_t flip             # key = ticks ^ flip grows from good to bad, as in the book
    int64_t first            # key of the best order, NO_KEY without orders
    int64_t last             # key of the worst order, NO_BID without orders
    Order* orders
    int64_t count
    int64_t room

cdef struct Report:
    int kind
    int side
    int maker
    int cause
    int64_t id
    int64_t ticks
    int64_t lots
    int64_t leaves

cdef struct Print:
    int64_t exch_ns
    int64_t ticks
    int64_t lots
    int aggressor

cdef struct Rules:
    int queue
    bint partial             # a queue fill takes what the trade brings; else always the whole order
    bint prints              # record the executions of KIND_TAKE rows
    double power
    double arrivals_per_ns
    double decay_per_bps
    uint64_t seed

cdef struct Matcher:
    Book* book
    Rules* rules
    OrderSide bids
    OrderSide asks
    Report* reports
    int64_t report_count
    int64_t report_room
    Print* prints
    int64_t print_count
    int64_t print_room
    int64_t position         # of all own fills, signed
    int64_t traded_lots      # by everybody: public trades and executions of takers
    double traded_ticklots   # the same, each times its price
    int64_t rates_ns         # probabilistic: time up to which hazard is accumulated
    int64_t rates_mid        # and the mid of the rates, half ticks
    int64_t due_ns           # and when the first order fills at these rates


cdef inline int row_side(Row* row) noexcept nogil:
    return BID if row.flags & FLAG_BUY else ASK


cdef int rules_set(Rules* rules, str queue, tuple numbers) except -1:
    # Which queue model and its numbers; ValueError when they do not belong together.
    names = ("risk", "power", "probabilistic")
    if queue not in names or len(numbers) != (0, 1, 3)[names.index(queue)]:
        raise ValueError("queue: risk (), power (n,) or probabilistic (A per s, k per bps, seed)")
    rules.queue = names.index(queue)
    if rules.queue == QUEUE_POWER:
        rules.power = numbers[0]
        if not rules.power > 0:
            raise ValueError("the power of the queue model must be above 0")
    elif rules.queue == QUEUE_PROBABILISTIC:
        rules.arrivals_per_ns = numbers[0] * 1e-9
        rules.decay_per_bps = numbers[1]
        rules.seed = <uint64_t>numbers[2]
    return 0


cdef void* grown(void* items, int64_t* room, size_t size) except NULL:
    # `items` with its room doubled.
    cdef int64_t wanted = 2 * room[0] if room[0] > 0 else 16
    cdef void* more = realloc(items, wanted * size)
    if more is NULL:
        raise MemoryError
    room[0] = wanted
    return more


cdef int matcher_open(Matcher* m, Rules* rules) except -1:
    # `m` must be zeroed memory.
    m.rules = rules
    m.bids.flip = -1
    m.bids.first = m.asks.first = NO_KEY
    m.bids.last = m.asks.last = NO_BID
    m.due_ns = INT64_MAX
    m.book = book_new()
    m.book.uncross = True
    return 0


cdef void matcher_close(Matcher* m) noexcept:
    book_free(m.book)
    free(m.bids.orders)
    free(m.asks.orders)
    free(m.reports)
    free(m.prints)


cdef inline OrderSide* order_side(Matcher* m, int side) noexcept nogil:
    return &m.bids if side > 0 else &m.asks


cdef inline void side_bounds(OrderSide* s) noexcept nogil:
    s.first = s.orders[0].ticks ^ s.flip if s.count > 0 else NO_KEY
    s.last = s.orders[s.count - 1].ticks ^ s.flip if s.count > 0 else NO_BID


cdef void side_drop(OrderSide* s, int64_t at) noexcept nogil:
    s.count -= 1
    memmove(&s.orders[at], &s.orders[at + 1], (s.count - at) * sizeof(Order))
    side_bounds(s)


cdef int side_insert(OrderSide* s, Order* order) except -1:
    cdef int64_t at = s.count, key = order.ticks ^ s.flip
    if s.count == s.room:
        s.orders = <Order*>grown(s.orders, &s.room, sizeof(Order))
    while at > 0 and (s.orders[at - 1].ticks ^ s.flip) > key:
        at -= 1
    memmove(&s.orders[at + 1], &s.orders[at], (s.count - at) * sizeof(Order))
    s.orders[at] = order[0]
    s.count += 1
    side_bounds(s)
    return 0


cdef int64_t side_find(OrderSide* s, int64_t id) noexcept nogil:
    cdef int64_t at
    for at in range(s.count):
        if s.orders[at].id == id:
            return at
    return -1


cdef int report(Matcher* m, int kind, int side, Order* order, int64_t lots) except -1:
    if m.report_count == m.report_room:
        m.reports = <Report*>grown(m.reports, &m.report_room, sizeof(Report))
    cdef Report* r = &m.reports[m.report_count]
    r.kind = kind
    r.side = side
    r.id = order.id
    r.ticks = order.ticks
    r.lots = lots
    r.leaves = order.lots
    r.maker = 0
    r.cause = CAUSE_NONE
    if kind == KIND_FILLED:
        m.position += side * lots
    m.report_count += 1
    return 0


cdef int fill_maker(Matcher* m, int side, int64_t at, int64_t lots, int cause) except -1:
    # Fill `lots` of the order at this place; it leaves the table when nothing is left of it.
    cdef OrderSide* s = order_side(m, side)
    s.orders[at].lots -= lots
    report(m, KIND_FILLED, side, &s.orders[at], lots)
    m.reports[m.report_count - 1].maker = 1
    m.reports[m.report_count - 1].cause = cause
    if s.orders[at].lots == 0:
        side_drop(s, at)
    return 0


cdef int fill_taker(Matcher* m, int side, Order* order, int64_t ticks, int64_t lots) except -1:
    order.lots -= lots
    report(m, KIND_FILLED, side, order, lots)
    m.reports[m.report_count - 1].ticks = ticks
    m.reports[m.report_count - 1].cause = CAUSE_TAKER
    return 0


cdef int fill_reached(Matcher* m, int side, int64_t key, int cause) except -1:
    # Fill whole every order of the side at `key` or better.
    cdef OrderSide* s = order_side(m, side)
    while s.first <= key and s.count > 0:
        fill_maker(m, side, 0, s.orders[0].lots, cause)
    return 0


cdef void queue_depth(Rules* rules, Order* order, double before, double after) noexcept nogil:
    # The displayed size at the order's price went from `before` to `after`.
    cdef double change, back, behind, ahead, share, moved
    if rules.queue == QUEUE_POWER:
        change = before - after - order.traded
        order.traded = 0
        if change >= 0:
            back = before - order.front
            behind = pow(back, rules.power)
            ahead = pow(order.front, rules.power)
            if behind == 0 and ahead == 0:
                order.front = after
                return
            share = behind / (behind + ahead) if behind + ahead != 0 else 1
            moved = back - share * change
            moved = order.front - (1 - share) * change + (moved if moved < 0 else 0)
            order.front = after if isnan(moved) or moved > after else moved
            return
    if order.front > after:
        order.front = after


cdef int depth_queues(Matcher* m, int side, int64_t ticks, int64_t before, int64_t after) except -1:
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t at
    for at in range(s.count):
        if s.orders[at].ticks == ticks:
            queue_depth(m.rules, &s.orders[at], <double>before, <double>after)
    return 0


cdef inline int match_depth(Matcher* m, int side, int64_t ticks, int64_t lots) except -1:
    # The displayed size at a price is now `lots`.
    cdef OrderSide* own = order_side(m, side)
    cdef OrderSide* other = order_side(m, -side)
    cdef int64_t key = ticks ^ own.flip, before
    if own.first <= key and key <= own.last:
        before = book_lots(m.book, side, ticks)
        book_set(m.book, side, ticks, lots)
        depth_queues(m, side, ticks, before, lots)
    else:
        book_set(m.book, side, ticks, lots)
    if other.first <= (book_best(m.book, side) ^ other.flip):
        fill_reached(m, -side, book_best(m.book, side) ^ other.flip, CAUSE_CROSS)
    return 0


cdef int trade_queue(Matcher* m, int side, int64_t at, int64_t lots, bint* gone) except -1:
    # A trade at the order's price: fill what it brings beyond the front, at least half a lot.
    cdef Order* order = &order_side(m, side).orders[at]
    cdef int64_t reached
    order.front -= lots
    order.traded += lots
    reached = llround(-order.front)
    gone[0] = False
    if reached < 1 or m.rules.queue == QUEUE_PROBABILISTIC:
        return 0
    if not m.rules.partial or reached >= order.lots:
        gone[0] = True
        return fill_maker(m, side, at, order.lots, CAUSE_QUEUE)
    order.front = 0
    return fill_maker(m, side, at, reached, CAUSE_QUEUE)


cdef int trade_orders(Matcher* m, int side, int64_t key, int64_t lots) except -1:
    cdef OrderSide* s = order_side(m, side)
    cdef int64_t at = 0
    cdef bint gone
    # No order rests at or past the book's other best, so all of these stand on their own side.
    if s.first < key:
        fill_reached(m, side, key - 1, CAUSE_THROUGH)
    while at < s.count and (s.orders[at].ticks ^ s.flip) == key:
        trade_queue(m, side, at, lots, &gone)
        if not gone:
            at += 1
    return 0


cdef inline int match_trade(Matcher* m, int aggressor, int64_t ticks, int64_t lots) except -1:
    # A public trade: every own order sees all of it.
    cdef OrderSide* s = order_side(m, -aggressor)
    if s.first <= (ticks ^ s.flip):
        trade_orders(m, -aggressor, ticks ^ s.flip, lots)
    return 0
