# Which orders serve the levels wanted, so that only the rest is cancelled and placed.

cdef enum Mark:
    FREE
    BARRED
    PAIRED


cdef struct Rest:
    int64_t ticks
    int64_t lots
    int side
    Py_ssize_t at
    Mark mark


# An order fits a level when its price is strictly between `above` and `below` and within
# `price_ratio` of the level's, `growth` times as much at every level further out, and its lots are
# off by at most the ratios `down` and `up` of the level's.
cdef struct Fit:
    int64_t above
    int64_t below
    double price_ratio
    double growth
    double down
    double up


def pair(list orders, tuple bids, tuple asks, tuple slack):
    """Find an order for each level; returns (orders, bids, asks): what is left without another.

    orders: anything with `side`, `ticks` and `leaves`; bids, asks: (ticks, lots) pairs, best
    first. slack: (price_ratio, down, bid_up, ask_up, growth): a fitting order of the level's side
    is off its price by at most `price_ratio` of it, `growth` times as much at every level further
    out, off its lots by at most the ratios `down` and that side's `up`, and never in the way of
    the best level of the other side. A level takes its first fitting order from the best outwards,
    each order once, and levels that find an order at exactly their price choose first: else a
    neighbour within tolerance could take it from them. Orders come back best first, those of equal
    price as they came, bids before asks.
    """
    cdef Py_ssize_t count = len(orders), bid_levels = len(bids), levels = bid_levels + len(asks)
    cdef Py_ssize_t bid_orders, at
    if len(slack) != 5:
        raise ValueError(f"five numbers of slack, not {len(slack)}")
    cdef Rest* rests = <Rest*>PyMem_Malloc((count + levels + 1) * sizeof(Rest))
    cdef Rest* wants = rests + count
    cdef Fit fit = Fit(0, INT64_MAX, slack[0], slack[4], slack[1], slack[2])
    if rests is NULL:
        raise MemoryError
    try:
        bid_orders = rank_orders(orders, rests)
        for at in range(levels):
            level = bids[at] if at < bid_levels else asks[at - bid_levels]
            # A named pair is no tuple to an unpacking, which would go through an iterator.
            wants[at].ticks = <object>PyTuple_GetItem(level, 0)
            wants[at].lots = <object>PyTuple_GetItem(level, 1)
            wants[at].mark = FREE
        if levels > bid_levels:
            fit.below = wants[bid_levels].ticks
        pair_side(rests, bid_orders, wants, bid_levels, &fit)
        fit.above = wants[0].ticks if bid_levels else 0
        fit.below = INT64_MAX
        fit.up = slack[3]
        pair_side(
            rests + bid_orders, count - bid_orders, wants + bid_levels, levels - bid_levels, &fit
        )
        return (
            [orders[rests[at].at] for at in range(count) if rests[at].mark != PAIRED],
            [bids[at] for at in range(bid_levels) if wants[at].mark != PAIRED],
            [
                asks[at] for at in range(levels - bid_levels)
                if wants[bid_levels + at].mark != PAIRED
            ],
        )
    finally:
        PyMem_Free(rests)


cdef Py_ssize_t rank_orders(list orders, Rest* rests) except -1:
    # Bids before asks, each best first, equal prices as they come; returns how many are bids.
    cdef Py_ssize_t at, place, bid_orders = 0
    cdef Rest rest
    for at, order in enumerate(orders):
        rest = Rest(order.ticks, order.leaves, order.side, at, FREE)
        bid_orders += rest.side > 0
        place = at
        while place and (
            rest.side > rests[place - 1].side or rest.side == rests[place - 1].side
            and rest.side * rest.ticks > rest.side * rests[place - 1].ticks
        ):
            rests[place] = rests[place - 1]
            place -= 1
        rests[place] = rest
    return bid_orders


cdef void pair_side(
    Rest* rests, Py_ssize_t count, Rest* wants, Py_ssize_t wanted, Fit* fit
) noexcept:
    cdef Py_ssize_t at, level
    cdef int exact
    cdef double ratio, slack
    for at in range(count):
        # Outside the prices allowed it is as good as gone.
        rests[at].mark = FREE if fit.above < rests[at].ticks < fit.below else BARRED
    for exact in range(1, -1, -1):
        ratio = 0.0 if exact else fit.price_ratio
        for level in range(wanted):
            slack = ratio * wants[level].ticks
            ratio *= fit.growth
            if wants[level].mark == PAIRED:
                continue
            for at in range(count):
                if rests[at].mark == FREE and fits(&rests[at], &wants[level], slack, fit):
                    rests[at].mark = wants[level].mark = PAIRED
                    break


cdef bint fits(Rest* rest, Rest* want, double slack, Fit* fit) noexcept:
    cdef double lots = want.lots
    return (
        fabs(<double>(rest.ticks - want.ticks)) <= slack
        and -fit.down * lots <= <double>(rest.lots - want.lots) <= fit.up * lots
    )
