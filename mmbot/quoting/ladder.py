"""Ladder: reservation price and spread -> levels on the grid that cross nothing."""

from typing import Annotated

from pydantic import Field

from mmbot.cext.ladder import Rungs
from mmbot.domain.order import Level
from mmbot.domain.params import Params
from mmbot.domain.quotes import Quotes, Room
from mmbot.quoting.sizing import Budget, SizingCalculator


class LevelsParams(Params):
    """Level l sits at spread * (l + 1) / 2 from the reservation price (spec section 6)."""

    count: Annotated[int, Field(ge=1, le=20, description="levels a side")] = 2


class Ladder:
    """Both sides of quotes: priced, sized, merged, and cut to what each side may hold."""

    __slots__ = ("_rungs",)

    def __init__(self, params: LevelsParams, sizing: SizingCalculator) -> None:
        self._rungs = Rungs(params.count, sizing.max_lots, sizing.bounds, Level)

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
        bids, asks = self._rungs.quotes(reservation_ticks, spread, touch, worths, side_worth, rooms)
        if bids and asks:
            return Quotes(bids, asks)
        return Quotes(bids, asks, _why_empty(bids, asks, room))


def _why_empty(bids: tuple[Level, ...], asks: tuple[Level, ...], room: Room) -> str:
    reasons = []
    if not bids:
        reasons.append("bids too small" if room.bid_lots > 0 else "no room for bids")
    if not asks:
        reasons.append("asks too small" if room.ask_lots > 0 else "no room for asks")
    return ", ".join(reasons)
