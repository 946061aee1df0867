# A market with owners as bytes and back, shared by include after "changes.pxi".
import struct

_HEADER = struct.Struct("<8sBqqqqq")
_LEVEL = struct.Struct("<bqq")
_RESTING = struct.Struct("<bqqqqdd")
_MAGIC = b"mmclob1\n"


cdef bytes floor_dump(Floor* f):
    # The same bytes for the same state: displayed levels, what changed, orders in their order.
    cdef list parts = []
    cdef int64_t at, ticks
    cdef Owned* o
    cdef Touch* t
    touched_settle(f)
    for side in (BID, ASK):
        ticks = book_best(f.shown, side)
        for at in range(book_side(f.shown, side).levels):
            parts.append(_LEVEL.pack(side, ticks, book_lots(f.shown, side, ticks)))
            ticks = book_next(f.shown, side, ticks)
    for at in range(f.touched_count):
        t = &f.touched[at]
        parts.append(_LEVEL.pack(t.side, t.ticks, t.lots))
    for side in (BID, ASK):
        for at in range(line_of(f, side).count - 1, -1, -1):
            o = line_of(f, side).orders[at]
            parts.append(_RESTING.pack(side, o.order.id, o.owner, o.order.ticks, o.order.lots,
                                      o.order.front, o.order.traded))
    header = _HEADER.pack(_MAGIC, f.self_trade, f.now_ns, f.shown.bids.levels,
                         f.shown.asks.levels, f.touched_count, f.index.used)
    return header + b"".join(parts)


cdef int load_levels(Floor* f, bytes saved, int64_t start, int64_t end) except -1:
    for side, ticks, lots in _LEVEL.iter_unpack(saved[start:end]):
        if side not in (BID, ASK) or ticks < 1 or not 0 < lots <= LARGEST:
            raise ValueError("saved market: a displayed level that cannot be")
        shown_put(f, side, ticks, lots)
    return 0


cdef int load_touched(Floor* f, bytes saved, int64_t start, int64_t end) except -1:
    cdef Touch* t
    f.touched_count = 0
    for side, ticks, lots in _LEVEL.iter_unpack(saved[start:end]):
        if f.touched_count == f.touched_room:
            f.touched = <Touch*>grown(f.touched, &f.touched_room, sizeof(Touch))
        t = &f.touched[f.touched_count]
        t.side = side
        t.ticks = ticks
        t.lots = lots
        t.number = f.touched_count
        f.touched_count += 1
    return 0


cdef int load_orders(Floor* f, bytes saved, int64_t start) except -1:
    cdef Owned* o
    for side, id, owner, ticks, lots, front, traded in _RESTING.iter_unpack(saved[start:]):
        if side not in (BID, ASK) or id < 1 or owner < 0 or ticks < 1 or not 0 < lots <= LARGEST:
            raise ValueError("saved market: an order that cannot be")
        if not 0 <= front <= LARGEST or not 0 <= traded < 2.0**63:
            raise ValueError("saved market: an order with an impossible place")
        if index_find(&f.index, id) is not NULL:
            raise ValueError("saved market: an order twice")
        o = <Owned*>calloc(1, sizeof(Owned))
        if o is NULL:
            raise MemoryError
        o.order.id = id
        o.order.ticks = ticks
        o.order.lots = lots
        o.order.front = front
        o.order.traded = traded
        o.owner = owner
        o.side = side
        o.number = f.next_number
        f.next_number += 1
        owned_add(f, o)
    return 0


cdef int floor_load(Floor* f, bytes saved) except -1:
    # Fill an empty market with what floor_dump gave; ValueError for anything else.
    if len(saved) < _HEADER.size:
        raise ValueError("saved market: cut off")
    magic, rule, now_ns, bids, asks, touched, orders = _HEADER.unpack_from(saved)
    if magic != _MAGIC or not SELF_ALLOW <= rule <= SELF_CANCEL_TAKER:
        raise ValueError("saved market: not a market")
    if min(bids, asks, touched, orders) < 0:
        raise ValueError("saved market: counts below 0")
    levels_end = _HEADER.size + (bids + asks) * _LEVEL.size
    touched_end = levels_end + touched * _LEVEL.size
    if len(saved) != touched_end + orders * _RESTING.size:
        raise ValueError("saved market: the size does not fit the counts")
    load_levels(f, saved, _HEADER.size, levels_end)
    load_orders(f, saved, touched_end)
    load_touched(f, saved, levels_end, touched_end)
    if f.total.bids.levels and f.total.asks.levels and f.total.best_bid >= f.total.best_ask:
        raise ValueError("saved market: crossed")
    f.self_trade = rule
    f.now_ns = now_ns
    return 0
