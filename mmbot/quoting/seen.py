"""For strategies of one's own: volatility and arrivals as the market has shown them so far."""

from math import isfinite, log, nan

from mmbot.cext.estimates import Arrivals
from mmbot.cext.rolling import EwmaVariance
from mmbot.quoting.one_level import Touch
from mmbot.quoting.state import QuotingState

BPS = 1e-4
HALF_LIFE_S = 60.0
LEAST_MIDS = 30
LEAST_TRADES = 20.0


class Seen:
    """What was seen of one market; `see` before every decision.

    sigma_bps: volatility per root second until 30 mids are seen. arrivals_per_s, decay_per_bps: A
    and k of one side until 20 trades beyond half the spread are; they are measured over the last
    `memory_s` seconds, 0 keeps those given.
    """

    __slots__ = ("_arrivals", "_mid", "_rates", "_sigma", "_sigma_bps")

    def __init__(
        self, sigma_bps: float, arrivals_per_s: float, decay_per_bps: float, memory_s: float
    ) -> None:
        self._sigma_bps = sigma_bps
        self._sigma = EwmaVariance(HALF_LIFE_S)
        self._rates = (arrivals_per_s, decay_per_bps)
        self._arrivals = Arrivals(memory_s, LEAST_TRADES, *self._rates) if memory_s else None
        self._mid = 0.0

    def see(self, state: QuotingState, touch: Touch) -> None:
        """Take in the mid, and how far takers went since the last time."""
        mid = sum(touch) / 2
        self._sigma.update(state.now_ns, log(mid) / BPS)
        # Takers came before the mid of now; the one before had not moved with them yet.
        before, self._mid = self._mid or mid, mid
        if self._arrivals is not None:
            takers = state.takers
            bought = (takers.bought_ticks / before - 1) / BPS if takers.bought_ticks else nan
            sold = (1 - takers.sold_ticks / before) / BPS if takers.sold_ticks else nan
            half_spread = (touch[1] - touch[0]) / mid / BPS / 2
            self._arrivals.update(state.now_ns, bought, sold, half_spread)

    @property
    def sigma(self) -> float:
        """Volatility in bps per root second."""
        sigma = self._sigma.sigma
        return sigma if self._sigma.count >= LEAST_MIDS and isfinite(sigma) else self._sigma_bps

    @property
    def rates(self) -> tuple[float, float]:
        """A and k of one side."""
        return self._rates if self._arrivals is None else self._arrivals.rates
