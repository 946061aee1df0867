# Every change of a market with owners, in plain C, shared by include after "owners.pxi".
#
# All go through `shown_put`, `owned_add`, `owned_drop`, `owned_size` or `owned_front`: they keep
# totals and index, remember which totals moved and, while there may be an undo, what was before.
from libc.stdlib cimport qsort


cdef int undo_note(Floor* f, int kind, int side, int64_t ticks, int64_t lots, Owned* o) except -1:
    if f.undo_count == f.undo_room:
        f.undo = <Undo*>grown(f.undo, &f.undo_room, sizeof(Undo))
    cdef Undo* u = &f.undo[f.undo_count]
    u.kind = kind
    u.side = side
    u.ticks = ticks
    u.lots = lots
    u.owned = o
    if o is not NULL:
        u.front = o.order.front
        u.traded = o.order.traded
    f.undo_count += 1
    return 0


cdef int total_move(Floor* f, int side, int64_t ticks, int64_t change) except -1:
    # The total at a price grows by `change`; a price in a row is remembered once.
    cdef int64_t before = book_lots(f.total, side, ticks)
    cdef Touch* t = &f.touched[f.touched_count - 1] if f.touched_count > 0 else NULL
    if t is NULL or t.ticks != ticks or t.side != side:
        if f.touched_count == f.touched_room:
            touched_make_room(f)
        t = &f.touched[f.touched_count]
        t.ticks = ticks
        t.lots = before
        t.number = f.touched_count
        t.side = side
        f.touched_count += 1
    if side > 0:
        f.bid_lots += change
    else:
        f.ask_lots += change
    return book_set(f.total, side, ticks, before + change)


cdef int touch_order(const void* one, const void* two) noexcept nogil:
    # Bids before asks, best first, earlier touches of a price first.
    cdef Touch* a = <Touch*>one
    cdef Touch* b = <Touch*>two
    if a.side != b.side:
        return b.side - a.side
    if a.ticks != b.ticks:
        return 1 if (a.ticks < b.ticks) == (a.side > 0) else -1
    return 1 if a.number > b.number else -1


cdef void touched_settle(Floor* f) noexcept:
    # Sort what was touched, once a price, and forget what is as it was.
    cdef int64_t at, kept = 0
    cdef Touch* t
    cdef Touch* last = NULL
    qsort(f.touched, f.touched_count, sizeof(Touch), touch_order)
    for at in range(f.touched_count):
        t = &f.touched[at]
        if last is not NULL and last.ticks == t.ticks and last.side == t.side:
            continue
        f.touched[kept] = t[0]
        last = &f.touched[kept]
        kept += 1
    f.touched_count = 0
    for at in range(kept):
        t = &f.touched[at]
        if book_lots(f.total, t.side, t.ticks) != t.lots:
            f.touched[f.touched_count] = t[0]
            f.touched[f.touched_count].number = f.touched_count
            f.touched_count += 1


cdef int touched_make_room(Floor* f) except -1:
    # The total at the price being touched has not moved yet, so settling keeps it right.
    touched_settle(f)
    if 2 * f.touched_count >= f.touched_room:
        f.touched = <Touch*>grown(f.touched, &f.touched_room, sizeof(Touch))
    return 0


cdef int shown_put(Floor* f, int side, int64_t ticks, int64_t lots) except -1:
    # The displayed size at a price is now `lots`.
    cdef int64_t before = book_lots(f.shown, side, ticks)
    if lots == before:
        return 0
    if f.undoable:
        undo_note(f, UNDO_SHOWN, side, ticks, before, NULL)
    book_set(f.shown, side, ticks, lots)
    return total_move(f, side, ticks, lots - before)


cdef int owned_add(Floor* f, Owned* o) except -1:
    cdef Line* line = line_of(f, o.side)
    if line.count == line.room:
        line.orders = <Owned**>grown(line.orders, &line.room, sizeof(Owned*))
    cdef int64_t at = line_place(line, owned_key(o), o.number)
    index_add(&f.index, o)
    memmove(&line.orders[at + 1], &line.orders[at], (line.count - at) * sizeof(Owned*))
    line.orders[at] = o
    line.count += 1
    if f.undoable:
        undo_note(f, UNDO_ADD, o.side, o.order.ticks, o.order.lots, o)
    return total_move(f, o.side, o.order.ticks, o.order.lots)


cdef int owned_drop(Floor* f, Owned* o) except -1:
    cdef Line* line = line_of(f, o.side)
    cdef int64_t at = line_place(line, owned_key(o), o.number)
    total_move(f, o.side, o.order.ticks, -o.order.lots)
    line.count -= 1
    memmove(&line.orders[at], &line.orders[at + 1], (line.count - at) * sizeof(Owned*))
    index_remove(&f.index, o.order.id)
    if f.undoable:
        return undo_note(f, UNDO_DROP, o.side, o.order.ticks, o.order.lots, o)
    free(o)
    return 0


cdef int owned_size(Floor* f, Owned* o, int64_t lots) except -1:
    # An order of `lots` is left; without any it goes.
    if lots == 0:
        return owned_drop(f, o)
    if f.undoable:
        undo_note(f, UNDO_SIZE, o.side, o.order.ticks, o.order.lots, o)
    total_move(f, o.side, o.order.ticks, lots - o.order.lots)
    o.order.lots = lots
    return 0


cdef int owned_front(Floor* f, Owned* o) except -1:
    # Before front or traded of an order change.
    return undo_note(f, UNDO_FRONT, o.side, 0, 0, o) if f.undoable else 0


cdef int undo_step(Floor* f, Undo* u) except -1:
    cdef Owned* o = u.owned
    if u.kind == UNDO_SHOWN:
        return shown_put(f, u.side, u.ticks, u.lots)
    if u.kind == UNDO_ADD:
        return owned_drop(f, o)
    if u.kind == UNDO_DROP:
        return owned_add(f, o)
    if u.kind == UNDO_SIZE:
        return owned_size(f, o, u.lots)
    o.order.front = u.front
    o.order.traded = u.traded
    return 0


cdef int undo_to(Floor* f, int64_t mark) except -1:
    # Take back everything noted since `mark`, the last first.
    cdef bint undoable = f.undoable
    f.undoable = False
    while f.undo_count > mark:
        f.undo_count -= 1
        undo_step(f, &f.undo[f.undo_count])
    f.undoable = undoable
    return 0


cdef void undo_forget(Floor* f, int64_t mark) noexcept:
    # Nothing since `mark` can be taken back any more.
    while f.undo_count > mark:
        f.undo_count -= 1
        if f.undo[f.undo_count].kind == UNDO_DROP:
            free(f.undo[f.undo_count].owned)
