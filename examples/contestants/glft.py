"""Gueant, Lehalle and Fernandez-Tapia (2013), as the example of hftbacktest uses it.

The textbook rule for a mid that diffuses and fills that arrive at A exp(-k distance) whatever the
price does. It knows neither fees nor that fills come when the price is about to go on: `fee_bps`
adds the first, which the payoff of a fill is missing one for one.
"""

from dataclasses import KW_ONLY, dataclass, field
from math import exp, isfinite, log, log1p, sqrt

from mmbot.cext.rolling import EwmaVariance
from mmbot.domain.market import Market
from mmbot.domain.quotes import Quotes
from mmbot.quoting.one_level import NO_BOOK, best_quotes, lots_of, one_level
from mmbot.quoting.state import QuotingState

BPS = 1e-4
HALF_LIFE_S = 60.0
MIN_SAMPLES = 30


@dataclass(frozen=True, slots=True)
class Glft:
    """half = ln(1 + gamma/k)/gamma + sigma c2/2 + fee; shift = -sigma c2 q skew.

    c2 = sqrt(gamma/(2 A k) (1 + gamma/k)^(k/gamma + 1)); sigma is measured from the mid, q counts
    orders.
    gamma: risk aversion, 1/(bps * order).
    arrivals_per_s, decay_per_bps: A and k of one side; `calibrate` measures them.
    skew: share of the formula's shift that is used; the published example has 0.05.
    fee_bps: maker fee. sigma_bps: volatility per root second until 30 mids are seen.
    order_usd: size of an order.
    """

    market: Market
    _: KW_ONLY
    gamma: float = 0.05
    arrivals_per_s: float = 0.4
    decay_per_bps: float = 1.4
    skew: float = 0.05
    fee_bps: float = 0.0
    sigma_bps: float = 1.0
    order_usd: float = 1000.0
    _sigma: EwmaVariance = field(init=False, default_factory=lambda: EwmaVariance(HALF_LIFE_S))

    def decide(self, state: QuotingState) -> Quotes:
        """Quote both sides around the reservation price."""
        touch = best_quotes(state)
        if touch is None:
            return NO_BOOK
        mid = sum(touch) / 2
        self._sigma.update(state.now_ns, log(mid) / BPS)
        lots = lots_of(self.market, self.order_usd, touch)
        held = state.position_lots / lots if lots else 0.0
        half, shift = self.half_and_shift_bps(self.sigma(), held)
        bid, ask = mid * (1 + (shift - half) * BPS), mid * (1 + (shift + half) * BPS)
        return one_level(state, touch, (bid, lots), (ask, lots))

    def sigma(self) -> float:
        """Volatility in bps per root second."""
        sigma = self._sigma.sigma
        return sigma if self._sigma.count >= MIN_SAMPLES and isfinite(sigma) else self.sigma_bps

    def half_and_shift_bps(self, sigma_bps: float, held_orders: float) -> tuple[float, float]:
        """Half of the width, and how far both quotes move, in bps."""
        c1, c2 = self.constants()
        half = c1 + sigma_bps * c2 / 2 + self.fee_bps
        return half, -sigma_bps * c2 * held_orders * self.skew

    def constants(self) -> tuple[float, float]:
        """c1 in bps, c2 in root seconds per order; their limits for a gamma near 0."""
        gamma, k = self.gamma, self.decay_per_bps
        if gamma < 1e-6 * k:
            return 1 / k, sqrt(gamma * exp(1) / (2 * self.arrivals_per_s * k))
        log_ratio = log1p(gamma / k)
        power = exp((k / gamma + 1) * log_ratio)
        return log_ratio / gamma, sqrt(gamma / (2 * self.arrivals_per_s * k) * power)


strategy = Glft
