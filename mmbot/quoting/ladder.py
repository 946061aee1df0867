"""Ladder: reservation price and spread -> levels on the grid that cross nothing."""

from typing import Annotated

from pydantic import Field

from mmbot.cext.ladder import price_levels, stack
from mmbot.domain.order import Level
from mmbot.domain.params import Params
from mmbot.domain.quotes import Quotes, Room
from mmbot.quoting.sizing import LARGEST, Budget, SizingCalculator


class LevelsParams(Params):
    """Level l sits at spread * (l + 1) / 2 from the reservation price (spec section 6)."""

    count: Annotated[int, Field(ge=1, le=20, description="levels a side")] = 2


class Ladder:
    """Both sides of quotes: priced, sized, merged, and cut to what each side may hold."""

    __slots__ = ("_count", "_sizing")

    def __init__(self, params: LevelsParams, sizing: SizingCalculator) -> None:
        self._count = params.count
        self._sizing = sizing

    def quotes(
        self,
        reservation_ticks: float,
        spread: float,
        touch: tuple[int, int],
        budget: Budget,
        room: Room,
    ) -> Quotes:
        """Quotes around the reservation price; spread is a ratio, touch best bid and best ask."""
        best_bid, best_ask = touch
        bid_ticks, ask_ticks = price_levels(
            reservation_ticks, spread, self._count, best_bid, best_ask
        )
        bids = self._side(bid_ticks, budget, room.bid_lots)
        asks = self._side(ask_ticks, budget, room.ask_lots)
        if bids and asks:
            return Quotes(bids, asks)
        return Quotes(bids, asks, _why_empty(bids, asks, room))

    def _side(self, ticks: list[int], budget: Budget, room_lots: int) -> tuple[Level, ...]:
        if room_lots <= 0:
            return ()
        sizing = self._sizing
        lots = sizing.lots(ticks, budget)
        cap_lots = min(room_lots, LARGEST)
        return tuple(stack(ticks, lots, cap_lots, budget.side, sizing.bounds, Level))


def _why_empty(bids: tuple[Level, ...], asks: tuple[Level, ...], room: Room) -> str:
    reasons = []
    if not bids:
        reasons.append("bids too small" if room.bid_lots > 0 else "no room for bids")
    if not asks:
        reasons.append("asks too small" if room.ask_lots > 0 else "no room for asks")
    return ", ".join(reasons)
