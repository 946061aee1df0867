# Who trades with whom in a market with owners, in plain C, shared by include after "changes.pxi".
#
# One walk serves users' orders, synthetic takers and displayed size that arrives on the far side of
# resting orders: best price first, at a price in time priority, displayed size in between by the
# orders' fronts. What is traded leaves the book on both sides. Displayed size is the house's.

cdef struct Taker:
    int64_t id               # 0: the house
    int64_t owner
    int64_t key              # worst price on the other side it accepts
    int64_t lots             # still wanted
    bint quoted              # at most `ticklots` may be spent
    bint stopped             # by the self trade rule: its rest must neither trade nor rest
    bint spent               # its money buys nothing more
    wide_t ticklots
    int side


cdef int fill_note(Floor* f, Taker* t, Owned* maker, int64_t ticks, int64_t lots) except -1:
    # `lots` of displayed size, or of the maker if there is one, before they leave the book.
    if f.fill_count == f.fill_room:
        f.fills = <Fill*>grown(f.fills, &f.fill_room, sizeof(Fill))
    cdef Fill* fill = &f.fills[f.fill_count]
    fill.aggressor = t.side
    fill.taker_owner = t.owner
    fill.taker_id = t.id
    fill.maker_id = 0 if maker is NULL else maker.order.id
    fill.maker_owner = 0 if maker is NULL else maker.owner
    fill.ticks = ticks
    fill.lots = lots
    fill.left = book_lots(f.shown, -t.side, ticks) if maker is NULL else maker.order.lots
    fill.left -= lots
    f.fill_count += 1
    if not f.keep_prints:
        return 0
    if f.print_count == f.print_room:
        f.prints = <Print*>grown(f.prints, &f.print_room, sizeof(Print))
    cdef Print* p = &f.prints[f.print_count]
    p.exch_ns = f.now_ns
    p.ticks = ticks
    p.lots = lots
    p.aggressor = t.side
    f.print_count += 1
    return 0


cdef int taker_paid(Taker* t, int64_t ticks, int64_t lots) noexcept nogil:
    t.lots -= lots
    if t.quoted:
        t.ticklots -= <wide_t>ticks * <wide_t>lots
    return 0


cdef int walk_shown(Floor* f, Taker* t, int64_t ticks, int64_t lots) except -1:
    # Trade displayed size; the level must be at least this large.
    if lots == 0:
        return 0
    fill_note(f, t, NULL, ticks, lots)
    taker_paid(t, ticks, lots)
    return shown_put(f, -t.side, ticks, book_lots(f.shown, -t.side, ticks) - lots)


cdef int walk_owned(Floor* f, Taker* t, Owned* maker, int64_t lots) except -1:
    fill_note(f, t, maker, maker.order.ticks, lots)
    taker_paid(t, maker.order.ticks, lots)
    return owned_size(f, maker, maker.order.lots - lots)


cdef int drop_own(Floor* f, Owned* o) except -1:
    # The self trade rule cancels a resting order.
    if f.dropped_count == f.dropped_room:
        f.dropped = <Dropped*>grown(f.dropped, &f.dropped_room, sizeof(Dropped))
    f.dropped[f.dropped_count].id = o.order.id
    f.dropped[f.dropped_count].lots = o.order.lots
    f.dropped_count += 1
    return owned_drop(f, o)


cdef int fronts_eaten(Floor* f, Line* line, int64_t key, int64_t eaten, int64_t traded) except -1:
    # Displayed size traded in front of the orders at a key, `traded` of it still to be announced.
    cdef int64_t at
    cdef Owned* o
    if eaten == 0 and traded == 0:
        return 0
    for at in range(line_level(line, key), line.count):
        o = line.orders[at]
        if owned_key(o) != key:
            break
        owned_front(f, o)
        o.order.front = max(o.order.front - <double>eaten, 0.0)
        o.order.traded += <double>traded
    return 0


