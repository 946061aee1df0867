"""Ladder: reservation price and spread -> levels on the grid that cross nothing."""

from typing import Annotated, Literal

from pydantic import Field

from mmbot.cext.ladder import Rungs
from mmbot.domain.order import Level
from mmbot.domain.params import Params
from mmbot.domain.quotes import Quotes, Room
from mmbot.quoting.sizing import Budget, SizingCalculator

BPS = 1e-4


class LevelsParams(Params):
    """Level l sits at spread * (l + 1) / 2 from the reservation price (spec section 6).

    Or at spread * growth^l / 2 (geometric), or on a grid of absolute prices that does not move.
    """

    model: Annotated[
        Literal["seed", "geometric", "grid"],
        Field(description="where the levels behind the first stand: docs/models.md"),
    ] = "seed"
    growth: Annotated[
        float, Field(ge=1, le=10, description="geometric: each level so many times further out")
    ] = 1.6
    grid_bps: Annotated[
        float, Field(gt=0, le=5000, description="grid: from one price of it to the next")
    ] = 4.0
    count: Annotated[int, Field(ge=1, le=20, description="levels a side")] = 2


class Ladder:
    """Both sides of quotes: priced, sized, merged, and cut to what each side may hold."""

    __slots__ = ("_grid", "_rungs")

    def __init__(self, params: LevelsParams, sizing: SizingCalculator) -> None:
        growth = params.growth if params.model == "geometric" else 0.0
        self._rungs = Rungs(params.count, sizing.max_lots, sizing.bounds, Level, growth)
        self._grid = params.grid_bps * BPS if params.model == "grid" else 0.0

    def quotes(
        self,
        reservation_ticks: float,
        spread: float,
        touch: tuple[int, int],
        budget: Budget,
        room: Room,
    ) -> Quotes:
        """Quotes around the reservation price; spread is a ratio, touch best bid and best ask."""
        rooms = (room.bid_lots, room.ask_lots)
        worths, side_worth = budget
        if self._grid:
            self._measure(reservation_ticks)
        bids, asks = self._rungs.quotes(reservation_ticks, spread, touch, worths, side_worth, rooms)
        if bids and asks:
            return Quotes(bids, asks)
        return Quotes(bids, asks, _why_empty(bids, asks, room))

    def _measure(self, price_ticks: float) -> None:
        """Keep the grid where it is until the price has gone so far that it is another one."""
        wanted = max(1, round(price_ticks * self._grid))
        if not 0.8 * wanted <= self._rungs.step <= 1.25 * wanted:
            self._rungs.step = wanted


def _why_empty(bids: tuple[Level, ...], asks: tuple[Level, ...], room: Room) -> str:
    reasons = []
    if not bids:
        reasons.append("bids too small" if room.bid_lots > 0 else "no room for bids")
    if not asks:
        reasons.append("asks too small" if room.ask_lots > 0 else "no room for asks")
    return ", ".join(reasons)
