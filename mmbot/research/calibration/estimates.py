"""Volatility, arrivals and what the book foretells, each with an interval.

Intervals are of a block bootstrap: the recording's blocks are drawn again with replacement. That
asks of every estimate to be a function of sums over blocks.
"""

from collections.abc import Callable, Sequence
from math import exp, sqrt
from statistics import median

from msgspec import Struct

from mmbot.research.calibration.looks import BPS, Stretch
from mmbot.research.contest.paired import MIN_BLOCKS, Estimate, drawn, estimate

MIN_BLOCK_S = 10
BLOCKS = 100
# Farther than half the usual spread, and a hair for rounding: what the tail begins at.
TAIL_MARGIN_BPS = 0.05
BINS = 8
MIN_TRADES = 20
FORETOLD_S = 1.0

Sums = list[float]


class Arrivals(Struct, frozen=True):
    """Trades reach x bps beyond mid at the rate A exp(-k x) a second and side, for x above x0.

    `misfit_p` is how likely a true exponential is to look as bad as this; below 0.05 the formula
    does not hold here, and rules that rest on it should not be trusted.
    """

    arrivals_per_s: Estimate
    decay_per_bps: Estimate
    from_bps: float
    trades_count: int
    chi_square: float
    misfit_p: float


class Foretelling(Struct, frozen=True):
    """Move of the mid within a second per unit of a signal, and its share of all such moves."""

    slope_bps: Estimate
    r_squared: float


def blocks_of(stretch: Stretch) -> list[range]:
    """Cut into a hundred blocks of steps, each 10 s at least; the last one is the rest."""
    size = max(stretch.steps(MIN_BLOCK_S), -(-len(stretch.looks) // BLOCKS))
    count = max(1, len(stretch.looks) // size)
    starts = [n * size for n in range(count)]
    return [
        range(start, end)
        for start, end in zip(starts, [*starts[1:], len(stretch.looks)], strict=True)
    ]


def bootstrapped(
    sums: Sequence[Sums], figure: Callable[[Sums], float | None], seed: int
) -> Estimate | None:
    """Return a figure of the sums of all blocks with its interval; None where it has none."""
    value = figure(_added(sums))
    if value is None:
        return None
    if len(sums) < MIN_BLOCKS:
        return Estimate(value, None, None)
    draws = (figure(list(each)) for each in drawn(sums, seed))
    return estimate(value, [draw for draw in draws if draw is not None])


def _added(sums: Sequence[Sums]) -> Sums:
    return [sum(column) for column in zip(*sums, strict=True)]


def volatility(stretch: Stretch, seconds: float, seed: int) -> Estimate | None:
    """Standard deviation of the mid's moves over so many seconds, bps per root second."""
    lag = max(1, stretch.steps(seconds))
    mids = stretch.mids
    sums = []
    for block in blocks_of(stretch):
        ends = range(max(block.start, lag), block.stop)
        moves = [(mids[n] / mids[n - lag] - 1) * BPS for n in ends]
        sums.append([float(len(moves)), sum(move * move for move in moves)])
    root = sqrt(lag * stretch.step_ns / 1e9)
    return bootstrapped(sums, lambda s: sqrt(s[1] / s[0]) / root if s[0] else None, seed)


def arrivals(stretch: Stretch, latency_s: float, seed: int) -> Arrivals | None:
    """Fit A and k by maximum likelihood to how far trades went in each step, on either side.

    Distances are from the mid as our order, sent `latency_s` before, would have known it. None with
    fewer than twenty trades beyond half the usual spread.
    """
    spreads = [(look.ask - look.bid) / look.mid * BPS for look in stretch.looks if look.mid]
    x0 = median(spreads) / 2 + TAIL_MARGIN_BPS
    lag = stretch.lag(latency_s)
    seconds = stretch.step_ns / 1e9
    sums, excesses = [], []
    for block in blocks_of(stretch):
        beyond = [
            x - x0
            for n in range(max(block.start, lag), block.stop)
            for x in _reached(stretch, n, stretch.mids[n - lag])
            if x > x0
        ]
        excesses += beyond
        sums.append([float(len(beyond)), sum(beyond), len(block) * seconds])
    if len(excesses) < MIN_TRADES:
        return None
    decay = bootstrapped(sums, lambda s: s[0] / s[1] if s[1] else None, seed)
    rate = bootstrapped(
        sums,
        lambda s: s[0] / (2 * s[2]) * exp(min(700.0, x0 * s[0] / s[1])) if s[1] else None,
        seed,
    )
    if decay is None or rate is None:
        return None
    square, chance = misfit(excesses, decay.value)
    return Arrivals(rate, decay, x0, len(excesses), square, chance)


def _reached(stretch: Stretch, n: int, mid: float) -> list[float]:
    look = stretch.looks[n]
    reached = []
    if look.bought_ticks:
        reached.append((look.bought_ticks / mid - 1) * BPS)
    if look.sold_ticks:
        reached.append((1 - look.sold_ticks / mid) * BPS)
    return reached


def misfit(excesses: Sequence[float], decay: float) -> tuple[float, float]:
    """Chi-square of excesses against an exponential tail in bins of equal chance, and its p."""
    counts = [0] * BINS
    for excess in excesses:
        counts[min(BINS - 1, int((1 - exp(-decay * excess)) * BINS))] += 1
    expected = len(excesses) / BINS
    square = sum((count - expected) ** 2 for count in counts) / expected
    # Six degrees of freedom: eight bins, their sum and the decay are given. Closed form.
    half = square / 2
    return square, exp(-half) * (1 + half + half * half / 2)


def imbalance(stretch: Stretch, seed: int) -> Foretelling | None:
    """What the imbalance of the best sizes foretells."""
    return _foretold(stretch, [look.imbalance for look in stretch.looks], seed)


def order_flow(stretch: Stretch, seed: int) -> Foretelling | None:
    """What the order flow imbalance of a second foretells."""
    return _foretold(stretch, [look.flow for look in stretch.looks], seed)


def _foretold(stretch: Stretch, signals: Sequence[float], seed: int) -> Foretelling | None:
    """Slope of the next second's move on a signal, through zero."""
    ahead = stretch.steps(FORETOLD_S)
    mids = stretch.mids
    sums = []
    for block in blocks_of(stretch):
        pairs = [
            (signals[n], (mids[n + ahead] / mids[n] - 1) * BPS)
            for n in range(block.start, min(block.stop, len(mids) - ahead))
        ]
        sums.append(
            [
                sum(x * x for x, _ in pairs),
                sum(x * y for x, y in pairs),
                sum(y * y for _, y in pairs),
            ]
        )
    slope = bootstrapped(sums, lambda s: s[1] / s[0] if s[0] else None, seed)
    if slope is None:
        return None
    squares, products, moves = _added(sums)
    share = products * products / (squares * moves) if moves else 0.0
    return Foretelling(slope, share)
