"""The default rule of the TypeScript market makers for 01.xyz.

Two quotes at a fixed distance from an outside price plus the usual offset. When about two orders
are held, the other side is given up: the whole position is offered at the take-profit distance.
"""

from dataclasses import KW_ONLY, dataclass, field

from mmbot.cext.rolling import RollingMedian
from mmbot.domain.market import MICRO, Market
from mmbot.domain.quotes import Quotes
from mmbot.quoting.one_level import NO_BOOK, Touch, best_quotes, lots_of, one_level
from mmbot.quoting.state import QuotingState

BPS = 1e-4
SECOND_NS = 1_000_000_000
MIN_SAMPLES = 10


@dataclass(slots=True)
class Zo:
    """Fair price: outside mid + median offset of the last 300 s, sampled each second, 10 at least.

    Without an outside price the fair price is the mid of the book.
    spread_bps: distance of each quote from the fair price.
    take_profit_bps: distance of the closing order; close_orders: held orders from which on only
    the closing side is quoted. order_usd: size of an order.
    """

    market: Market
    _: KW_ONLY
    spread_bps: float = 3.0
    take_profit_bps: float = 2.0
    close_orders: float = 2.0
    order_usd: float = 1000.0
    _offsets: RollingMedian = field(init=False, default_factory=lambda: RollingMedian(300))
    _second: int = field(init=False, default=-1)

    def decide(self, state: QuotingState) -> Quotes:
        """Quote both sides, or only the closing one."""
        touch = best_quotes(state)
        if touch is None:
            return NO_BOOK
        fair = self._fair(state, touch)
        held = state.position_lots
        if self._closes(held, touch):
            away = self.take_profit_bps * BPS
            if held > 0:
                return one_level(state, touch, None, (fair * (1 + away), held))
            return one_level(state, touch, (fair * (1 - away), -held), None)
        away = self.spread_bps * BPS
        lots = lots_of(self.market, self.order_usd, touch)
        return one_level(state, touch, (fair * (1 - away), lots), (fair * (1 + away), lots))

    def _closes(self, held_lots: int, touch: Touch) -> bool:
        # A hair less than two whole orders: their lots were counted at other prices.
        worth_usd = self.market.notional_uusd(sum(touch), held_lots) / MICRO
        return worth_usd >= 0.95 * self.close_orders * self.order_usd

    def _fair(self, state: QuotingState, touch: Touch) -> float:
        mid = sum(touch) / 2
        reference = state.reference_ticks
        if reference is None:
            return mid
        second = state.now_ns // SECOND_NS
        if second > self._second:
            self._second = second
            self._offsets.push(mid - reference)
        return mid if self._offsets.count < MIN_SAMPLES else reference + self._offsets.median


strategy = Zo