cdef int walk_level(Floor* f, Taker* t, int64_t ticks, int64_t wanted) except -1:
    # The best price of a walk; all orders at it are the last of their line.
    cdef Line* line = line_of(f, -t.side)
    cdef int64_t shown = book_lots(f.shown, -t.side, ticks), key = ticks ^ line.flip
    cdef int64_t first = line_level(line, key), eaten = 0, traded = 0, piece
    cdef Owned* o
    while line.count > first and eaten + traded < wanted and not t.stopped:
        o = line.orders[line.count - 1]
        piece = max(min(llround(o.order.front), shown) - eaten, 0)
        piece = min(piece, wanted - eaten - traded)
        walk_shown(f, t, ticks, piece)
        eaten += piece
        piece = min(o.order.lots, wanted - eaten - traded)
        if piece == 0:
            break
        if f.self_trade == SELF_ALLOW or t.owner != o.owner or t.owner == 0:
            walk_owned(f, t, o, piece)
            traded += piece
        elif f.self_trade == SELF_CANCEL_RESTING:
            drop_own(f, o)
        else:
            t.stopped = True
    if not t.stopped:
        piece = min(shown, wanted - traded) - eaten
        walk_shown(f, t, ticks, piece)
        eaten += piece
    return fronts_eaten(f, line, key, eaten, 0)


cdef inline bint crosses(Floor* f, int side, int64_t ticks) noexcept nogil:
    # A price of this side would trade with the other side's best.
    cdef BookSide* other = book_side(f.total, -side)
    return other.levels > 0 and (book_best(f.total, -side) ^ other.flip) <= (ticks ^ other.flip)


cdef int64_t affordable(Taker* t, int64_t ticks) noexcept nogil:
    # Lots the taker may trade at a price: its size, bounded by what its money buys.
    cdef wide_t lots = t.ticklots // <wide_t>ticks if t.quoted else <wide_t>t.lots
    return t.lots if lots > <wide_t>t.lots else <int64_t>lots


cdef int walk(Floor* f, Taker* t) except -1:
    # Trade until nothing is wanted or nothing acceptable is left.
    cdef BookSide* other = book_side(f.total, -t.side)
    cdef int64_t ticks, wanted
    f.dropped_count = 0
    while t.lots > 0 and not t.stopped:
        if other.levels == 0:
            break
        ticks = book_best(f.total, -t.side)
        if (ticks ^ other.flip) > t.key:
            break
        wanted = affordable(t, ticks)
        if wanted == 0:
            t.spent = True
            break
        walk_level(f, t, ticks, wanted)
    return 0


cdef bint complete(Floor* f, Taker* t) noexcept nogil:
    # Nothing more is wanted, or the money buys no lot at the next price or, without one, the last.
    if t.stopped or f.fill_count == 0:
        return False
    if t.lots == 0 or t.spent:
        return True
    return t.quoted and t.ticklots < <wide_t>f.fills[f.fill_count - 1].ticks


cdef bint fill_or_kill(Floor* f, Taker* t) except -1:
    # Walk, and take it all back unless it was complete.
    cdef int64_t mark = f.undo_count, prints = f.print_count
    cdef bint undoable = f.undoable, done
    f.undoable = True
    walk(f, t)
    f.undoable = undoable
    done = complete(f, t)
    if not done:
        undo_to(f, mark)
        f.fill_count = f.dropped_count = 0
        f.print_count = prints
    elif not undoable:
        undo_forget(f, mark)
    return done


cdef int64_t place(Floor* f, Taker* t, int64_t ticks, int mode) except -2:
    # An order arrives and trades; answers the lots that rest, -1 when it may not trade but would.
    cdef Owned* o
    cdef int64_t lots
    f.fill_count = f.dropped_count = 0
    if mode == MODE_FOK:
        fill_or_kill(f, t)
        return 0
    if mode == MODE_POST_ONLY and crosses(f, t.side, ticks):
        return -1
    walk(f, t)
    if mode == MODE_IOC or t.stopped or t.spent:
        return 0
    lots = affordable(t, ticks)
    if lots == 0:
        return 0
    o = <Owned*>calloc(1, sizeof(Owned))
    if o is NULL:
        raise MemoryError
    o.order.id = t.id
    o.order.ticks = ticks
    o.order.lots = lots
    o.order.front = <double>book_lots(f.shown, t.side, ticks)
    o.owner = t.owner
    o.side = t.side
    o.number = f.next_number
    f.next_number += 1
    owned_add(f, o)
    return lots


