"""Markout control: how wide to quote, by what virtual quotes at eight depths earn 5 s later.

No quote is risked to learn it: shadows carry the bot's own delay, fill on what the public trades,
and say which depth pays and whether any does.
"""

from math import exp, inf, sqrt
from typing import Annotated, NamedTuple

from msgspec import Struct
from pydantic import Field

from mmbot.cext.shadows import DEPTH_COUNT, Shadows
from mmbot.domain.params import Params

SECOND_NS = 1_000_000_000
HORIZON_NS = 5 * SECOND_NS
EVERY_NS = 5 * SECOND_NS
# Half the median spread of the market that the depths were chosen for.
USUAL_HALF_BPS = 1.5
# Fewer shadow fills than these say nothing.
LEAST_FILLS = 5.0
STEP = 0.1
# A market whose usual spread has changed by more than this has other depths.
RESCALED = 1.6
OWN_HALF_LIFE = 50.0
# Own fills are one series, looked at after each of them: it takes more of them to be sure.
LEAST_OWN_FILLS = 10.0
# How sure to be that own fills fare worse than shadows before it counts.
SURE = -2.0
NO_DEPTH = "no depth pays"


class MarkoutParams(Params):
    """The control of `spread.model: markout`."""

    tau_s: Annotated[
        float, Field(ge=60, le=86_400, description="memory of the table of shadow fills")
    ] = 600.0
    prior_half_bps: Annotated[
        float, Field(gt=0, le=1000, description="half width before anything is known")
    ] = 6.0
    min_edge_bps: Annotated[
        float, Field(ge=0, le=100, description="what a fill has to earn, fee taken off")
    ] = 0.25
    confidence: Annotated[
        float, Field(ge=0, le=10, description="standard errors granted to a depth that loses")
    ] = 1.25
    sigma_multiple: Annotated[
        float, Field(ge=0, le=100, description="least half width per usual move of a second")
    ] = 3.0


class Choice(NamedTuple):
    """A depth to quote at, None to go back to the prior; `pays` is False when no depth does."""

    depth: int | None
    pays: bool = True


Row = tuple[float, float, float, float]
"""A depth: bps, how many fills, their mean markout, its standard error."""


def choose(table: list[Row], fee_bps: float, params: MarkoutParams, shift_bps: float) -> Choice:
    """Pick the depth that earns most; the first rule that finds one decides.

    By what was earned beyond fee and least edge; else by what may be earned yet; else none pays.
    Depths of few fills have no say: one that lost twice has an error too small to believe, one
    that gained twice would hold the gate open. shift_bps: what own fills do worse than shadows,
    0 or below.
    """
    known = {depth: row for depth, row in enumerate(table) if row[1] > LEAST_FILLS}
    earned, hoped = {}, {}
    for depth, (_, count, mean, error) in known.items():
        net = mean + shift_bps - fee_bps
        earned[depth] = count * (net - params.min_edge_bps)
        hoped[depth] = count * (net + params.confidence * error)
    for worth in (earned, hoped):
        best = max(worth, key=worth.__getitem__, default=None)
        if best is not None and worth[best] > 0:
            return Choice(best)
    return Choice(None, pays=not known)


class OwnBias:
    """What own fills do worse than shadows at their depth; a mean that halves every 50 fills.

    It fades with time too, as the table does: a shut gate lets no own fill come to correct it.
    """

    __slots__ = ("_mean", "_square", "_weight", "_weights_squared")

    def __init__(self) -> None:
        self._weight = 0.0
        self._weights_squared = 0.0
        self._mean = 0.0
        self._square = 0.0

    def take(self, difference_bps: float) -> None:
        """Take in an own markout less that of the shadows."""
        keep: float = 0.5 ** (1 / OWN_HALF_LIFE)
        self._weight = self._weight * keep + 1.0
        self._weights_squared = self._weights_squared * keep * keep + 1.0
        share = 1.0 / self._weight
        apart = difference_bps - self._mean
        self._mean += share * apart
        self._square = (1.0 - share) * (self._square + share * apart * apart)

    def fade(self, memories: float) -> None:
        """Forget as after so many times the memory of the table."""
        keep = exp(-memories)
        self._weight *= keep
        self._weights_squared *= keep * keep

    @property
    def shift_bps(self) -> float:
        """The difference where it is surely a loss, else 0."""
        if self._weight < LEAST_OWN_FILLS:
            return 0.0
        many = self._weight * self._weight / self._weights_squared
        error = sqrt(self._square / many)
        return self._mean if self._mean < SURE * error else 0.0


