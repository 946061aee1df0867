"""What a market maker estimates as it goes: volatility, slopes of signals, arrivals, order flow.

Prices are ticks (floats), returns basis points, times integer nanoseconds. A time that goes back is
left out and counted in `ignored`; a value that is not finite is refused. All is O(1) a sample.
"""

cimport cython
from libc.math cimport NAN, exp, exp2, fabs, fmax, fmin, isfinite, log, sqrt
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

cdef double SECONDS = 1e-9
cdef double BPS = 1e4


cdef inline int check(int64_t ts_ns, double value) except -1:
    if ts_ns < 0:
        raise ValueError(f"a time must not be negative, not {ts_ns}")
    if not isfinite(value):
        raise ValueError(f"a value must be finite, not {value}")
    return 0


cdef int positive(str name, double value) except -1:
    if not (isfinite(value) and value > 0.0):
        raise ValueError(f"{name} must be finite and positive, not {value}")
    return 0


cdef inline double bounded(double value, double least, double most) noexcept nogil:
    return fmin(fmax(value, least), most)


@cython.final
cdef class Volatility:
    """Basis points per root second of a price, the larger of a fast and a slow estimate.

    Both are squared returns over elapsed time, halved every half-life. The slow one takes in
    no return beyond ten times its own estimate: a crash widens quotes at once and not for long.
    `initial` until `LEAST` returns were seen; the answer is between `least` and `most`.
    """

    cdef:
        double fast_s
        double slow_s
        double initial
        double least
        double most
        double fast_squares
        double fast_elapsed
        double slow_squares
        double slow_elapsed
        double last
        int64_t last_ns
        int64_t step_ns
        readonly int64_t count
        readonly int64_t ignored

    def __cinit__(
        self, double fast_s, double slow_s, double initial, double least, double most,
        int64_t step_ns=100_000_000,
    ):
        positive("fast half-life", fast_s)
        positive("slow half-life", slow_s)
        positive("initial", initial)
        positive("least", least)
        if not (least <= most and isfinite(most)) or step_ns < 1:
            raise ValueError(f"bad bounds or step: {least}, {most}, {step_ns}")
        self.fast_s = fast_s
        self.slow_s = slow_s
        self.initial = initial
        self.least = least
        self.most = most
        self.step_ns = step_ns
        self.last_ns = -1

    def update(self, int64_t ts_ns, double price):
        """Take in a price; those sooner than a step after the last are left out."""
        cdef double dt, change, usual
        check(ts_ns, price)
        if ts_ns < self.last_ns or price <= 0.0:
            self.ignored += 1
            return
        if self.last_ns >= 0:
            if ts_ns - self.last_ns < self.step_ns:
                return
            dt = (ts_ns - self.last_ns) * SECONDS
            change = (price / self.last - 1.0) * BPS
            self.fast_squares = self.fast_squares * exp2(-dt / self.fast_s) + change * change
            self.fast_elapsed = self.fast_elapsed * exp2(-dt / self.fast_s) + dt
            if self.count >= 30:
                usual = 10.0 * self.slow() * sqrt(dt)
                change = bounded(change, -usual, usual)
            self.slow_squares = self.slow_squares * exp2(-dt / self.slow_s) + change * change
            self.slow_elapsed = self.slow_elapsed * exp2(-dt / self.slow_s) + dt
            self.count += 1
        self.last = price
        self.last_ns = ts_ns

    cdef inline double slow(self) noexcept:
        return fmax(sqrt(self.slow_squares / self.slow_elapsed), self.least)

    @property
    def sigma(self):
        """Basis points per root second."""
        if self.count < 30:
            return bounded(self.initial, self.least, self.most)
        cdef double fast = sqrt(self.fast_squares / self.fast_elapsed)
        return bounded(fmax(fast, self.slow()), self.least, self.most)


cdef struct Waiting:
    int64_t ts_ns
    double price
    double x
    double z


cdef enum:
    WAITING = 256