cdef int shown_queued(Floor* f, int side, int64_t ticks, int64_t lots) except -1:
    # The displayed size at a price is announced as `lots`: the orders there move in their queue.
    cdef Line* line = line_of(f, side)
    cdef int64_t at, key = ticks ^ line.flip, before = book_lots(f.shown, side, ticks)
    cdef Owned* o
    shown_put(f, side, ticks, lots)
    if not line_covers(line, key):
        return 0
    for at in range(line_level(line, key), line.count):
        o = line.orders[at]
        if owned_key(o) != key:
            break
        owned_front(f, o)
        queue_depth(&f.rules, &o.order, <double>before, <double>lots)
        o.order.front = max(o.order.front, 0.0)  # the power model may overshoot
    return 0


cdef int row_depth(Floor* f, int side, int64_t ticks, int64_t lots) except -1:
    # Displayed size that arrives ends older one it crosses and trades with the orders it crosses.
    cdef BookSide* other = book_side(f.shown, -side)
    cdef Taker t
    if lots > 0 and crosses(f, side, ticks):
        while other.levels > 0 and (book_best(f.shown, -side) ^ other.flip) <= (ticks ^ other.flip):
            shown_queued(f, -side, book_best(f.shown, -side), 0)
        memset(&t, 0, sizeof(Taker))
        t.side = side
        t.key = ticks ^ other.flip
        t.lots = lots
        walk(f, &t)
        lots = t.lots
    return shown_queued(f, side, ticks, lots)


cdef int row_trade(Floor* f, Taker* t, int64_t ticks) except -1:
    # A trade that was printed elsewhere reaches the orders here before it is printed: those at
    # better prices at once, those at its price behind the displayed size in front of them.
    cdef Line* line = line_of(f, -t.side)
    cdef int64_t key = ticks ^ line.flip, all_lots = t.lots, passed = 0, piece
    cdef Owned* o
    while t.lots > 0 and line.count > 0:
        o = line.orders[line.count - 1]
        if owned_key(o) > key:
            break
        if owned_key(o) == key:
            piece = min(max(llround(o.order.front) - passed, 0), t.lots)
            passed += piece
            t.lots -= piece
        if t.lots > 0:
            walk_owned(f, t, o, min(t.lots, o.order.lots))
    fronts_eaten(f, line, key, passed, all_lots)
    t.lots += passed
    if t.lots > 0:
        fill_note(f, t, NULL, ticks, t.lots)
        f.fills[f.fill_count - 1].left = book_lots(f.shown, -t.side, ticks)
    return 0


cdef int row_clear(Floor* f, int side, int64_t ticks) except -1:
    # Orders keep their queue positions: a snapshot of the same levels may follow.
    cdef BookSide* s = book_side(f.shown, side)
    while s.levels > 0 and (book_best(f.shown, side) ^ s.flip) <= (ticks ^ s.flip):
        shown_put(f, side, book_best(f.shown, side), 0)
    return 0


cdef int row_check(const Row* row) except -1:
    cdef uint32_t kind = row.flags & KIND_MASK
    if not KIND_DEPTH <= kind <= KIND_TAKE:
        raise ValueError(f"a row of unknown kind {kind}")
    if kind == KIND_CLEAR or kind == KIND_TAKE:
        if kind == KIND_TAKE and row.lots < 0:
            raise ValueError("a taker wants lots")
    elif row.ticks < 1 or row.ticks == NO_ASK or not 0 <= row.lots <= LARGEST:
        raise ValueError("a price is positive, a size 0 to 2^50 lots")
    return 0


cdef int row_apply(Floor* f, const Row* row) except -1:
    # One row of the background market.
    cdef uint32_t kind = row.flags & KIND_MASK
    cdef int side = BID if row.flags & FLAG_BUY else ASK
    cdef Taker t
    f.now_ns = row.exch_ns
    if kind == KIND_DEPTH or kind == KIND_SNAPSHOT:
        return row_depth(f, side, row.ticks, row.lots)
    if kind == KIND_CLEAR:
        return row_clear(f, side, row.ticks)
    memset(&t, 0, sizeof(Taker))
    t.side = side
    t.lots = row.lots
    if kind == KIND_TRADE:
        return row_trade(f, &t, row.ticks)
    t.key = row.ticks ^ book_side(f.total, -side).flip
    return walk(f, &t)
