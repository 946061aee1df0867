"""Avellaneda and Stoikov (2008), as hummingbot's avellaneda_market_making trades it.

Inventory counts as a share of the limit, the horizon never ends, and where the paper has the
variance hummingbot has the standard deviation.
"""

from dataclasses import KW_ONLY, dataclass, field
from math import isfinite, log, log1p

from mmbot.cext.rolling import EwmaVariance
from mmbot.domain.market import MICRO, Market
from mmbot.domain.quotes import Quotes
from mmbot.quoting.one_level import NO_BOOK, best_quotes, lots_of, one_level
from mmbot.quoting.state import QuotingState

BPS = 1e-4
HALF_LIFE_S = 60.0
MIN_SAMPLES = 30


@dataclass(frozen=True, slots=True)
class Avellaneda:
    """half = gamma sigma/2 + ln(1 + gamma/k)/gamma; shift = -gamma sigma (share of the limit).

    gamma: risk factor, 1/bps. decay_per_bps: k, how fast arrivals thin out with the distance from
    the mid; `calibrate` measures it. sigma_bps: volatility over a second until 30 mids are seen.
    order_usd, max_position_usd: size of an order, and the position that is the full limit.
    """

    market: Market
    _: KW_ONLY
    gamma: float = 1.0
    decay_per_bps: float = 1.4
    sigma_bps: float = 1.0
    order_usd: float = 1000.0
    max_position_usd: float = 20_000.0
    _sigma: EwmaVariance = field(init=False, default_factory=lambda: EwmaVariance(HALF_LIFE_S))

    def decide(self, state: QuotingState) -> Quotes:
        """Quote both sides around the reservation price."""
        touch = best_quotes(state)
        if touch is None:
            return NO_BOOK
        mid = sum(touch) / 2
        self._sigma.update(state.now_ns, log(mid) / BPS)
        worth_usd = self.market.notional_uusd(sum(touch), state.position_lots) / MICRO
        share = worth_usd / self.max_position_usd * (1 if state.position_lots > 0 else -1)
        half, shift = self.half_and_shift_bps(self.sigma(), share)
        bid, ask = mid * (1 + (shift - half) * BPS), mid * (1 + (shift + half) * BPS)
        lots = lots_of(self.market, self.order_usd, touch)
        return one_level(state, touch, (bid, lots), (ask, lots))

    def sigma(self) -> float:
        """Volatility over a second, bps."""
        sigma = self._sigma.sigma
        return sigma if self._sigma.count >= MIN_SAMPLES and isfinite(sigma) else self.sigma_bps

    def half_and_shift_bps(self, sigma_bps: float, limit_share: float) -> tuple[float, float]:
        """Half of the width, and how far both quotes move, in bps."""
        half = self.gamma * sigma_bps / 2 + log1p(self.gamma / self.decay_per_bps) / self.gamma
        return half, -self.gamma * sigma_bps * limit_share


strategy = Avellaneda
