"""Intervals by block bootstrap: stretches of time, or whole runs, are drawn again with replacement.

Two strategies keep what they did at the same time together, so what the market did to both cancels.
Non-overlapping blocks after Carlstein (1986), percentile intervals; the seed makes them repeat.
"""

from collections.abc import Sequence
from math import floor
from random import Random
from typing import NamedTuple

from msgspec import Struct

CONFIDENCE_PCT = 90
RESAMPLES = 2000
MIN_BLOCKS = 10


class Block(NamedTuple):
    """What a strategy earned after fees, and traded, over a stretch of time."""

    profit_usd: float
    volume_usd: float


NOTHING = Block(0.0, 0.0)

Pair = tuple[Block, Block]
"""What two strategies did over the same stretch."""


class Estimate(Struct, frozen=True):
    """A figure and its interval; `low` and `high` are None where too little was seen for one."""

    value: float
    low: float | None
    high: float | None

    @property
    def clear_of_zero(self) -> bool:
        """Whether the interval leaves no doubt about the sign."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


class Sums(NamedTuple):
    """Sums of a resample: ours and theirs."""

    profit: float
    volume: float
    other_profit: float
    other_volume: float

    @property
    def bps_of_volume(self) -> float | None:
        """Our profit per volume less theirs; the other side counts 0 when it traded nothing."""
        if self.volume <= 0:
            return None
        theirs = self.other_profit / self.other_volume if self.other_volume > 0 else 0.0
        return (self.profit / self.volume - theirs) * 1e4


def total(pairs: Sequence[Pair]) -> Sums:
    """Add everything up."""
    return Sums(
        sum(ours.profit_usd for ours, _ in pairs),
        sum(ours.volume_usd for ours, _ in pairs),
        sum(theirs.profit_usd for _, theirs in pairs),
        sum(theirs.volume_usd for _, theirs in pairs),
    )


def drawn(rows: Sequence[Sequence[float]], seed: int) -> list[tuple[float, ...]]:
    """Return the sums of every column over `RESAMPLES` draws of as many rows."""
    random = Random(seed)  # noqa: S311 - statistics, reproducible on purpose
    return [
        tuple(map(sum, zip(*random.choices(rows, k=len(rows)), strict=True)))
        for _ in range(RESAMPLES)
    ]


def resampled(pairs: Sequence[Pair], seed: int) -> list[Sums]:
    """Return the sums of `RESAMPLES` draws; none with fewer than `MIN_BLOCKS` pairs."""
    if len(pairs) < MIN_BLOCKS:
        return []
    return [Sums(*sums) for sums in drawn([(*ours, *theirs) for ours, theirs in pairs], seed)]


def interval(draws: Sequence[float]) -> tuple[float, float]:
    """Return the percentile interval of what came out of the draws, one at least."""
    ordered = sorted(draws)
    tail = floor(len(ordered) * (100 - CONFIDENCE_PCT) / 200)
    return float(ordered[tail]), float(ordered[-1 - tail])


def estimate(value: float, draws: Sequence[float]) -> Estimate:
    """Return a figure with the interval of what the draws made of it."""
    return Estimate(value, *(interval(draws) if draws else (None, None)))
