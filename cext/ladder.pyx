"""Quotes of one side after another: prices that cross nothing, sizes within caps, orders that fit.

Prices are integer ticks, sizes integer lots; rounding from float happens here and only here.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport ceil, fabs, floor, isfinite
from libc.stdint cimport INT64_MAX, int64_t

# Doubles are exact integers up to here, so rounding to a tick is exact too.
cdef double EXACT = 9007199254740992.0


def price_levels(
    double base, double spread, int levels, int64_t best_bid, int64_t best_ask
):
    """Price the levels of both sides around `base` (spec sections 5 and 6), best first.

    base: reservation price in ticks, a float > 0. spread: full relative distance bid to ask of
    level 0. best_bid, best_ask: the book's touch in ticks, 0 when a side is missing. Returns
    (bids, asks), two lists of ticks; a list is shorter than `levels` only because bids at or
    below zero are dropped, and those are the outermost, so the index stays the level's number.
    Two levels may share a tick; `stack` merges them. ValueError for misuse.
    """
    cdef double spacing
    cdef int64_t bid, ask, last_bid = <int64_t>EXACT, last_ask = 0
    cdef int level
    if not (isfinite(base) and base > 0.0):
        raise ValueError(f"base must be finite and positive, not {base}")
    if not (isfinite(spread) and spread >= 0.0):
        raise ValueError(f"spread must be finite and not negative, not {spread}")
    if levels < 1:
        raise ValueError(f"levels must be at least 1, not {levels}")
    if best_bid < 0 or best_ask < 0:
        raise ValueError(f"best prices must not be negative: {best_bid}, {best_ask}")
    if best_bid >= EXACT or base * (1.0 + spread * levels * 0.5) >= EXACT:
        raise ValueError("prices beyond 2**53 ticks are not exact")
    bids = []
    asks = []
    for level in range(levels):
        spacing = spread * (level + 1) * 0.5
        # A bid this far out is at or below zero anyway; the bound keeps the cast defined.
        bid = <int64_t>floor(base * (1.0 - spacing)) if spacing < 1.0 else 0
        ask = <int64_t>ceil(base * (1.0 + spacing))
        if best_ask and bid >= best_ask:
            bid = best_ask - 1
        if best_bid and ask <= best_bid:
            ask = best_bid + 1
        if level == 0 and bid >= ask:
            bid -= 1
            ask += 1
        # Outer levels never stand inside inner ones, also after the widening of level 0.
        last_bid = min(bid, last_bid)
        last_ask = max(ask, last_ask)
        if last_bid > 0:
            bids.append(last_bid)
        asks.append(last_ask)
    return bids, asks


def stack(ticks, lots, int64_t cap_lots, int64_t cap_worth, tuple bounds, type kind=tuple):
    """Merge and cut the levels of one side, best first; returns a list of (ticks, lots).

    kind: what those pairs are made as, a tuple or a named one.
    bounds: (per_tick, least, most, min_lots). An order is worth ticks * lots when `per_tick`,
    else its lots. Levels on one tick become one, their sizes added. Then sizes are cut from the
    outermost level inwards until their sum is at most `cap_lots` and that of their worths at most
    `cap_worth` (-1: no such cap). Last, each is cut to be worth `most`; those worth less than
    `least`, below `min_lots` or empty are dropped. ValueError for negative sizes, prices that are
    not positive or not in order, lengths that differ, and sums beyond 64 bits.
    """
    cdef bint per_tick = bounds[0]
    cdef int64_t least = bounds[1], most = bounds[2], min_lots = bounds[3]
    cdef Py_ssize_t count = len(ticks), i = 0
    cdef int64_t price, last = 0, unit, size, lot, fit, total = 0
    cdef int64_t room = INT64_MAX if cap_lots == -1 else cap_lots
    cdef int direction = 0, step
    cdef bint cut = False
    if len(lots) != count:
        raise ValueError(f"{count} prices but {len(lots)} sizes")
    if cap_lots < -1 or cap_worth < -1 or least < 0 or most < 0 or min_lots < 0:
        raise ValueError(f"bad limits: {cap_lots}, {cap_worth}, {bounds}")
    stacked = []
    while i < count:
        price = ticks[i]
        if price <= 0:
            raise ValueError(f"a price must be positive, not {price} ticks")
        step = (price > last) - (price < last) if last else 0
        if step * direction < 0:
            raise ValueError(f"prices must run from the best outwards: {ticks}")
        direction = direction or step
        last = price
        size = 0
        while i < count and ticks[i] == price:
            lot = lots[i]
            if lot < 0:
                raise ValueError(f"a size must not be negative, not {lot} lots")
            if lot > INT64_MAX - total:
                raise ValueError("sizes add up to more than 64 bits hold")
            total += lot
            size += lot
            i += 1
        unit = price if per_tick else 1
        fit = 0 if cut else min(size, room)
        if cap_worth >= 0:
            # Nothing is multiplied before it is known to fit, so nothing overflows.
            fit = min(fit, cap_worth // unit)
            cap_worth -= fit * unit
        room -= fit
        # What stood further out was cut to nothing before this level lost anything.
        cut = cut or fit < size
        fit = min(fit, most // unit)
        if fit > 0 and fit >= min_lots and fit * unit >= least:
            stacked.append(tuple.__new__(kind, (price, fit)))
    return stacked


cdef enum Mark:
    FREE
    BARRED
    PAIRED


cdef struct Rest:
    int64_t ticks
    int64_t lots
    Mark mark


def pair(list orders, levels, tuple fit, double price_ratio):
    """Find an order for each level of one side; returns the orders and the levels without.

    orders: anything with `ticks` and `leaves`; levels: (ticks, lots) pairs; both best first. fit
    is (above, below, down, up): an order fits when its price is strictly between `above` and
    `below`, within `price_ratio` of the level's, and its lots are off the level's by at most the
    ratios `down` and `up` of it. A level takes its first fitting order, each order once, and
    levels that find an order at exactly their price choose first: else a neighbour within
    tolerance could take it from them.
    """
    cdef int64_t above = fit[0], below = fit[1]
    cdef double down = fit[2], up = fit[3], slack
    cdef Py_ssize_t count = len(orders), wanted = len(levels), at, level
    cdef bint exact
    cdef Rest* rests = <Rest*>PyMem_Malloc((count + wanted + 1) * sizeof(Rest))
    cdef Rest* wants = rests + count
    if rests is NULL:
        raise MemoryError
    try:
        for at in range(count):
            rests[at].ticks = orders[at].ticks
            rests[at].lots = orders[at].leaves
            # Outside the prices allowed it is as good as gone.
            rests[at].mark = FREE if above < rests[at].ticks < below else BARRED
        for level in range(wanted):
            wants[level].ticks, wants[level].lots = levels[level]
            wants[level].mark = FREE
        for exact in (True, False):
            for level in range(wanted):
                if wants[level].mark == PAIRED:
                    continue
                slack = 0.0 if exact else price_ratio * wants[level].ticks
                for at in range(count):
                    if rests[at].mark == FREE and fits(
                        &rests[at], &wants[level], slack, down, up
                    ):
                        rests[at].mark = wants[level].mark = PAIRED
                        break
        return (
            [orders[at] for at in range(count) if rests[at].mark != PAIRED],
            [levels[level] for level in range(wanted) if wants[level].mark != PAIRED],
        )
    finally:
        PyMem_Free(rests)


cdef bint fits(Rest* rest, Rest* want, double slack, double down, double up):
    cdef double lots = want.lots
    return (
        fabs(<double>(rest.ticks - want.ticks)) <= slack
        and -down * lots <= <double>(rest.lots - want.lots) <= up * lots
    )
