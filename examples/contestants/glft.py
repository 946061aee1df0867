"""Gueant, Lehalle and Fernandez-Tapia (2013), as the example of hftbacktest uses it.

The textbook rule for a mid that diffuses and fills that arrive at A exp(-k distance) whatever the
price does. It knows neither fees nor that fills come when the price is about to go on: `fee_bps`
adds the first, which the payoff of a fill is missing one for one.
"""

from dataclasses import KW_ONLY, dataclass, field
from math import exp, log1p, sqrt

from mmbot.domain.market import Market
from mmbot.domain.quotes import Quotes
from mmbot.quoting.one_level import NO_BOOK, best_quotes, lots_of, one_level
from mmbot.quoting.seen import Seen
from mmbot.quoting.state import QuotingState

BPS = 1e-4


@dataclass(slots=True)
class Glft:
    """half = ln(1 + gamma/k)/gamma + sigma c2/2 + fee; shift = -sigma c2 q skew.

    c2 = sqrt(gamma/(2 A k) (1 + gamma/k)^(k/gamma + 1)); sigma, A and k are measured as it goes, q
    counts orders.
    gamma: risk aversion, 1/(bps * order).
    arrivals_per_s, decay_per_bps: A and k of one side until they are measured, over the last
    `memory_s` seconds; with a memory of 0 they stay.
    skew: share of the formula's shift that is used; the published example has 0.05.
    fee_bps: maker fee. sigma_bps: volatility per root second until 30 mids are seen.
    order_usd: size of an order.
    """

    market: Market
    _: KW_ONLY
    gamma: float = 0.05
    arrivals_per_s: float = 0.4
    decay_per_bps: float = 1.4
    memory_s: float = 120.0
    skew: float = 0.05
    fee_bps: float = 0.0
    sigma_bps: float = 1.0
    order_usd: float = 1000.0
    _seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing seen."""
        self._seen = Seen(self.sigma_bps, self.arrivals_per_s, self.decay_per_bps, self.memory_s)

    def decide(self, state: QuotingState) -> Quotes:
        """Quote both sides around the reservation price."""
        touch = best_quotes(state)
        if touch is None:
            return NO_BOOK
        mid = sum(touch) / 2
        self._seen.see(state, touch)
        lots = lots_of(self.market, self.order_usd, touch)
        held = state.position_lots / lots if lots else 0.0
        half, shift = self.half_and_shift_bps(self._seen.sigma, held)
        bid, ask = mid * (1 + (shift - half) * BPS), mid * (1 + (shift + half) * BPS)
        return one_level(state, touch, (bid, lots), (ask, lots))

    def half_and_shift_bps(self, sigma_bps: float, held_orders: float) -> tuple[float, float]:
        """Half of the width, and how far both quotes move, in bps."""
        c1, c2 = self.constants()
        half = c1 + sigma_bps * c2 / 2 + self.fee_bps
        return half, -sigma_bps * c2 * held_orders * self.skew

    def constants(self) -> tuple[float, float]:
        """c1 in bps, c2 in root seconds per order; their limits for a gamma near 0."""
        gamma, (a, k) = self.gamma, self._seen.rates
        if gamma < 1e-6 * k:
            return 1 / k, sqrt(gamma * exp(1) / (2 * a * k))
        log_ratio = log1p(gamma / k)
        power = exp((k / gamma + 1) * log_ratio)
        return log_ratio / gamma, sqrt(gamma / (2 * a * k) * power)


strategy = Glft
