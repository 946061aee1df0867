"""Learning: what one market's models take in as time goes by, and the signals that come of it.

Fed once per decision, whether quotes are allowed or not: what the market does can be learned from
without risking anything in it.
"""

from math import nan
from typing import Annotated, Self

from pydantic import Field, model_validator

from mmbot.cext.estimates import Arrivals, Volatility
from mmbot.cext.rolling import RollingMedian
from mmbot.domain.params import Params
from mmbot.quoting.markout import MarkoutControl, MarkoutMemory
from mmbot.quoting.signals import Signals
from mmbot.quoting.spread import SpreadParams
from mmbot.quoting.state import QuotingState
from mmbot.quoting.toxicity import OwnFills

SECOND_NS = 1_000_000_000
# Ten minutes of the market's own spread.
SPREADS = 600
# Where the tail of the trades begins, beyond half the usual spread.
BEYOND_BPS = 0.05
LEAST_TRADES = 20.0
# Once in a thousand a true exponential tail looks this bad (chi-square, 3 degrees of freedom).
MISFIT = 16.27


class EstimateParams(Params):
    """What the models estimate of the market, and what they take before they know."""

    sigma_bps: Annotated[
        float, Field(gt=0, le=1000, description="usual move of a second, at first")
    ] = 1.0
    sigma_min_bps: Annotated[float, Field(gt=0, le=1000, description="least that is believed")] = (
        0.2
    )
    sigma_max_bps: Annotated[float, Field(gt=0, le=10_000, description="most that is believed")] = (
        50.0
    )
    sigma_fast_s: Annotated[
        float, Field(ge=1, le=86_400, description="half-life that widens quotes")
    ] = 30.0
    sigma_slow_s: Annotated[
        float, Field(ge=1, le=86_400, description="half-life that keeps them wide")
    ] = 600.0
    arrivals_per_s: Annotated[
        float, Field(ge=1e-4, le=50, description="trades a side at no distance, at first")
    ] = 0.4
    decay_per_bps: Annotated[
        float, Field(ge=0.02, le=20, description="their decay with distance, at first")
    ] = 1.4
    arrivals_tau_s: Annotated[
        float, Field(ge=10, le=86_400, description="memory of the trades seen")
    ] = 600.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.sigma_max_bps < self.sigma_min_bps:
            raise ValueError(
                f"sigma_max_bps {self.sigma_max_bps} is below sigma_min_bps {self.sigma_min_bps}"
            )
        return self


class Learning:
    """Estimators of one market; `signals` is what the stages read."""

    __slots__ = (
        "_arrivals",
        "_mid",
        "_second",
        "_spreads",
        "_volatility",
        "fills",
        "markout",
        "signals",
    )

    def __init__(
        self, params: EstimateParams, spread: SpreadParams, slopes: tuple[float, float]
    ) -> None:
        rates = (params.arrivals_per_s, params.decay_per_bps)
        self._volatility = Volatility(
            params.sigma_fast_s,
            params.sigma_slow_s,
            params.sigma_bps,
            params.sigma_min_bps,
            params.sigma_max_bps,
        )
        self._arrivals = Arrivals(params.arrivals_tau_s, LEAST_TRADES, *rates)
        self._spreads = RollingMedian(SPREADS)
        self._second = -1
        self._mid = 0.0
        self.fills = OwnFills(spread.maker_fee_bps)
        self.signals = Signals(self._volatility.sigma, rates, slopes)
        self.markout: MarkoutControl | None = None
        if spread.model == "markout":
            self.markout = MarkoutControl(spread.markout, spread.maker_fee_bps)
            self.signals.floor_bps = self.markout.floor_bps

    def memory(self, now_ns: int) -> MarkoutMemory | None:
        """What to keep for the next run; None where nothing is worth it."""
        return None if self.markout is None else self.markout.memory(now_ns)

    def restore(self, memory: MarkoutMemory, now_ns: int) -> None:
        """Go on with what an earlier run kept; ValueError when it is damaged."""
        if self.markout is not None:
            self.markout.restore(memory, now_ns)
            self.signals.floor_bps = self.markout.floor_bps

    def told(self) -> tuple[str, ...]:
        """What has been learned, in words and figures."""
        signals = self.signals
        a, k = signals.arrivals
        slope, share = signals.slopes
        lines = [
            f"a second moves {signals.sigma:.2f} bps",
            f"arrivals {a:.3g} /s, decay {k:.3g} /bps" + ("" if signals.fits else ", no good fit"),
            f"imbalance {signals.imbalance:+.2f} at {slope:.2f} bps;"
            f" outside {signals.deviation_bps:+.2f} bps at {share:.0%}",
        ]
        if self.fills.all.count:
            own, toxic = self.fills.all, f", toxic {signals.toxic}" if signals.toxic else ""
            lines.append(
                f"{own.count} own fills, {own.mean:+.2f} +- {own.error:.2f} bps after fee{toxic}"
            )
        return (*lines, *(self.markout.told() if self.markout is not None else ()))

    def see(self, state: QuotingState, mid: float, spread_ticks: int) -> None:
        """Take in the market as it is: volatility, spread, how far takers went."""
        now_ns, signals = state.now_ns, self.signals
        self._volatility.update(now_ns, mid)
        signals.sigma = self._volatility.sigma
        second = now_ns // SECOND_NS
        if second > self._second:
            self._second = second
            self._spreads.push(spread_ticks / mid * 1e4)
        # How far from the mid before they came; the one of now has moved with them.
        before = self._mid or mid
        self._mid = mid
        takers = state.takers
        bought = (takers.bought_ticks / before - 1.0) * 1e4 if takers.bought_ticks else nan
        sold = (1.0 - takers.sold_ticks / before) * 1e4 if takers.sold_ticks else nan
        self._arrivals.update(now_ns, bought, sold, 0.5 * self._spreads.median + BEYOND_BPS)
        signals.arrivals = self._arrivals.rates
        signals.fits = self._arrivals.misfit < MISFIT

    def judge(self, state: QuotingState, mid: float, fair: float, touch: tuple[int, int]) -> None:
        """Take in what own fills and shadows have come to; steer the width by it."""
        now_ns, signals, markout = state.now_ns, self.signals, self.markout
        if self.fills.waiting:
            for _, away_bps, markout_bps in self.fills.mature(now_ns, mid):
                if markout is not None:
                    markout.compare(away_bps, markout_bps)
            signals.toxic = self.fills.toxic
        if markout is not None:
            takers = state.takers
            markout.shadows.step(
                now_ns, fair, touch, takers.bought_ticks, takers.sold_ticks, state.latency_ns
            )
            if markout.due(now_ns):
                markout.steer(now_ns, 0.5 * self._spreads.median)
                signals.floor_bps = markout.floor_bps
                signals.gate = markout.gate
                signals.edge_bps = markout.edge_bps
