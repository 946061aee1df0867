"""A market looked at on a fixed grid: best quotes, and how far takers went between two looks."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

BPS = 1e4


class Look(NamedTuple):
    """The market at a moment; prices in ticks, 0 for a missing side.

    `bought_ticks` is the highest price that takers bought at since the last look, `sold_ticks` the
    lowest that they sold at, 0 for none; `traded_lots` is what they took, `bought_lots` of it by
    buying. `flow` is what the last second added to the bid less the ask, in mean sizes at the best.
    `leans` are the imbalances of all sizes within 1 and 5 bps of the best.
    """

    ts_ns: int
    bid: int
    bid_lots: int
    ask: int
    ask_lots: int
    bought_ticks: int
    sold_ticks: int
    traded_lots: int = 0
    flow: float = 0.0
    bought_lots: int = 0
    leans: tuple[float, ...] = (0.0, 0.0)

    @property
    def mid(self) -> float:
        """Middle of the best quotes in ticks; 0 while a side is missing."""
        return (self.bid + self.ask) / 2 if self.bid and self.ask else 0.0

    @property
    def imbalance(self) -> float:
        """Of the best sizes, in [-1, 1]."""
        return lean(self.bid_lots, self.ask_lots)


def lean(bid_lots: int, ask_lots: int) -> float:
    """Return the imbalance of two sizes, 0 without any."""
    lots = bid_lots + ask_lots
    return (bid_lots - ask_lots) / lots if lots else 0.0


class Stretch(NamedTuple):
    """A recording on the grid of `step_ns`; in `mids` the last one stands in for a missing one."""

    step_ns: int
    looks: Sequence[Look]
    mids: Sequence[float]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.looks) * self.step_ns / 1e9

    def steps(self, seconds: float) -> int:
        """How many steps so many seconds are."""
        return round(seconds * 1e9 / self.step_ns)

    def lag(self, latency_s: float) -> int:
        """How many steps old the mid is that an order was made from which rests over a step."""
        return 1 + ceil(latency_s * 1e9 / self.step_ns - 1e-9)


def stretch_of(step_ns: int, looks: Sequence[Look]) -> Stretch:
    """Begin with the first look that has both sides."""
    first = next((n for n, look in enumerate(looks) if look.mid), len(looks))
    kept = looks[first:]
    mids: list[float] = []
    for look in kept:
        mids.append(look.mid or mids[-1])
    return Stretch(step_ns, kept, mids)
