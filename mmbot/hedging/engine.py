"""Hedge decision: how much of a large position to give up, and at what worst price.

A hedge counts as done only by the venue's word. One whose outcome is not known is in flight, and
nothing more is hedged until it is.
"""

from math import isfinite, nan
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from mmbot.cext.rolling import EwmaVariance
from mmbot.domain.market import PPB, Market
from mmbot.domain.order import Side
from mmbot.domain.params import Params

MILLISECOND_NS = 1_000_000
DAY_NS = 86_400_000_000_000
BPS_PPB = PPB // 10_000
# Positions of the optimal band are counted in units of 1,000 USD.
UNIT_UUSD = 1_000_000_000
LEAST_BAND = 3.0
INVENTORY_HALF_LIFE_S = 3600.0


class HedgeParams(Params):
    """Reduce a large position with a banded immediate-or-cancel order (spec section 10)."""

    enabled: Annotated[bool, Field(description="hedge at all")] = False
    band: Annotated[
        Literal["threshold", "optimal"],
        Field(description="from a share of the limit, or where cost and risk balance"),
    ] = "threshold"
    threshold_pct: Annotated[
        float, Field(gt=0, le=100, description="share of the limit that starts a hedge")
    ] = 35.0
    fraction_pct: Annotated[
        float, Field(gt=0, le=100, description="share of the position given up")
    ] = 30.0
    risk_aversion: Annotated[
        float, Field(gt=0, le=1000, description="optimal: weight of variance against cost")
    ] = 0.001
    cost_bps: Annotated[
        float, Field(gt=0, le=1000, description="optimal: cost of a hedge, fee and half spread")
    ] = 4.0
    max_slippage_bps: Annotated[
        float, Field(gt=0, le=1000, description="worst price from the best")
    ] = 15.0
    min_interval_ms: Annotated[int, Field(ge=0, le=3_600_000, description="between two hedges")] = (
        2000
    )
    daily_cost_limit_usd: Annotated[
        float, Field(gt=0, le=1e9, description="fees and slippage of a day; then none until 00:00")
    ] = 25.0


class Hedge(NamedTuple):
    """An immediate-or-cancel order that only reduces: `lots` at `ticks` or better."""

    side: Side
    ticks: int
    lots: int


class OptimalBand:
    """Position at which the risk of holding on costs as much as a hedge (strategy notes, 4).

    A position wanders by nu^2 a second and is reflected at h; the cost of that, c nu^2 / 2h, and
    of the risk, gamma sigma^2 h^2 / 6, together are least at h = (3 c nu^2 / 2 gamma sigma^2)^1/3.
    """

    __slots__ = ("_cost_bps", "_inventory", "_market", "_risk_aversion")

    def __init__(self, params: HedgeParams, market: Market) -> None:
        self._market = market
        self._cost_bps = params.cost_bps
        self._risk_aversion = params.risk_aversion
        self._inventory = EwmaVariance(INVENTORY_HALF_LIFE_S)

    def take(self, lots: int, half_ticks: int, now_ns: int) -> float:
        """Take in a position; how large it is, in units, signed."""
        units = self._market.notional_uusd(half_ticks, lots) / UNIT_UUSD
        signed = units if lots > 0 else -units
        self._inventory.update(now_ns, signed)
        return signed

    def threshold(self, sigma_ticks: float, half_ticks: int) -> float:
        """The band in units; NaN while the market or our own fills are not known well enough."""
        if not sigma_ticks > 0 or half_ticks <= 0:
            return nan
        sigma_bps = sigma_ticks * 2e4 / half_ticks
        wander = self._inventory.variance
        cubed = 1.5 * self._cost_bps * wander / (self._risk_aversion * sigma_bps**2)
        return float(max(cubed ** (1 / 3), LEAST_BAND)) if isfinite(cubed) else nan


class CostBudget:
    """What hedges may still cost today, micro-USD; days are those of UTC."""

    __slots__ = ("_day", "_limit_uusd", "_spent_uusd")

    def __init__(self, limit_usd: float) -> None:
        self._limit_uusd = int(limit_usd * 1_000_000)
        self._day = -1
        self._spent_uusd = 0

    def spend(self, uusd: int, now_ns: int) -> None:
        """Book a cost; a gain counts as nothing."""
        self._turn(now_ns)
        self._spent_uusd += max(0, uusd)

    def left(self, now_ns: int) -> bool:
        """Is there something left for another hedge?"""
        self._turn(now_ns)
        return self._spent_uusd < self._limit_uusd

    def _turn(self, now_ns: int) -> None:
        day = now_ns // DAY_NS
        if day != self._day:
            self._day = day
            self._spent_uusd = 0


class HedgingEngine:
    """Decides the hedges of one market; at most one is in flight (spec section 10).

    `plain`: the venue takes no reduce-only order that does not rest, so the next one goes without.
    `waiting`: our picture of the position is old, so nothing is hedged before it is renewed.
    """

    __slots__ = (
        "_in_flight",
        "_min_lots",
        "_next_ns",
        "_optimal",
        "_params",
        "budget",
        "plain",
        "waiting",
    )

    def __init__(self, params: HedgeParams, market: Market) -> None:
        self._params = params
        self._min_lots = market.min_lots
        self._optimal = OptimalBand(params, market) if params.band == "optimal" else None
        self.budget = CostBudget(params.daily_cost_limit_usd)
        self._in_flight = False
        self._next_ns = 0
        self.plain = False
        self.waiting = False

    def decide(
        self,
        position_ratio: float,
        position_lots: int,
        best: tuple[int, int],
        now_ns: int,
        sigma_ticks: float = nan,
    ) -> Hedge | None:
        """Hedge to send now, which then counts as in flight, or None.

        best: bid and ask in ticks of a healthy book without our own orders, 0 for an empty side.
        sigma_ticks: usual move a square root of a second, for the optimal band. A position smaller
        than the smallest order is left to the quotes.
        """
        params = self._params
        if not params.enabled or self._in_flight or self.waiting or now_ns < self._next_ns:
            return None
        held = abs(position_lots)
        share = self._share(position_ratio, position_lots, sum(best), now_ns, sigma_ticks)
        if share == 0.0 or held < self._min_lots:
            return None
        opposite = best[0] if position_lots > 0 else best[1]
        if opposite <= 0 or not self.budget.left(now_ns):
            return None
        lots = min(max(held * round(share * PPB) // PPB, self._min_lots), held)
        # Rounded toward the best, so the band is never wider than configured.
        slack = opposite * round(params.max_slippage_bps * BPS_PPB) // PPB
        self._in_flight = True
        self._next_ns = now_ns + params.min_interval_ms * MILLISECOND_NS
        if position_lots > 0:
            return Hedge(Side.ASK, opposite - slack, lots)
        return Hedge(Side.BID, opposite + slack, lots)

    def _share(
        self, ratio: float, lots: int, half_ticks: int, now_ns: int, sigma_ticks: float
    ) -> float:
        """Share of the position to give up, 0 for none."""
        params = self._params
        if self._optimal is not None:
            units = abs(self._optimal.take(lots, half_ticks, now_ns))
            band = self._optimal.threshold(sigma_ticks, half_ticks)
            if isfinite(band):
                # Back to half the band, as the smallest order makes every hedge cost something.
                return 1 - band / 2 / units if units > band else 0.0
        return params.fraction_pct / 100 if abs(ratio) > params.threshold_pct / 100 else 0.0

    def settle(self) -> None:
        """The hedge in flight is done: filled, cancelled or refused, by the venue's word."""
        self._in_flight = False
