"""Virtual quotes at several depths, and what their fills were worth: the depth-markout curve.

At every step a virtual bid and ask stand at each depth around the mid as it was a latency ago. One
is filled when takers go beyond its price, or the book crosses it, before the next step; there is no
queue, and nobody reacts to it.
"""

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct

from mmbot.research.calibration.estimates import Sums, blocks_of, bootstrapped
from mmbot.research.calibration.looks import BPS, Look, Stretch
from mmbot.research.contest.paired import Estimate

DEPTHS_BPS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 9.0)
HORIZONS_S = (1.0, 5.0, 30.0)
HORIZON_S = 5.0
# Fewer shadow fills than these do not count as a depth that is known.
ENOUGH = 20


class Depth(Struct, frozen=True):
    """One depth: shadow fills a minute and their mean markout at each horizon with its error."""

    depth_bps: float
    fills_count: int
    per_minute: float
    means_bps: tuple[float | None, ...]
    errors_bps: tuple[float | None, ...]


class Curve(Struct, frozen=True):
    """All depths at one latency.

    `break_even_bps` is the least distance from mid at which fills are worth the fee after 5 s;
    None where no known depth is.
    """

    latency_s: float
    fee_bps: float
    depths: tuple[Depth, ...]
    break_even_bps: Estimate | None


def curve(
    stretch: Stretch,
    latency_s: float,
    fee_bps: float,
    seed: int,
    depths_bps: Sequence[float] = DEPTHS_BPS,
) -> Curve:
    """Measure every depth of a recording."""
    per_depth = [_fills(stretch, latency_s, depth) for depth in depths_bps]
    rows = tuple(
        _depth(stretch, depth, fills) for depth, fills in zip(depths_bps, per_depth, strict=True)
    )
    known = [place for place, row in enumerate(rows) if row.fills_count >= ENOUGH]
    sums = [_sums([per_depth[place] for place in known], block) for block in blocks_of(stretch)]
    depths = [depths_bps[place] for place in known]
    found = bootstrapped(sums, lambda s: break_even(depths, s, fee_bps), seed) if known else None
    return Curve(latency_s, fee_bps, rows, found)


def break_even(depths_bps: Sequence[float], sums: Sums, fee_bps: float) -> float | None:
    """Where the mean markout rises to the fee for good, straight lines between the depths."""
    points = [
        (depth, total / count - fee_bps)
        for depth, count, total in zip(depths_bps, sums[::2], sums[1::2], strict=True)
        if count
    ]
    if not points or points[-1][1] < 0:
        return None
    losing = [place for place, (_, edge) in enumerate(points) if edge < 0]
    if not losing:
        return points[0][0]
    (near, below), (far, above) = points[losing[-1]], points[losing[-1] + 1]
    return near + (far - near) * below / (below - above)


_Fill = tuple[int, tuple[float | None, ...]]
"""The step of a shadow fill, and its markouts."""


def _fills(stretch: Stretch, latency_s: float, depth_bps: float) -> list[_Fill]:
    lag = stretch.lag(latency_s)
    ahead = [stretch.steps(horizon) for horizon in HORIZONS_S]
    mids, away = stretch.mids, depth_bps / BPS
    found: list[_Fill] = []
    for n in range(lag, len(mids)):
        look = stretch.looks[n]
        anchor, before = mids[n - lag], stretch.looks[n - 1]
        for side in (1, -1):
            price = anchor * (1 - side * away)
            if accepted(before, side, price) and passed(look, side, price):
                found.append((n, _markouts(mids, n, ahead, side, price)))
    return found


def accepted(look: Look, side: int, price: float) -> bool:
    """Whether a quote of a side, +1 to buy, stands: one that would cross is refused."""
    return 0 < price < look.ask if side > 0 else 0 < look.bid < price


def passed(look: Look, side: int, price: float) -> bool:
    """Whether takers went beyond its price in the step that ends here, or the book crossed it."""
    if side > 0:
        return 0 < look.sold_ticks < price or 0 < look.ask <= price
    return look.bought_ticks > price or look.bid >= price


def _markouts(
    mids: Sequence[float], n: int, ahead: Sequence[int], side: int, price: float
) -> tuple[float | None, ...]:
    return tuple(
        side * (mids[n + steps] / price - 1) * BPS if n + steps < len(mids) else None
        for steps in ahead
    )


def _depth(stretch: Stretch, depth_bps: float, fills: Sequence[_Fill]) -> Depth:
    means, errors = [], []
    for place, horizon in enumerate(HORIZONS_S):
        known = [(n, marks[place]) for n, marks in fills]
        values = [(n, mark) for n, mark in known if mark is not None]
        mean = sum(mark for _, mark in values) / len(values) if values else None
        means.append(mean)
        block = stretch.steps(max(10.0, 2 * horizon))
        errors.append(None if mean is None else _error(values, mean, block))
    return Depth(
        depth_bps, len(fills), len(fills) / stretch.seconds * 60, tuple(means), tuple(errors)
    )


def _error(values: Sequence[tuple[int, float]], mean: float, block_steps: int) -> float | None:
    """Standard error of a mean with clusters: fills close in time share the same move."""
    residuals: dict[int, float] = {}
    for n, value in values:
        residuals[n // block_steps] = residuals.get(n // block_steps, 0.0) + value - mean
    count = len(residuals)
    if count < 2:
        return None
    squares = sum(each * each for each in residuals.values())
    return sqrt(squares * count / (count - 1)) / len(values)


def _sums(per_depth: Sequence[Sequence[_Fill]], block: range) -> Sums:
    place = HORIZONS_S.index(HORIZON_S)
    sums: Sums = []
    for fills in per_depth:
        marks = [marks[place] for n, marks in fills if n in block]
        known = [mark for mark in marks if mark is not None]
        sums += [float(len(known)), sum(known)]
    return sums
