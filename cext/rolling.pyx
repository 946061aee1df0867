"""Rolling statistics over fixed memory: EWMA variance, median, ring of timed values, tokens.

Times are integer nanoseconds, not negative. An update that goes back in time is left out and
counted in `ignored`; a value that is not finite is refused.
"""

cimport cython
from libc.math cimport NAN, exp2, fabs, isfinite, sqrt
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memmove

cdef double SECONDS = 1e-9


cdef inline int check(int64_t ts_ns, double value) except -1:
    if ts_ns < 0:
        raise ValueError(f"a time must not be negative, not {ts_ns}")
    if not isfinite(value):
        raise ValueError(f"a value must be finite, not {value}")
    return 0


cdef double* doubles(int capacity) except NULL:
    if capacity < 1:
        raise ValueError(f"capacity must be at least 1, not {capacity}")
    cdef double* block = <double*>malloc(capacity * sizeof(double))
    if block == NULL:
        raise MemoryError(f"no memory for {capacity} values")
    return block


@cython.final
cdef class EwmaVariance:
    """Variance per second of the changes of a price sampled at irregular times.

    Sum of squared changes over sum of elapsed time, both halved every `half_life_s` seconds; for
    equal steps this is the usual EWMA of r^2 / dt without its start-up bias. NaN until time
    has passed between two values. O(1).
    """

    cdef:
        double half_life_s
        double squares
        double elapsed
        double last_value
        int64_t last_ns
        readonly int64_t count
        readonly int64_t ignored

    def __cinit__(self, double half_life_s):
        if not (isfinite(half_life_s) and half_life_s > 0.0):
            raise ValueError(f"half-life must be finite and positive, not {half_life_s}")
        self.half_life_s = half_life_s
        self.last_ns = -1

    def update(self, int64_t ts_ns, double value):
        """Take in `value` as of `ts_ns`; ValueError when it is not finite."""
        check(ts_ns, value)
        self.take(ts_ns, value)

    cdef void take(self, int64_t ts_ns, double value) noexcept:
        cdef double change, dt, decay
        if ts_ns < self.last_ns:
            self.ignored += 1
            return
        if self.last_ns >= 0:
            dt = (ts_ns - self.last_ns) * SECONDS
            decay = exp2(-dt / self.half_life_s)
            change = value - self.last_value
            self.squares = self.squares * decay + change * change
            self.elapsed = self.elapsed * decay + dt
        self.last_value = value
        self.last_ns = ts_ns
        self.count += 1

    @property
    def variance(self):
        """Squared value units per second."""
        return self.squares / self.elapsed if self.elapsed > 0.0 else NAN

    @property
    def sigma(self):
        """Value units per square root of a second."""
        return self.spread()

    cdef double spread(self) noexcept:
        return sqrt(self.squares / self.elapsed) if self.elapsed > 0.0 else NAN


@cython.final
cdef class RollingMedian:
    """Median of the last `capacity` values, kept sorted; a push is O(n) by one memmove."""

    cdef:
        double* arrived
        double* ordered
        int capacity
        int oldest
        readonly int count

    def __cinit__(self, int capacity):
        self.arrived = doubles(capacity)
        self.ordered = doubles(capacity)
        self.capacity = capacity

    def __dealloc__(self):
        free(self.arrived)
        free(self.ordered)

    cdef int place(self, double value) noexcept:
        """First position in `ordered` that does not hold less than `value`."""
        cdef int low = 0, high = self.count, middle
        while low < high:
            middle = (low + high) >> 1
            if self.ordered[middle] < value:
                low = middle + 1
            else:
                high = middle
        return low

    def push(self, double value):
        """Take in `value`, letting go of the oldest when full; ValueError when not finite."""
        self.take(value)

    cdef int take(self, double value) except -1:
        check(0, value)
        cdef int into = self.place(value), gone
        if self.count < self.capacity:
            gone = self.count
            self.arrived[self.count] = value
            self.count += 1
        else:
            gone = self.place(self.arrived[self.oldest])
            self.arrived[self.oldest] = value
            self.oldest = (self.oldest + 1) % self.capacity
            if into > gone:
                into -= 1
        assert 0 <= into < self.count and 0 <= gone < self.count
        cdef double* base = self.ordered
        if into < gone:
            memmove(base + into + 1, base + into, (gone - into) * sizeof(double))
        else:
            memmove(base + gone, base + gone + 1, (into - gone) * sizeof(double))
        base[into] = value
        return 0

    def clear(self):
        """Forget all values."""
        self.count = 0
        self.oldest = 0

    @property
    def median(self):
        """Middle value, or the mean of the two middle ones; NaN when empty."""
        return self.middle()

    cdef double middle(self) noexcept:
        cdef int half = self.count // 2
        if self.count == 0:
            return NAN
        if self.count % 2:
            return self.ordered[half]
        return self.ordered[half - 1] * 0.5 + self.ordered[half] * 0.5


