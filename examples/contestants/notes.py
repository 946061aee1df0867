"""The rule of the product's design notes, written out on one page.

Width from the imbalance of the book, both quotes shifted by inventory. `direction=-1` leans toward
flat, as the notes' purpose says; `direction=1` is what their formula says, and lets positions grow.
"""

from dataclasses import KW_ONLY, dataclass

from mmbot.domain.market import MICRO, Market
from mmbot.domain.quotes import Quotes
from mmbot.quoting.one_level import NO_BOOK, best_quotes, lots_of, one_level
from mmbot.quoting.state import QuotingState

BPS = 1e-4


@dataclass(frozen=True, slots=True)
class Notes:
    """spread = min + |imbalance| * (max - min); both quotes shift by a share of `max_shift_bps`.

    min_bps, max_bps: full width for a balanced and for a one-sided book, bps of the mid.
    depth_levels: levels a side that the imbalance is of.
    direction: -1 shifts the quotes of a long position down, +1 up.
    max_shift_bps: shift at the full limit; none up to `deadband_pct` of it.
    order_usd, max_position_usd: size of an order, and the position that is the full limit.
    """

    market: Market
    _: KW_ONLY
    min_bps: float = 8.0
    max_bps: float = 30.0
    depth_levels: float = 5
    direction: float = -1
    max_shift_bps: float = 20.0
    deadband_pct: float = 5.0
    order_usd: float = 1000.0
    max_position_usd: float = 20_000.0

    def decide(self, state: QuotingState) -> Quotes:
        """Quote both sides around the mid, shifted by inventory."""
        touch = best_quotes(state)
        if touch is None:
            return NO_BOOK
        imbalance = state.book.top(int(self.depth_levels), True)[4]
        half = (self.min_bps + abs(imbalance) * (self.max_bps - self.min_bps)) * BPS / 2
        base = sum(touch) / 2 * (1 + self.shift_bps(state.position_lots, sum(touch)) * BPS)
        lots = lots_of(self.market, self.order_usd, touch)
        return one_level(state, touch, (base * (1 - half), lots), (base * (1 + half), lots))

    def shift_bps(self, position_lots: int, mid_half_ticks: int) -> float:
        """Shift of both quotes in bps; 0 within the deadband."""
        worth_usd = self.market.notional_uusd(mid_half_ticks, position_lots) / MICRO
        share = min(1.0, worth_usd / self.max_position_usd)
        if share * 100 <= self.deadband_pct:
            return 0.0
        return self.direction * self.max_shift_bps * (share if position_lots > 0 else -share)


strategy = Notes
