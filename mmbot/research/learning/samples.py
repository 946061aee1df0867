"""What was known when a quote was decided on, and whether it came to be filled: rows to learn from.

Every half second a virtual bid and ask at each depth are decided on. They stand a latency later,
for a second, and count as filled when takers go beyond their price or the book crosses it.
"""

from collections.abc import Iterator, Sequence
from math import exp, sqrt
from typing import NamedTuple

from mmbot.research.calibration.looks import BPS, Look, Stretch
from mmbot.research.calibration.shadows import accepted, passed

DEPTHS_BPS = (0.5, 1.0, 2.0)
SIDES = (1, -1)
# Rows of one decision stand together: every depth of every side.
ROWS = len(SIDES) * len(DEPTHS_BPS)
HORIZON_S = 1.0
DECISION_S = 0.5
# Of longer recordings decisions are taken less often.
MOST_DECISIONS = 20_000
WARM_UP_S = 10.0
RETURNS_S = (0.1, 0.5, 1.0, 5.0)
TRADES_S = (0.5, 5.0)
SIGMAS_S = (2.0, 10.0, 60.0)

# Those that change their sign with the side; positive ones are for a bid what negative are for an
# ask.
LEANING = (
    "imbalance",
    "imbalance within 1 bps",
    "imbalance within 5 bps",
    "order flow 1 s",
    *(f"trade flow {each:g} s" for each in TRADES_S),
    *(f"return {each:g} s" for each in RETURNS_S),
)
VOLATILITY = tuple(f"sigma {each:g} s" for each in SIGMAS_S)
SIGNALS = (*LEANING, *VOLATILITY, "spread, ticks")


class Sample(NamedTuple):
    """One virtual quote: `depth` is its place in `DEPTHS_BPS`, `known_ns` when its end is known."""

    decided_ns: int
    known_ns: int
    depth: int
    signals: tuple[float, ...]
    filled: bool


def samples(stretch: Stretch, latency_s: float) -> list[Sample]:
    """Return the rows of a recording, in order of time."""
    found = []
    lag, horizon = stretch.lag(latency_s), stretch.steps(HORIZON_S)
    every = max(stretch.steps(DECISION_S), -(-len(stretch.looks) // MOST_DECISIONS))
    first = stretch.steps(WARM_UP_S)
    for n, signals in signals_of(stretch):
        if n < first or n % every or not stretch.looks[n].mid:
            continue
        resting = range(n + lag, n + lag + horizon)
        if resting.stop > len(stretch.looks):
            break
        times = stretch.looks[n].ts_ns, stretch.looks[resting.stop - 1].ts_ns
        for side in SIDES:
            mirrored = mirror(signals, side)
            for depth, bps in enumerate(DEPTHS_BPS):
                price = stretch.mids[n] * (1 - side * bps / BPS)
                filled = _filled(stretch.looks, resting, side, price)
                found.append(Sample(*times, depth, mirrored, filled))
    return found


def mirror(signals: Sequence[float], side: int) -> tuple[float, ...]:
    """Tell signals as the other side sees them, so that one model serves both."""
    leaning = len(LEANING)
    return (*(side * each for each in signals[:leaning]), *signals[leaning:])


def _filled(looks: Sequence[Look], resting: range, side: int, price: float) -> bool:
    if not accepted(looks[resting.start - 1], side, price):
        return False
    return any(passed(looks[n], side, price) for n in resting)


class _Decaying:
    """A sum that fades with `tau_s`, and what it would be of ones."""

    def __init__(self, tau_s: float, step_ns: int) -> None:
        self._kept = exp(-step_ns / 1e9 / tau_s)
        self.total = self.weight = 0.0

    def add(self, value: float) -> None:
        self.total = self.total * self._kept + value
        self.weight = self.weight * self._kept + 1.0


def signals_of(stretch: Stretch) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Return what a bid sees at each step, of that look and those before it only."""
    step_ns = stretch.step_ns
    squares = [_Decaying(each, step_ns) for each in SIGMAS_S]
    signed = [_Decaying(each, step_ns) for each in TRADES_S]
    taken = [_Decaying(each, step_ns) for each in TRADES_S]
    back = [max(1, stretch.steps(each)) for each in RETURNS_S]
    root = sqrt(1e9 / step_ns)
    for n, look in enumerate(stretch.looks):
        move = _return(stretch.mids, n, 1)
        for each in squares:
            each.add(move * move)
        for each in signed:
            each.add(2 * look.bought_lots - look.traded_lots)
        for each in taken:
            each.add(look.traded_lots)
        yield (
            n,
            (
                look.imbalance,
                *look.leans,
                look.flow,
                *(
                    some.total / every.total if every.total else 0.0
                    for some, every in zip(signed, taken, strict=True)
                ),
                *(_return(stretch.mids, n, steps) for steps in back),
                *(sqrt(each.total / each.weight) * root for each in squares),
                float(look.ask - look.bid),
            ),
        )


def _return(mids: Sequence[float], n: int, steps: int) -> float:
    return (mids[n] / mids[max(0, n - steps)] - 1) * BPS
