"""Synthetic order flow: an efficient price, public makers around it, noise and informed takers.

One sub-step is 50 ms. The price works in basis points of the starting price, sizes in order
units; rows leave in ticks and lots. Three random streams (price and makers, noise takers,
informed takers) keep the market's path the same whatever the bot does, its impact aside.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.math cimport ceil, exp, fabs, floor, log, pow, round, sqrt
from libc.stdlib cimport free, malloc

include "consts.pxi"
include "random.pxi"
include "flow.pxi"


@cython.final
cdef class Flow:
    """Rows of one market, sub-step by sub-step; reacts to the best prices and prints it is told.

    params: every field of FlowParams and the grid; clock: (start, feed latency in nanoseconds,
    number of sub-steps). A sub-step costs O(levels). Money and sizes inside are doubles: this is a
    model of the world, not the bot's book-keeping.
    """

    cdef:
        Params p
        Rng path, noise, informed
        int market, levels, row_count
        int64_t gap_ticks, start_ns, latency_ns, index, last, one_sided_left
        int one_sided_side
        double value, makers, log_vol, vol, alpha, log_spread, bounce, hawkes, value_before, ref
        double spread_factor, depth_factor, noise_sign
        double log_queue[2]
        double anchor[2]
        int64_t touch[2]
        int64_t own[2]
        SideLevels shown[2]
        SideLevels wanted[2]
        Row* rows
        list touches

    def __cinit__(self, params, *, uint64_t seed, int market, tuple clock):
        self.p = params
        self.levels = <int>self.p.levels
        if not 1 <= self.levels <= MAX_LEVELS:
            raise ValueError(f"levels must be 1 to {MAX_LEVELS}, not {self.levels}")
        if self.p.lots_per_unit <= 0 or self.p.ticks_per_bps <= 0:
            raise ValueError("ticks per bps and lots per unit must be positive")
        self.rows = <Row*>malloc(MAX_CHUNK * ROWS_PER_SUBSTEP * sizeof(Row))
        if self.rows is NULL:
            raise MemoryError
        self.gap_ticks = max(1, <int64_t>round(self.p.gap * self.p.ticks_per_bps))
        self.market = market
        self.start_ns, self.latency_ns, self.last = clock
        seed_stream(&self.path, seed, 1)
        seed_stream(&self.noise, seed, 2)
        seed_stream(&self.informed, seed, 3)
        if uniform(&self.path) < 0.5:
            self.p.drift = -self.p.drift
        self.noise_sign = 1.0
        self.anchor[0] = self.anchor[1] = 1e18
        self.touches = []

    def __dealloc__(self):
        free(self.rows)

    @property
    def finished(self):
        """All sub-steps have been produced."""
        return self.index >= self.last

    @property
    def next_ns(self):
        """Exchange time of the next sub-step."""
        return self.start_ns + self.index * SUBSTEP_NS

    @property
    def reference(self):
        """The outside venue's mid as known at the last sub-step, in ticks."""
        return self.p.price_ticks + self.ref * self.p.ticks_per_bps

    @property
    def last_touches(self):
        """The makers' (ns, bid, bid lots, ask, ask lots) per sub-step of the last chunk; 0 none."""
        return self.touches

    def chunk(self, best_bid, best_ask, prints, int substeps):
        """Rows of up to `substeps` sub-steps, ending after the first with takers.

        best_bid, best_ask: best prices on the exchange, own orders included, or None. prints:
        tuples (exch_ns, aggressor, ticks, lots) since the last chunk, in order.
        """
        if not 1 <= substeps <= MAX_CHUNK:
            raise ValueError(f"a chunk has 1 to {MAX_CHUNK} sub-steps, not {substeps}")
        self.own[0] = self._own_best(0, best_bid)
        self.own[1] = self._own_best(1, best_ask)
        self._absorb(prints)
        self.row_count = 0
        self.touches = []
        cdef int before
        while substeps > 0 and self.index < self.last:
            self._move_value()
            self._move_makers()
            self._emit_book()
            before = self.row_count
            self._emit_takers()
            self.index += 1
            substeps -= 1
            if self.row_count > before:
                break
        return PyBytes_FromStringAndSize(<char*>self.rows, self.row_count * sizeof(Row))

    cdef int64_t _own_best(self, int side, best):
        # A price better than the makers' best can only be the bot's.
        cdef SideLevels* shown = &self.shown[side]
        if best is None:
            return 0
        cdef int64_t x = best if side else -best
        return best if shown.count == 0 or x < shown.x[0] else 0

    cdef _absorb(self, prints):
        # Prints of one taker share time and side; its impact goes with the root of its whole size.
        cdef int64_t ns, ticks, lots, group_ns = -1
        cdef int side, group_side = 0
        cdef double size = 0.0
        for ns, side, ticks, lots in prints:
            if ns != group_ns or side != group_side:
                self._push(group_side, size)
                group_ns, group_side, size = ns, side, 0.0
            size += lots / self.p.lots_per_unit
            self._deplete(side, ticks, lots)
        self._push(group_side, size)

    cdef void _push(self, int side, double size) noexcept:
        self.makers += side * self.p.temporary_impact * sqrt(size)
        self.value += side * self.p.permanent_impact * sqrt(size)

    cdef void _deplete(self, int aggressor, int64_t ticks, int64_t lots) noexcept:
        cdef int side = 1 if aggressor > 0 else 0
        cdef int64_t x = ticks if side else -ticks
        cdef SideLevels* shown = &self.shown[side]
        cdef int i
        for i in range(shown.count):
            if shown.x[i] == x:
                if i == 0:
                    self.log_queue[side] -= 0.5 * min(1.0, lots / <double>self.wanted[side].lots[0])
                shown.lots[i] = -1  # the exchange's size differs now: announce it again
                return

    cdef void _move_value(self) noexcept:
        cdef Params* p = &self.p
        cdef double step = sqrt(DT)
        cdef double move, since, jump
        self.log_vol += -p.vol_return * self.log_vol * DT + p.volvol * step * normal(&self.path)
        self.vol = exp(self.log_vol)
        move = p.sigma * self.vol * step * normal(&self.path) + p.drift * DT
        if uniform(&self.path) < p.jump_rate * DT:
            jump = p.jump_mean * exponential(&self.path)  # C leaves the order of two calls open
            move += jump * sign(&self.path)
        self.alpha += -p.alpha_return * self.alpha * DT
        self.alpha += p.alpha_sd * sqrt(2.0 * p.alpha_return) * step * normal(&self.path)
        move += (self.alpha - p.reversion * self.value) * DT
        self.spread_factor = self.depth_factor = 1.0
        since = self.index * DT - p.crash_start
        if p.crash_fall > 0.0 and 0.0 <= since < p.crash_s:
            move -= p.crash_fall * DT / p.crash_s
            self.spread_factor, self.depth_factor = p.crash_spread, p.crash_depth
        elif p.crash_fall > 0.0 and p.crash_s <= since < p.crash_s + p.rebound_s:
            move += p.crash_fall * p.rebound * DT / p.rebound_s
            since = (since - p.crash_s) / p.rebound_s
            self.spread_factor = p.crash_spread + (1.0 - p.crash_spread) * since
            self.depth_factor = p.crash_depth + (1.0 - p.crash_depth) * since
        self.value_before = self.value
        self.value = max(LOWEST_BPS, self.value + move)
        self.ref = self.value_before + p.reference_noise * normal(&self.path)

    cdef void _move_makers(self) noexcept:
        cdef Params* p = &self.p
        cdef double step = sqrt(DT)
        cdef double half, tilt, centre
        self.makers += (self.value - self.makers) * (1.0 - exp(-DT / p.maker_lag))
        self.log_spread += -MAKER_RETURN_PER_S * self.log_spread * DT
        self.log_spread += p.half_spread_noise * step * normal(&self.path)
        self.bounce += -BOUNCE_PER_S * self.bounce * DT
        self.bounce += p.bounce * sqrt(2.0 * BOUNCE_PER_S) * step * normal(&self.path)
        half = p.half_spread * exp(self.log_spread) * self.spread_factor
        half *= 1.0 + p.half_spread_vol * (self.vol - 1.0)
        centre = p.price_ticks + (self.makers + self.bounce) * p.ticks_per_bps
        self.touch[0] = <int64_t>floor(centre - half * p.ticks_per_bps)
        self.touch[1] = <int64_t>ceil(centre + half * p.ticks_per_bps)
        if self.touch[1] <= self.touch[0]:
            self.touch[1] = self.touch[0] + 1
        tilt = 0.3 * max(-3.0, min(3.0, (self.value - self.makers) / max(half, 0.2)))
        if p.alpha_sd > 0.0:
            tilt += p.tilt * self.alpha / p.alpha_sd
        self._move_queue(0, 0.5 * tilt)
        self._move_queue(1, -0.5 * tilt)
        self._move_one_sided()
        self._lay(0)
        self._lay(1)

    cdef void _move_queue(self, int side, double target) noexcept:
        self.log_queue[side] += QUEUE_RETURN_PER_S * (target - self.log_queue[side]) * DT
        self.log_queue[side] += QUEUE_NOISE * sqrt(DT) * normal(&self.path)

    cdef void _move_one_sided(self) noexcept:
        if self.one_sided_left > 0:
            self.one_sided_left -= 1
        elif self.p.one_sided > 0.0 and uniform(&self.path) < self.p.one_sided * DT / ONE_SIDED_S:
            self.one_sided_left = 1 + <int64_t>(uniform(&self.path) * 2.0 * ONE_SIDED_S / DT)
            self.one_sided_side = 0 if sign(&self.path) > 0.0 else 1

    cdef void _lay(self, int side) noexcept:
        # Deeper levels stay on a fixed price grid, so that only what changes has to be announced.
        cdef SideLevels* wanted = &self.wanted[side]
        cdef double gap = <double>self.gap_ticks
        cdef double x = <double>(self.touch[side] if side else -self.touch[side])
        cdef double unit = self.p.depth * self.depth_factor * self.p.lots_per_unit
        cdef double size, rank
        cdef int64_t grid
        cdef int i
        wanted.count = 0
        if self.one_sided_left > 0 and self.one_sided_side == side:
            return
        if fabs(x - self.anchor[side]) > gap:
            self.anchor[side] = x
        wanted.count = self.levels + 1
        wanted.x[0] = <int64_t>x
        wanted.lots[0] = max(1, <int64_t>round(unit * exp(self.log_queue[side])))
        grid = <int64_t>ceil(x / gap + 0.5)
        for i in range(1, wanted.count):
            rank = max(1.0, round((grid * gap - self.anchor[side]) / gap))
            size = unit * DEEPER_SHARE * (1.0 + DEEPER_GROWTH * rank)
            wanted.x[i] = grid * self.gap_ticks
            wanted.lots[i] = max(1, <int64_t>round(size * (0.7 + 0.6 * hashed(grid))))
            grid += 1

    cdef _emit_book(self):
        self._withdraw(0)
        self._withdraw(1)
        # Makers whose new quote crosses the bot's trade against it before they rest.
        if self.own[1] and self.wanted[0].count and self.touch[0] >= self.own[1]:
            self._emit(KIND_TAKE | FLAG_EXCH | FLAG_BUY, self.touch[0], <int64_t>SNIPE_LOTS)
            self.own[1] = 0
        if self.own[0] and self.wanted[1].count and self.touch[1] <= self.own[0]:
            self._emit(KIND_TAKE | FLAG_EXCH | FLAG_SELL, self.touch[1], <int64_t>SNIPE_LOTS)
            self.own[0] = 0
        self._announce(0)
        self._announce(1)
        cdef SideLevels* bids = &self.shown[0]
        cdef SideLevels* asks = &self.shown[1]
        self.touches.append((
            self.start_ns + self.index * SUBSTEP_NS,
            -bids.x[0] if bids.count else 0, bids.lots[0] if bids.count else 0,
            asks.x[0] if asks.count else 0, asks.lots[0] if asks.count else 0,
        ))

    cdef void _withdraw(self, int side) noexcept:
        cdef SideLevels* old = &self.shown[side]
        cdef SideLevels* new = &self.wanted[side]
        cdef int i, j = 0
        for i in range(old.count):
            while j < new.count and new.x[j] < old.x[i]:
                j += 1
            if j == new.count or new.x[j] != old.x[i]:
                self._emit_level(side, old.x[i], 0)

    cdef void _announce(self, int side) noexcept:
        cdef SideLevels* old = &self.shown[side]
        cdef SideLevels* new = &self.wanted[side]
        cdef int i, j = 0
        for i in range(new.count):
            while j < old.count and old.x[j] < new.x[i]:
                j += 1
            if j == old.count or old.x[j] != new.x[i] or old.lots[j] != new.lots[i]:
                self._emit_level(side, new.x[i], new.lots[i])
        old[0] = new[0]

    cdef void _emit_level(self, int side, int64_t x, int64_t lots) noexcept:
        cdef uint32_t flags = KIND_DEPTH | FLAG_EXCH | FLAG_LOCAL
        flags |= FLAG_SELL if side else FLAG_BUY
        self._emit(flags, x if side else -x, lots)

    cdef void _emit(self, uint32_t flags, int64_t ticks, int64_t lots) noexcept:
        cdef Row* row = &self.rows[self.row_count]
        row.exch_ns = self.start_ns + self.index * SUBSTEP_NS
        row.local_ns = row.exch_ns + self.latency_ns
        row.ticks = ticks
        row.lots = lots
        row.flags = flags
        row.market = <uint32_t>self.market
        self.row_count += 1

    cdef void _emit_takers(self) noexcept:
        cdef Params* p = &self.p
        cdef double none, room, size, mid
        cdef int count = 0
        self.hawkes *= exp(-p.noise_decay * DT)
        none = exp(-(p.noise_rate + self.hawkes) * DT)
        room = uniform(&self.noise)
        while room > none and count < MAX_TAKERS:
            if uniform(&self.noise) >= p.noise_persistence:
                self.noise_sign = sign(&self.noise)
            size = p.noise_min_size * pow(uniform(&self.noise), -1.0 / p.noise_tail)
            mid = 0.5 * (self.touch[0] + self.touch[1])
            self._take(self.noise_sign, min(size, NOISE_MAX_SIZE),
                       mid + self.noise_sign * NOISE_TOLERANCE_BPS * p.ticks_per_bps)
            self.hawkes += p.noise_branching * p.noise_decay
            room *= uniform(&self.noise)
            count += 1
        self._emit_informed()

    cdef void _emit_informed(self) noexcept:
        cdef Params* p = &self.p
        cdef double fair = p.price_ticks + self.value * p.ticks_per_bps
        cdef double edge = p.informed_edge * p.ticks_per_bps
        cdef int64_t bid = max(self.touch[0], self.own[0])
        cdef int64_t ask = min(self.touch[1], self.own[1]) if self.own[1] else self.touch[1]
        cdef double direction = 0.0
        if fair > ask + edge:
            direction = 1.0
        elif fair < bid - edge:
            direction = -1.0
        if direction != 0.0 and uniform(&self.informed) > exp(-p.informed_rate * DT):
            self._take(direction, p.informed_size * exp(0.8 * normal(&self.informed)),
                       fair - direction * edge)

    cdef void _take(self, double direction, double size, double limit) noexcept:
        cdef int64_t lots = max(1, <int64_t>round(size * self.p.lots_per_unit))
        if direction > 0.0:
            self._emit(KIND_TAKE | FLAG_EXCH | FLAG_BUY, <int64_t>floor(limit), lots)
        else:
            self._emit(KIND_TAKE | FLAG_EXCH | FLAG_SELL, <int64_t>ceil(limit), lots)