@cython.final
cdef class Ring:
    """The last `capacity` timed values in time order; `at` is O(log n), `mean` O(n)."""

    cdef:
        int64_t* times
        double* values
        int capacity
        int oldest
        int count
        readonly int64_t ignored

    def __cinit__(self, int capacity):
        self.values = doubles(capacity)
        self.times = <int64_t*>doubles(capacity)
        self.capacity = capacity

    def __dealloc__(self):
        free(self.times)
        free(self.values)

    cdef inline int slot(self, int age) noexcept:
        return (self.oldest + age) % self.capacity

    def push(self, int64_t ts_ns, double value):
        """Append `value` as of `ts_ns`, letting go of the oldest when full."""
        check(ts_ns, value)
        self.take(ts_ns, value)

    cdef void take(self, int64_t ts_ns, double value) noexcept:
        if self.count and ts_ns < self.times[self.slot(self.count - 1)]:
            self.ignored += 1
            return
        cdef int into = self.slot(self.count)
        assert 0 <= into < self.capacity
        self.times[into] = ts_ns
        self.values[into] = value
        if self.count < self.capacity:
            self.count += 1
        else:
            self.oldest = self.slot(1)

    def at(self, int64_t ts_ns):
        """Last value at or before `ts_ns`; NaN before the first that is still held."""
        return self.last_at(ts_ns)

    cdef double last_at(self, int64_t ts_ns) noexcept:
        cdef int low = 0, high = self.count, middle
        while low < high:
            middle = (low + high) >> 1
            if self.times[self.slot(middle)] <= ts_ns:
                low = middle + 1
            else:
                high = middle
        return self.values[self.slot(low - 1)] if low else NAN

    def mean(self):
        """Mean of the values held; NaN when empty."""
        cdef double total = 0.0
        cdef int i
        for i in range(self.count):
            total += self.values[i]
        return total / self.count if self.count else NAN

    def __len__(self):
        return self.count


@cython.final
cdef class Moves:
    """How far a price usually moves and how wide its market usually is, in one call a sample.

    An EwmaVariance of the price, a Ring of its last `past` values and a RollingMedian of `spreads`
    spreads, which see the same samples.
    """

    cdef:
        EwmaVariance variance
        Ring values
        RollingMedian widths

    def __cinit__(self, double half_life_s, int past, int spreads):
        self.variance = EwmaVariance(half_life_s)
        self.values = Ring(past)
        self.widths = RollingMedian(spreads)

    def take(self, int64_t ts_ns, int64_t back_ns, double value, double spread):
        """Take in a sample; returns what held before it: samples, median spread, sigma, move.

        samples: spreads held; sigma: value units per square root of a second; move: how far `value`
        is from the one `back_ns` ago. NaN for what is not known. ValueError when not finite.
        """
        check(ts_ns, value)
        before = (
            self.widths.count, self.widths.middle(), self.variance.spread(),
            fabs(value - self.values.last_at(ts_ns - back_ns)),
        )
        self.widths.take(spread)
        self.variance.take(ts_ns, value)
        self.values.take(ts_ns, value)
        return before

    @property
    def sigma(self):
        """Value units per square root of a second; NaN before there is one."""
        return self.variance.spread()


@cython.final
cdef class Tokens:
    """So many tokens, each back `period_ns` after it was spent; times never decrease.

    No window of that length, wherever it starts, ever holds more spendings than there are tokens.
    """

    cdef:
        int64_t* spent_ns
        int64_t period_ns
        int oldest
        int out
        readonly int capacity

    def __cinit__(self, int capacity, int64_t period_ns):
        self.spent_ns = <int64_t*>doubles(capacity)
        self.capacity = capacity
        self.period_ns = period_ns

    def __dealloc__(self):
        free(self.spent_ns)

    def free(self, int64_t now_ns):
        """Tokens there are at `now_ns`; O(1) for each that has come back."""
        while self.out and now_ns - self.spent_ns[self.oldest] >= self.period_ns:
            self.oldest = (self.oldest + 1) % self.capacity
            self.out -= 1
        return self.capacity - self.out

    def spend(self, int64_t now_ns, int count):
        """Take `count` tokens; ValueError when `free` did not count as many."""
        cdef int i
        if not 0 <= count <= self.capacity - self.out:
            raise ValueError(f"{count} tokens asked for, {self.capacity - self.out} left")
        for i in range(count):
            self.spent_ns[(self.oldest + self.out) % self.capacity] = now_ns
            self.out += 1
