"""Avellaneda and Stoikov (2008), as hummingbot's avellaneda_market_making trades it.

Inventory counts as a share of the limit, the horizon never ends, and where the paper has the
variance hummingbot has the standard deviation.
"""

from dataclasses import KW_ONLY, dataclass, field
from math import log1p

from mmbot.domain.market import MICRO, Market
from mmbot.domain.quotes import Quotes
from mmbot.quoting.one_level import NO_BOOK, best_quotes, lots_of, one_level
from mmbot.quoting.seen import Seen
from mmbot.quoting.state import QuotingState

BPS = 1e-4
# The formula does not use it; the estimator wants one to begin with.
ARRIVALS_PER_S = 0.4


@dataclass(slots=True)
class Avellaneda:
    """half = gamma sigma/2 + ln(1 + gamma/k)/gamma; shift = -gamma sigma (share of the limit).

    gamma: risk factor, 1/bps. decay_per_bps: k, how fast arrivals thin out with the distance from
    the mid, until it is measured, over the last `memory_s` seconds; 0 keeps the one given.
    sigma_bps: volatility over a second until 30 mids are seen.
    order_usd, max_position_usd: size of an order, and the position that is the full limit.
    """

    market: Market
    _: KW_ONLY
    gamma: float = 1.0
    decay_per_bps: float = 1.4
    memory_s: float = 120.0
    sigma_bps: float = 1.0
    order_usd: float = 1000.0
    max_position_usd: float = 20_000.0
    _seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing seen."""
        self._seen = Seen(self.sigma_bps, ARRIVALS_PER_S, self.decay_per_bps, self.memory_s)

    def decide(self, state: QuotingState) -> Quotes:
        """Quote both sides around the reservation price."""
        touch = best_quotes(state)
        if touch is None:
            return NO_BOOK
        mid = sum(touch) / 2
        self._seen.see(state, touch)
        worth_usd = self.market.notional_uusd(sum(touch), state.position_lots) / MICRO
        share = worth_usd / self.max_position_usd * (1 if state.position_lots > 0 else -1)
        half, shift = self.half_and_shift_bps(self._seen.sigma, share)
        bid, ask = mid * (1 + (shift - half) * BPS), mid * (1 + (shift + half) * BPS)
        lots = lots_of(self.market, self.order_usd, touch)
        return one_level(state, touch, (bid, lots), (ask, lots))

    def half_and_shift_bps(self, sigma_bps: float, limit_share: float) -> tuple[float, float]:
        """Half of the width, and how far both quotes move, in bps."""
        half = self.gamma * sigma_bps / 2 + log1p(self.gamma / self._seen.rates[1]) / self.gamma
        return half, -self.gamma * sigma_bps * limit_share


strategy = Avellaneda
