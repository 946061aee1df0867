"""Figures of a running bot: counts, gauges and times by name and labels, and what money came of.

Counted where things happen, in plain numbers; what they are called outside is the faces' business.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

Labels = tuple[str, ...]
"""Values of the labels of a family, in its order."""

T = TypeVar("T")

_MS = 1_000_000
# Upper ends of buckets, nanoseconds.
REACTION_NS = (
    *(25_000, 50_000, 100_000, 250_000, 500_000, 1 * _MS, 2_500_000, 5 * _MS, 10 * _MS),
    *(25 * _MS, 50 * _MS, 100 * _MS, 250 * _MS, 1_000 * _MS),
)
NETWORK_NS = tuple(
    each * _MS for each in (5, 10, 25, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000)
)
DELAY_NS = tuple(
    each * _MS for each in (10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
)
LAG_NS = (
    *(500_000, 1 * _MS, 2_500_000, 5 * _MS, 10 * _MS, 25 * _MS, 50 * _MS),
    *(100 * _MS, 250 * _MS, 500 * _MS, 1_000 * _MS),
)
PAUSE_NS = (100_000, 500_000, 1 * _MS, 5 * _MS, 10 * _MS, 50 * _MS, 100 * _MS)


class Histogram:
    """How many times were up to each bound; `counts` has one more, for those beyond."""

    __slots__ = ("bounds_ns", "counts", "sum_ns")

    def __init__(self, bounds_ns: tuple[int, ...]) -> None:
        self.bounds_ns = bounds_ns
        self.counts = [0] * (len(bounds_ns) + 1)
        self.sum_ns = 0

    def add(self, ns: int) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds_ns, ns)] += 1
        self.sum_ns += ns

    def quantile_ns(self, share: float) -> float | None:
        """Estimate which time this share stayed below; within a bucket all are spread evenly.

        None before the first; what lies beyond the last bound counts as that.
        """
        wanted = share * sum(self.counts)
        if not wanted:
            return None
        low, below = 0, 0
        for bound, count in zip(self.bounds_ns, self.counts, strict=False):
            if count and below + count >= wanted:
                return low + (bound - low) * (wanted - below) / count
            low, below = bound, below + count
        return float(low)


class Readings(Struct, frozen=True):
    """Numbers by family and labels; a family is named as in operations 7.2, without prefix."""

    counts: Mapping[str, Mapping[Labels, float]] = {}
    gauges: Mapping[str, Mapping[Labels, float]] = {}
    times: Mapping[str, Mapping[Labels, Histogram]] = {}


NO_READINGS = Readings()


def joined(parts: Iterable[Readings]) -> Readings:
    """Return all of them as one; the same labels of a family are given by one part only."""
    every = tuple(parts)
    return Readings(
        _merged(each.counts for each in every),
        _merged(each.gauges for each in every),
        _merged(each.times for each in every),
    )


def _merged(parts: Iterable[Mapping[str, Mapping[Labels, T]]]) -> dict[str, dict[Labels, T]]:
    found: dict[str, dict[Labels, T]] = {}
    for part in parts:
        for name, values in part.items():
            found.setdefault(name, {}).update(values)
    return found


class PnlLines(Struct, frozen=True):
    """Where a profit came from, micro-USD: costs are negative, and the lines add up to it.

    spread: earned against the mid at our fills. adverse: how prices moved in the 5 s after them.
    inventory: all else that what was held earned. rebates: fees that were paid to us.
    """

    spread: int = 0
    adverse: int = 0
    inventory: int = 0
    fees: int = 0
    rebates: int = 0
    funding: int = 0
    hedge: int = 0

    @property
    def total(self) -> int:
        """The profit."""
        return sum(getattr(self, name) for name in self.__struct_fields__)

    def plus(self, other: "PnlLines", sign: int = 1) -> "PnlLines":
        """Return the sum, or with -1 the difference."""
        names = self.__struct_fields__
        return PnlLines(*(getattr(self, name) + sign * getattr(other, name) for name in names))


class MarketPnl(Struct, frozen=True):
    """A market's profit since the start of the run, and since 00:00 UTC or the start."""

    symbol: str
    run: PnlLines
    day: PnlLines


class CurvePoint(Struct, frozen=True, array_like=True):
    """Equity, and the profit of this run, micro-USD; equity None while it is not known."""

    ts_ns: int
    equity_uusd: int | None
    pnl_uusd: int


class Timing(Struct, frozen=True):
    """A time that is measured again and again: what half and 99 % of them stay below."""

    name: str
    p50_ms: float | None
    p99_ms: float | None


class Ladder(Struct, frozen=True):
    """The best levels of a book, best first: ticks and lots, our own among them."""

    symbol: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
