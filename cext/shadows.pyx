"""Shadow quotes: virtual orders at eight depths, and what their fills were worth 5 seconds later.

Prices are ticks, times integer nanoseconds; sides are BID = 1 and ASK = -1.
"""

cimport cython
from libc.math cimport ceil, exp, fabs, floor, fmax, isfinite, sqrt
from libc.stdint cimport int64_t

include "consts.pxi"

cdef enum:
    DEPTHS = 8
    FAIRS = 64
    PENDING = 4096

DEPTH_COUNT = DEPTHS
cdef double[DEPTHS] MULTIPLES = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0]
cdef double SECONDS = 1e-9
cdef int64_t LATE_NS = 1_000_000_000


cdef struct Fill:
    int64_t due_ns
    double price
    int side
    int depth


@cython.final
cdef class Shadows:
    """Virtual bids and asks around a fair price `lag` ago, and a table of what became of them.

    Depths are fixed multiples of `scale` bps, the shallowest at least a tick from fair and each at
    least a tick from the next. A shadow fills when takers trade beyond its price or the book
    crosses it, once at most between two steps. Counts, markouts and their squares decay with
    `tau_s`.
    """

    cdef:
        int64_t fair_ns[FAIRS]
        double fairs[FAIRS]
        int fair_at
        int fair_count
        Fill pending[PENDING]
        int head
        int waiting
        double bids[DEPTHS]
        double asks[DEPTHS]
        double counts[DEPTHS]
        double sums[DEPTHS]
        double squares[DEPTHS]
        double tau_s
        int64_t horizon_ns
        int64_t last_ns
        readonly double scale
        readonly int64_t filled
        readonly int64_t ignored

    def __cinit__(self, double tau_s, int64_t horizon_ns):
        if not (isfinite(tau_s) and tau_s > 0.0) or horizon_ns < 1:
            raise ValueError(f"tau and horizon must be positive, not {tau_s} and {horizon_ns}")
        self.tau_s = tau_s
        self.horizon_ns = horizon_ns
        self.last_ns = -1
        self.scale = 1.0

    def rescale(self, double scale):
        """Have depths at other distances; what was learned at the old ones is forgotten."""
        cdef int j
        if not (isfinite(scale) and scale > 0.0):
            raise ValueError(f"a scale must be finite and positive, not {scale}")
        self.scale = scale
        self.waiting = 0
        for j in range(DEPTHS):
            self.counts[j] = self.sums[j] = self.squares[j] = 0.0
            self.bids[j] = self.asks[j] = 0.0

    def depth(self, int number):
        """Distance of a depth from fair, in bps."""
        if not 0 <= number < DEPTHS:
            raise IndexError(f"no depth {number}")
        return MULTIPLES[number] * self.scale

    def step(
        self, int64_t ts_ns, double fair, tuple touch, int64_t bought, int64_t sold,
        int64_t lag_ns,
    ):
        """Fill what was reached since the last step, book what has matured, and quote anew.

        touch: best bid and best ask (ticks). bought: the highest price takers bought at since the
        last step, 0 none; sold: the lowest they sold at.
        """
        cdef int64_t bid = touch[0], ask = touch[1]
        cdef double mid = (bid + ask) * 0.5
        if not (isfinite(fair) and fair > 0.0) or bid < 1 or ask <= bid or lag_ns < 0:
            raise ValueError(f"bad prices: fair {fair}, {bid}, {ask}, lag {lag_ns}")
        if ts_ns < self.last_ns:
            self.ignored += 1
            return
        self.decay(ts_ns)
        self.mature(ts_ns, mid)
        self.fill(ts_ns, bid, ask, bought, sold)
        self.fair_at = (self.fair_at + 1) % FAIRS
        self.fair_ns[self.fair_at] = ts_ns
        self.fairs[self.fair_at] = fair
        self.fair_count = min(self.fair_count + 1, FAIRS)
        self.quote(self.fair_before(ts_ns - lag_ns), bid, ask)

    cdef void decay(self, int64_t ts_ns) noexcept:
        cdef double keep
        cdef int j
        if self.last_ns >= 0 and ts_ns > self.last_ns:
            keep = exp(-(ts_ns - self.last_ns) * SECONDS / self.tau_s)
            for j in range(DEPTHS):
                self.counts[j] *= keep
                self.sums[j] *= keep
                self.squares[j] *= keep
        if self.last_ns >= 0 and ts_ns - self.last_ns > LATE_NS:
            # Nobody looked: what would have filled is not known.
            for j in range(DEPTHS):
                self.bids[j] = self.asks[j] = 0.0
        self.last_ns = ts_ns

    cdef void mature(self, int64_t ts_ns, double mid) noexcept:
        cdef Fill* fill
        cdef double markout
        while self.waiting and self.pending[self.head].due_ns <= ts_ns:
            fill = &self.pending[self.head]
            self.head = (self.head + 1) % PENDING
            self.waiting -= 1
            if ts_ns - fill.due_ns > LATE_NS:
                continue
            markout = fill.side * (mid - fill.price) / fill.price * 1e4
            self.counts[fill.depth] += 1.0
            self.sums[fill.depth] += markout
            self.squares[fill.depth] += markout * markout

    cdef void fill(
        self, int64_t ts_ns, int64_t bid, int64_t ask, int64_t bought, int64_t sold
    ) noexcept:
        cdef int j
        for j in range(DEPTHS):
            if self.bids[j] > 0.0 and (ask <= self.bids[j] or 0 < sold < self.bids[j]):
                self.add(ts_ns, BID, j, self.bids[j])
            if self.asks[j] > 0.0 and (bid >= self.asks[j] or bought > self.asks[j]):
                self.add(ts_ns, ASK, j, self.asks[j])

    cdef void add(self, int64_t ts_ns, int side, int depth, double price) noexcept:
        if self.waiting < PENDING:
            self.pending[(self.head + self.waiting) % PENDING] = Fill(
                ts_ns + self.horizon_ns, price, side, depth
            )
            self.waiting += 1
            self.filled += 1

    cdef double fair_before(self, int64_t ts_ns) noexcept:
        # The latest fair price at or before then; the oldest held when all are younger.
        cdef int age, at = self.fair_at
        for age in range(self.fair_count):
            at = (self.fair_at - age + FAIRS) % FAIRS
            if self.fair_ns[at] <= ts_ns:
                break
        return self.fairs[at]

    cdef void quote(self, double fair, int64_t bid, int64_t ask) noexcept:
        cdef double away, low = fair, high = fair
        cdef int j
        for j in range(DEPTHS):
            away = fair * MULTIPLES[j] * self.scale * 1e-4
            low = min(floor(fair - away), ceil(low) - 1.0)
            high = max(ceil(fair + away), floor(high) + 1.0)
            # One that would trade at once is none.
            self.bids[j] = low if low < ask else 0.0
            self.asks[j] = high if high > bid else 0.0

    def table(self):
        """Every depth, the shallowest first: (bps, count, mean markout, its standard error)."""
        cdef double mean, variance
        cdef int j
        rows = []
        for j in range(DEPTHS):
            mean = self.sums[j] / self.counts[j] if self.counts[j] > 0.0 else 0.0
            variance = 0.0
            if self.counts[j] > 0.0:
                variance = fmax(self.squares[j] / self.counts[j] - mean * mean, 0.25)
                variance /= self.counts[j]
            rows.append((MULTIPLES[j] * self.scale, self.counts[j], mean, sqrt(variance)))
        return rows

    def state(self):
        """What was learned, to go on with later: (scale, [(count, sum, squares)] by depth)."""
        return self.scale, [
            (self.counts[j], self.sums[j], self.squares[j]) for j in range(DEPTHS)
        ]

    def restore(self, double scale, list rows, double age_s):
        """Go on with what `state` told, `age_s` old; ValueError when it is damaged."""
        cdef int j
        cdef double keep
        good = len(rows) == DEPTHS and all(
            isfinite(count) and count >= 0.0 and isfinite(total) and isfinite(square)
            and square * count >= total * total * (1 - 1e-9)
            for count, total, square in rows
        )
        if not good or not (isfinite(age_s) and age_s >= 0.0):
            raise ValueError("not a state of shadows")
        self.rescale(scale)
        keep = exp(-age_s / self.tau_s)
        for j in range(DEPTHS):
            self.counts[j], self.sums[j], self.squares[j] = [each * keep for each in rows[j]]
