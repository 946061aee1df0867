"""Rolling statistics over plain lists, computed afresh for every answer."""

import math
import statistics


class OracleVariance:
    """Weighted squared changes over weighted time, with every weight written out."""

    def __init__(self, half_life_s: float) -> None:
        self.half_life_s = half_life_s
        self.samples: list[tuple[int, float]] = []
        self.ignored = 0

    def update(self, ts_ns: int, value: float) -> None:
        if self.samples and ts_ns < self.samples[-1][0]:
            self.ignored += 1
        else:
            self.samples.append((ts_ns, value))

    @property
    def variance(self) -> float:
        squares = elapsed = 0.0
        for (before_ns, before), (ts_ns, value) in zip(
            self.samples, self.samples[1:], strict=False
        ):
            age_s = (self.samples[-1][0] - ts_ns) / 1e9
            weight = 0.5 ** (age_s / self.half_life_s)
            squares += weight * (value - before) ** 2
            elapsed += weight * (ts_ns - before_ns) / 1e9
        return squares / elapsed if elapsed else math.nan


class OracleMedian:
    """Median of the tail of a list."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.values: list[float] = []

    def push(self, value: float) -> None:
        self.values = [*self.values, value][-self.capacity :]

    def clear(self) -> None:
        self.values = []

    @property
    def median(self) -> float:
        return statistics.median(self.values) if self.values else math.nan


class OracleRing:
    """The tail of a list of (time, value)."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.kept: list[tuple[int, float]] = []
        self.ignored = 0

    def push(self, ts_ns: int, value: float) -> None:
        if self.kept and ts_ns < self.kept[-1][0]:
            self.ignored += 1
        else:
            self.kept = [*self.kept, (ts_ns, value)][-self.capacity :]

    def at(self, ts_ns: int) -> float:
        return next((v for ts, v in reversed(self.kept) if ts <= ts_ns), math.nan)

    def mean(self) -> float:
        return statistics.fmean(v for _, v in self.kept) if self.kept else math.nan


class OracleTokens:
    """Every spending remembered for ever, those within the period counted."""

    def __init__(self, capacity: int, period_ns: int) -> None:
        self.capacity = capacity
        self.period_ns = period_ns
        self.spent_ns: list[int] = []

    def free(self, now_ns: int) -> int:
        return self.capacity - sum(now_ns - ns < self.period_ns for ns in self.spent_ns)

    def spend(self, now_ns: int, count: int) -> None:
        self.spent_ns += [now_ns] * count
