"""Hedge decision: how much of a large position to give up, and at what worst price."""

from typing import Annotated, NamedTuple

from pydantic import Field

from mmbot.domain.market import PPB
from mmbot.domain.order import Side
from mmbot.domain.params import Params

MILLISECOND_NS = 1_000_000
BPS_PPB = PPB // 10_000


class HedgeParams(Params):
    """Reduce a large position with a banded immediate-or-cancel order (spec section 10)."""

    enabled: Annotated[bool, Field(description="hedge at all")] = False
    threshold_pct: Annotated[
        float, Field(gt=0, le=100, description="share of the limit that starts a hedge")
    ] = 35.0
    fraction_pct: Annotated[
        float, Field(gt=0, le=100, description="share of the position given up")
    ] = 30.0
    max_slippage_bps: Annotated[
        float, Field(gt=0, le=1000, description="worst price from the best")
    ] = 15.0
    min_interval_ms: Annotated[int, Field(ge=0, le=3_600_000, description="between two hedges")] = (
        2000
    )


class Hedge(NamedTuple):
    """An immediate-or-cancel order that only reduces: `lots` at `ticks` or better."""

    side: Side
    ticks: int
    lots: int


class HedgingEngine:
    """Decides the hedges of one market; at most one is in flight (spec section 10)."""

    __slots__ = (
        "_enabled",
        "_fraction_ppb",
        "_in_flight",
        "_min_interval_ns",
        "_min_lots",
        "_next_ns",
        "_slippage_ppb",
        "_threshold",
    )

    def __init__(self, params: HedgeParams, min_lots: int) -> None:
        self._enabled = params.enabled
        self._threshold = params.threshold_pct / 100
        self._fraction_ppb = round(params.fraction_pct / 100 * PPB)
        self._slippage_ppb = round(params.max_slippage_bps * BPS_PPB)
        self._min_interval_ns = params.min_interval_ms * MILLISECOND_NS
        self._min_lots = min_lots
        self._in_flight = False
        self._next_ns = 0

    def decide(
        self, position_ratio: float, position_lots: int, best_bid: int, best_ask: int, now_ns: int
    ) -> Hedge | None:
        """Hedge to send now, which then counts as in flight, or None.

        best_bid, best_ask: ticks of a healthy book without our own orders, 0 for an empty side.
        A position smaller than the smallest order is left to the quotes.
        """
        if not self._enabled or self._in_flight or now_ns < self._next_ns:
            return None
        held = abs(position_lots)
        if not abs(position_ratio) > self._threshold or held < self._min_lots:
            return None
        opposite = best_bid if position_lots > 0 else best_ask
        if opposite <= 0:
            return None
        lots = min(max(held * self._fraction_ppb // PPB, self._min_lots), held)
        # Rounded toward the best, so the band is never wider than configured.
        slack = opposite * self._slippage_ppb // PPB
        self._in_flight = True
        self._next_ns = now_ns + self._min_interval_ns
        if position_lots > 0:
            return Hedge(Side.ASK, opposite - slack, lots)
        return Hedge(Side.BID, opposite + slack, lots)

    def settle(self) -> None:
        """The hedge in flight is done: filled, cancelled or refused, by the venue's word."""
        self._in_flight = False