@cython.final
cdef class Slopes:
    """How much a price moves, `horizon_ns` later, per unit of two signals: least squares.

    Sums of products are halved every `half_life_s`; `ridge` pulls both slopes to their priors,
    which they are before anything has matured. A move counts for no more than `clip` (an argument
    of each sample). Samples sooner than a 256th of the horizon after the last are left out.
    """

    cdef:
        Waiting waiting[WAITING]
        int head
        int count
        double half_life_s
        double ridge
        double first_prior
        double second_prior
        double xx
        double xz
        double zz
        double xy
        double zy
        int64_t horizon_ns
        int64_t last_ns
        int64_t decayed_ns
        readonly int64_t matured
        readonly int64_t ignored

    def __cinit__(self, int64_t horizon_ns, double half_life_s, double ridge, tuple priors):
        positive("half-life", half_life_s)
        positive("ridge", ridge)
        if horizon_ns < WAITING:
            raise ValueError(f"horizon must be at least {WAITING} ns, not {horizon_ns}")
        self.horizon_ns = horizon_ns
        self.half_life_s = half_life_s
        self.ridge = ridge
        self.first_prior, self.second_prior = priors
        self.last_ns = -1
        self.decayed_ns = -1

    def update(self, int64_t ts_ns, double price, double first, double second, double clip):
        """Take in the price and both signals as they are now."""
        cdef Waiting* w
        cdef double decay, y
        check(ts_ns, price + first + second + clip)
        if ts_ns < self.last_ns or price <= 0.0:
            self.ignored += 1
            return
        while self.count and self.waiting[self.head].ts_ns + self.horizon_ns <= ts_ns:
            w = &self.waiting[self.head]
            self.head = (self.head + 1) % WAITING
            self.count -= 1
            # A price from long after the horizon says nothing of it.
            if ts_ns - w.ts_ns > 2 * self.horizon_ns:
                continue
            decay = 0.0
            if self.decayed_ns >= 0:
                decay = exp2(-(w.ts_ns - self.decayed_ns) * SECONDS / self.half_life_s)
            self.decayed_ns = w.ts_ns
            y = bounded((price / w.price - 1.0) * BPS, -clip, clip)
            self.xx = self.xx * decay + w.x * w.x
            self.xz = self.xz * decay + w.x * w.z
            self.zz = self.zz * decay + w.z * w.z
            self.xy = self.xy * decay + w.x * y
            self.zy = self.zy * decay + w.z * y
            self.matured += 1
        if self.last_ns >= 0 and ts_ns - self.last_ns < self.horizon_ns // WAITING + 1:
            return
        self.last_ns = ts_ns
        if self.count < WAITING:
            self.waiting[(self.head + self.count) % WAITING] = Waiting(
                ts_ns, price, first, second
            )
            self.count += 1

    @property
    def slopes(self):
        """Both slopes, basis points per unit."""
        cdef double a = self.xx + self.ridge, d = self.zz + self.ridge, b = self.xz
        cdef double p = self.xy + self.ridge * self.first_prior
        cdef double q = self.zy + self.ridge * self.second_prior
        # The ridge keeps this at ridge^2 or more.
        cdef double det = a * d - b * b
        return (p * d - q * b) / det, (q * a - p * b) / det


cdef enum:
    BINS = 5

# Where an exponential distribution of mean 1 has a fifth, two fifths ... of its weight.
cdef double[4] EDGES = [0.22314355, 0.51082562, 0.91629073, 1.60943791]


@cython.final
cdef class Arrivals:
    """Trades reach at least x bps from mid at the rate A exp(-k x) a second and side.

    Maximum likelihood of an exponential tail above `x0`, over sums that decay with `tau_s`. Until
    `least` trades were seen the last answer stays, before any the initial one.
    """

    cdef:
        double tau_s
        double least
        double n
        double excess
        double elapsed
        double floor
        double a
        double k
        double bins[BINS]
        int64_t last_ns
        readonly int64_t ignored

    def __cinit__(self, double tau_s, double least, double a, double k):
        positive("tau", tau_s)
        positive("least", least)
        positive("A", a)
        positive("k", k)
        self.tau_s = tau_s
        self.least = least
        self.a = a
        self.k = k
        self.last_ns = -1

    def update(self, int64_t ts_ns, double bought, double sold, double x0):
        """Take in how far (bps from mid) trades of a moment reached on either side, NaN for none.

        Those no further than `x0` are not of the tail.
        """
        cdef double decay, dt
        cdef int i
        check(ts_ns, x0)
        if ts_ns < self.last_ns:
            self.ignored += 1
            return
        if self.last_ns >= 0:
            dt = (ts_ns - self.last_ns) * SECONDS
            decay = exp(-dt / self.tau_s)
            self.n *= decay
            self.excess *= decay
            self.floor *= decay
            self.elapsed = self.elapsed * decay + dt
            for i in range(BINS):
                self.bins[i] *= decay
        self.last_ns = ts_ns
        if bought > x0 and isfinite(bought):
            self.add(bought - x0, x0)
        if sold > x0 and isfinite(sold):
            self.add(sold - x0, x0)
        if self.n >= self.least and self.elapsed > 0.0:
            self.k = bounded(self.n / self.excess, 0.02, 20.0)
            self.a = bounded(
                self.n / (2.0 * self.elapsed) * exp(fmin(self.k * self.floor / self.n, 50.0)),
                1e-4, 50.0,
            )

    cdef void add(self, double excess, double x0) noexcept:
        cdef int i = 0
        while i < BINS - 1 and self.k * excess > EDGES[i]:
            i += 1
        self.bins[i] += 1.0
        self.n += 1.0
        self.excess += excess
        # The mean x0 of the trades counted stands for all of them.
        self.floor += x0

    @property
    def rates(self):
        """A (1/s and side) and k (1/bps)."""
        return self.a, self.k

    @property
    def misfit(self):
        """Chi-square of the tail against an exponential one, 3 degrees of freedom; 0 unknown."""
        cdef double expected = self.n / BINS, total = 0.0
        cdef int i
        if self.n < self.least:
            return 0.0
        for i in range(BINS):
            total += (self.bins[i] - expected) ** 2 / expected
        return total


