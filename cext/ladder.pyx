"""Quotes of one side after another: prices that cross nothing, sizes within caps, orders that fit.

Prices are integer ticks, sizes integer lots; rounding from float happens here and only here.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GetItem
from libc.math cimport ceil, fabs, floor, isfinite
from libc.stdint cimport INT64_MAX, int64_t

# Doubles are exact integers up to here, so rounding to a tick is exact too.
cdef double EXACT = 9007199254740992.0

cdef enum:
    MOST_LEVELS = 64


cdef struct Side:
    int count
    int64_t ticks[MOST_LEVELS]
    int64_t lots[MOST_LEVELS]


# What an order must keep to: worth ticks * lots when `per_tick`, else its lots; `least` and `most`
# bound that worth.
cdef struct Bounds:
    bint per_tick
    int64_t least
    int64_t most
    int64_t min_lots


cdef Bounds bounds_of(tuple bounds) except *:
    cdef Bounds made = Bounds(bounds[0], bounds[1], bounds[2], bounds[3])
    if made.least < 0 or made.most < 0 or made.min_lots < 0:
        raise ValueError(f"bad limits: {bounds}")
    return made


cdef extern from *:
    """
    // What tuple.__new__(kind, (ticks, lots)) makes, at a fraction of its cost.
    static PyObject *named_pair(PyTypeObject *kind, int64_t ticks, int64_t lots) {
        PyObject *pair = kind->tp_alloc(kind, 2);
        if (pair == NULL) return NULL;
        PyTuple_SET_ITEM(pair, 0, PyLong_FromLongLong(ticks));
        PyTuple_SET_ITEM(pair, 1, PyLong_FromLongLong(lots));
        if (PyErr_Occurred()) Py_CLEAR(pair);
        return pair;
    }
    """
    int64_t PyLong_AsLongLongAndOverflow(object number, int* overflow) except? -1
    object named_pair(type kind, int64_t ticks, int64_t lots)


cdef int count_of(Py_ssize_t levels) except -1:
    if not 1 <= levels <= MOST_LEVELS:
        raise ValueError(f"levels must be 1 to {MOST_LEVELS}, not {levels}")
    return <int>levels


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
    cdef Side[2] sides
    cdef int64_t[2] touch = [best_bid, best_ask]
    cdef double[MOST_LEVELS] multiples
    cdef int at
    spacings(multiples, count_of(levels), 0.0)
    price_sides(base, spread, levels, multiples, touch, sides)
    return (
        [sides[0].ticks[at] for at in range(sides[0].count)],
        [sides[1].ticks[at] for at in range(sides[1].count)],
    )


cdef void spacings(double* multiples, int levels, double growth) noexcept:
    # Distances of the levels in halves of the spread: 1, 2, 3 ..., or powers of `growth`.
    cdef int level
    for level in range(levels):
        multiples[level] = growth ** level if growth > 0.0 else level + 1


cdef int price_sides(
    double base, double spread, int levels, double* multiples, int64_t* touch, Side* sides
) except -1:
    cdef Side* bids = &sides[0]
    cdef Side* asks = &sides[1]
    cdef int64_t best_bid = touch[0], best_ask = touch[1]
    cdef int64_t bid, ask, last_bid = <int64_t>EXACT, last_ask = 0
    cdef double spacing
    cdef int level
    if not (isfinite(base) and base > 0.0):
        raise ValueError(f"base must be finite and positive, not {base}")
    if not (isfinite(spread) and spread >= 0.0):
        raise ValueError(f"spread must be finite and not negative, not {spread}")
    if best_bid < 0 or best_ask < 0:
        raise ValueError(f"best prices must not be negative: {best_bid}, {best_ask}")
    if best_bid >= EXACT or base * (1.0 + spread * multiples[levels - 1] * 0.5) >= EXACT:
        raise ValueError("prices beyond 2**53 ticks are not exact")
    bids.count = 0
    asks.count = levels
    for level in range(levels):
        spacing = spread * multiples[level] * 0.5
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
            bids.ticks[bids.count] = last_bid
            bids.count += 1
        asks.ticks[level] = last_ask
    return 0


cdef int grid_sides(
    double base, double spread, int levels, int64_t step, int64_t* touch, Side* sides
) except -1:
    # Level 0 snapped outwards to whole steps of absolute price, the others a step further each.
    cdef double nearest = 1.0
    cdef int64_t bid, ask, level
    price_sides(base, spread, 1, &nearest, touch, sides)
    bid = sides[0].ticks[0] // step * step if sides[0].count else 0
    ask = (sides[1].ticks[0] + step - 1) // step * step
    sides[0].count = 0
    sides[1].count = levels
    for level in range(levels):
        if bid - level * step > 0:
            sides[0].ticks[sides[0].count] = bid - level * step
            sides[0].count += 1
        sides[1].ticks[level] = ask + level * step
    return 0


def stack(ticks, lots, int64_t cap_lots, int64_t cap_worth, tuple bounds):
    """Merge and cut the levels of one side, best first; returns a list of (ticks, lots).

    bounds: (per_tick, least, most, min_lots). An order is worth ticks * lots when `per_tick`,
    else its lots. Levels on one tick become one, their sizes added. Then sizes are cut from the
    outermost level inwards until their sum is at most `cap_lots` and that of their worths at most
    `cap_worth` (-1: no such cap). Last, each is cut to be worth `most`; those worth less than
    `least`, below `min_lots` or empty are dropped. ValueError for negative sizes, prices that are
    not positive or not in order, lengths that differ, and sums beyond 64 bits.
    """
    cdef Bounds limits = bounds_of(bounds)
    cdef Side side
    cdef int at
    if len(lots) != len(ticks):
        raise ValueError(f"{len(ticks)} prices but {len(lots)} sizes")
    if cap_lots < -1 or cap_worth < -1:
        raise ValueError(f"bad limits: {cap_lots}, {cap_worth}")
    if not ticks:
        return []
    side.count = count_of(len(ticks))
    for at in range(side.count):
        side.ticks[at] = ticks[at]
        side.lots[at] = lots[at]
    stack_side(&side, cap_lots, cap_worth, &limits)
    return [(side.ticks[at], side.lots[at]) for at in range(side.count)]


cdef int stack_side(Side* s, int64_t cap_lots, int64_t cap_worth, Bounds* bounds) except -1:
    # In place: a level is written only after it has been read.
    cdef int64_t price, last = 0, unit, size, lot, fit, total = 0
    cdef int64_t room = INT64_MAX if cap_lots == -1 else cap_lots
    cdef int direction = 0, step, i = 0, kept = 0
    cdef bint cut = False
    while i < s.count:
        price = s.ticks[i]
        if price <= 0:
            raise ValueError(f"a price must be positive, not {price} ticks")
        step = (price > last) - (price < last) if last else 0
        if step * direction < 0:
            raise ValueError(f"prices must run from the best outwards: {price} after {last}")
        direction = direction or step
        last = price
        size = 0
        while i < s.count and s.ticks[i] == price:
            lot = s.lots[i]
            if lot < 0:
                raise ValueError(f"a size must not be negative, not {lot} lots")
            if lot > INT64_MAX - total:
                raise ValueError("sizes add up to more than 64 bits hold")
            total += lot
            size += lot
            i += 1
        unit = price if bounds.per_tick else 1
        fit = 0 if cut else min(size, room)
        if cap_worth >= 0:
            # Nothing is multiplied before it is known to fit, so nothing overflows.
            fit = min(fit, cap_worth // unit)
            cap_worth -= fit * unit
        room -= fit
        # What stood further out was cut to nothing before this level lost anything.
        cut = cut or fit < size
        fit = min(fit, bounds.most // unit)
        if fit > 0 and fit >= bounds.min_lots and fit * unit >= bounds.least:
            s.ticks[kept] = price
            s.lots[kept] = fit
            kept += 1
    s.count = kept
    return 0


@cython.final
cdef class Rungs:
    """Levels of both sides in one go: priced as by `price_levels`, sized, then as by `stack`.

    bounds as in `stack`. kind: what the (ticks, lots) pairs are made as, a named tuple. growth:
    level l is growth^l half spreads away. step: levels stand at multiples of it. 0 for neither.
    """

    cdef:
        double[MOST_LEVELS] multiples
        int levels
        int64_t max_lots
        Bounds bounds
        type kind
        public int64_t step

    def __cinit__(self, int levels, int64_t max_lots, tuple bounds, type kind, double growth=0.0):
        if not issubclass(kind, tuple):
            raise ValueError(f"{kind} is not a kind of tuple")
        if not (growth == 0.0 or 1.0 <= growth <= 10.0):
            raise ValueError(f"growth must be 1 to 10, not {growth}")
        spacings(self.multiples, count_of(levels), growth)
        self.levels = count_of(levels)
        self.max_lots = max_lots
        self.bounds = bounds_of(bounds)
        self.kind = kind

    def quotes(
        self, double base, double spread, tuple touch, tuple worths, int64_t side_worth, tuple rooms
    ):
        """Return the levels of both sides, best first: (bids, asks), two tuples.

        base, spread and touch (best_bid, best_ask) as in `price_levels`. worths: of the levels, or
        of the bids and then the asks; lots are that floored, `max_lots` at most. side_worth: most
        worth of a side (-1: no cap). rooms: most lots of either side. ValueError for misuse.
        """
        cdef Side[2] sides
        cdef int64_t[2] best = [touch[0], touch[1]]
        cdef int asks_at = self.levels if len(worths) == 2 * self.levels else 0
        if self.step > 0:
            grid_sides(base, spread, self.levels, self.step, best, sides)
        else:
            price_sides(base, spread, self.levels, self.multiples, best, sides)
        return (
            self.side(&sides[0], worths, 0, side_worth, rooms[0]),
            self.side(&sides[1], worths, asks_at, side_worth, rooms[1]),
        )

    cdef tuple side(self, Side* s, tuple worths, int first, int64_t side_worth, room):
        cdef int64_t worth
        cdef int at
        cdef int beyond = 0
        cdef int64_t cap = PyLong_AsLongLongAndOverflow(room, &beyond)
        if cap <= 0 and beyond <= 0:
            return ()
        if len(worths) < s.count:
            raise ValueError(f"{s.count} levels but {len(worths)} worths")
        for at in range(s.count):
            worth = worths[first + at]
            s.lots[at] = min(worth // s.ticks[at] if self.bounds.per_tick else worth, self.max_lots)
        # Room has no bound of its own; beyond 64 bits it is as good as none.
        stack_side(s, -1 if beyond else cap, side_worth, &self.bounds)
        return tuple([named_pair(self.kind, s.ticks[at], s.lots[at]) for at in range(s.count)])


include "pairing.pxi"