class MarkoutMemory(Struct, frozen=True):
    """What a control has learned, to go on with after a restart."""

    ts_ns: int
    scale: float
    rows: tuple[tuple[float, float, float], ...]
    floor_bps: float


class MarkoutControl:
    """One market's shadows, the half width they ask for, and the gate."""

    __slots__ = (
        "_bias",
        "_fee_bps",
        "_next_ns",
        "_params",
        "choice",
        "floor_bps",
        "shadows",
    )

    def __init__(self, params: MarkoutParams, fee_bps: float) -> None:
        self._params = params
        self._fee_bps = fee_bps
        self._bias = OwnBias()
        self._next_ns = 0
        self.shadows = Shadows(params.tau_s, HORIZON_NS)
        self.floor_bps = params.prior_half_bps
        self.choice = Choice(None)

    def due(self, now_ns: int) -> bool:
        """Is it time to steer again?"""
        return now_ns >= self._next_ns

    def steer(self, now_ns: int, half_spread_bps: float) -> None:
        """Move the half width a little, every 5 s; half_spread_bps: the market's, as it usually is.

        Depths follow the market's own spread where it is wide. Where it is a tick, they stay as
        they are: so near to the mid nobody who pays a fee earns it.
        """
        since_s = (now_ns + EVERY_NS - self._next_ns) / SECOND_NS
        self._next_ns = now_ns + EVERY_NS
        self._bias.fade(since_s / self._params.tau_s)
        scale = max(1.0, half_spread_bps / USUAL_HALF_BPS)
        if scale < inf and not 1 / RESCALED < scale / self.shadows.scale < RESCALED:
            self.shadows.rescale(scale)
        table = self.shadows.table()
        self.choice = choice = choose(table, self._fee_bps, self._params, self._bias.shift_bps)
        if choice.pays:
            target = self._params.prior_half_bps if choice.depth is None else table[choice.depth][0]
            self.floor_bps += STEP * (target - self.floor_bps)

    @property
    def gate(self) -> str | None:
        """Why no quote may add to the position, or None."""
        return None if self.choice.pays else NO_DEPTH

    @property
    def edge_bps(self) -> float:
        """What the chosen depth earned, fee taken off; infinite while that is not known."""
        if self.choice.depth is None:
            return inf
        _, _, mean, _ = self.shadows.table()[self.choice.depth]
        return mean + self._bias.shift_bps - self._fee_bps

    def compare(self, away_bps: float, markout_bps: float) -> None:
        """Take in what an own fill, quoted that far from fair, was worth after 5 s."""
        table = self.shadows.table()
        nearest = min(range(DEPTH_COUNT), key=lambda number: abs(table[number][0] - away_bps))
        _, count, mean, _ = table[nearest]
        if count > LEAST_FILLS:
            self._bias.take(markout_bps - mean)

    def told(self) -> list[str]:
        """The table of shadow fills, and what follows from it."""
        rows = [
            f"at {away:.1f} bps {count:.0f} shadow fills, {mean:+.2f} +- {error:.2f} bps"
            for away, count, mean, error in self.shadows.table()
            if count >= 1.0
        ]
        if self.choice.depth is not None:
            away = self.shadows.depth(self.choice.depth)
            return [*rows, f"best depth {away:.1f} bps, half width {self.floor_bps:.2f} bps"]
        return [*rows, NO_DEPTH if self.gate else "too few shadow fills to choose a depth"]

    def memory(self, now_ns: int) -> MarkoutMemory:
        """What to keep for the next run."""
        scale, rows = self.shadows.state()
        return MarkoutMemory(now_ns, scale, tuple(rows), self.floor_bps)

    def restore(self, memory: MarkoutMemory, now_ns: int) -> None:
        """Go on with what an earlier run kept, aged by the time between; ValueError if damaged."""
        age_s = max(0, now_ns - memory.ts_ns) / SECOND_NS
        self.shadows.restore(memory.scale, list(memory.rows), age_s)
        if not 0.0 < memory.floor_bps < inf:
            raise ValueError("not a half width")
        self.floor_bps = memory.floor_bps