cdef enum:
    SCALES = 4

cdef double[4] HALF_LIVES = [0.1, 0.5, 1.0, 5.0]


@cython.final
cdef class OrderFlow:
    """Order flow imbalance of the best quotes, and signed trades, over four half-lives.

    Every change of the best quotes counts for what it adds to the bid less what it adds to the ask
    (Cont, Kukanov, Stoikov). Both flows are per mean size at the best, which halves in a minute.
    """

    cdef:
        double ofi[SCALES]
        double trades[SCALES]
        double depth
        double weight
        int64_t bid
        int64_t ask
        double bid_lots
        double ask_lots
        int64_t last_ns
        readonly int64_t ignored

    def __cinit__(self):
        self.last_ns = -1

    cdef bint move(self, int64_t ts_ns) except -1:
        cdef double dt, decay
        cdef int i
        check(ts_ns, 0.0)
        if ts_ns < self.last_ns:
            self.ignored += 1
            return False
        if self.last_ns >= 0:
            dt = (ts_ns - self.last_ns) * SECONDS
            for i in range(SCALES):
                decay = exp2(-dt / HALF_LIVES[i])
                self.ofi[i] *= decay
                self.trades[i] *= decay
            decay = exp2(-dt / 60.0)
            self.depth *= decay
            self.weight *= decay
        self.last_ns = ts_ns
        return True

    def quotes(self, int64_t ts_ns, int64_t bid, int64_t bid_lots, int64_t ask, int64_t ask_lots):
        """Take in the best quotes (ticks, lots); a missing side has 0 ticks and starts afresh."""
        cdef double e = 0.0
        cdef int i
        if not self.move(ts_ns):
            return
        if self.bid and bid:
            e += (bid_lots if bid >= self.bid else 0.0) - (
                self.bid_lots if bid <= self.bid else 0.0
            )
        if self.ask and ask:
            e += (self.ask_lots if ask >= self.ask else 0.0) - (
                ask_lots if ask <= self.ask else 0.0
            )
        for i in range(SCALES):
            self.ofi[i] += e
        self.depth += 0.5 * (bid_lots + ask_lots)
        self.weight += 1.0
        self.bid = bid
        self.ask = ask
        self.bid_lots = bid_lots
        self.ask_lots = ask_lots

    def traded(self, int64_t ts_ns, int64_t bought_lots, int64_t sold_lots):
        """Take in what takers bought and sold."""
        cdef int i
        if not self.move(ts_ns):
            return
        for i in range(SCALES):
            self.trades[i] += <double>bought_lots - <double>sold_lots

    @property
    def imbalances(self):
        """Order flow imbalance over half-lives of 0.1, 0.5, 1 and 5 s, in mean best sizes."""
        cdef double unit = self.unit()
        return tuple([self.ofi[i] * unit for i in range(SCALES)])

    @property
    def signed_trades(self):
        """Lots bought less sold over the same half-lives, in mean best sizes."""
        cdef double unit = self.unit()
        return tuple([self.trades[i] * unit for i in range(SCALES)])

    cdef double unit(self) noexcept:
        return self.weight / self.depth if self.depth > 0.0 else 0.0
