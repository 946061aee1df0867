"""Skew: signed inventory -> shift of the reservation price, toward flat unless told otherwise."""

from typing import Annotated, Literal

from pydantic import Field

from mmbot.domain.market import PPB, Market
from mmbot.domain.params import Params
from mmbot.quoting.state import QuotingLimits

BPS = 1e-4


class InventoryParams(Params):
    """How inventory moves the quotes (spec section 5)."""

    direction: Annotated[
        Literal["reduce", "literal"],
        Field(description="reduce: long shifts quotes down; literal: long shifts them up"),
    ] = "reduce"
    deadband_pct: Annotated[
        float, Field(ge=0, le=100, description="no skew below this share of the limit")
    ] = 5.0
    max_shift_bps: Annotated[
        float, Field(ge=0, le=1000, description="shift at 100 % of the limit")
    ] = 20.0
    bias_bps: Annotated[
        float, Field(ge=-1000, le=1000, description="fixed shift of both quotes")
    ] = 0.0


class InventoryManager:
    """Position -> share of its limit -> skew -> reservation price (spec section 5)."""

    __slots__ = ("_bias", "_deadband", "_exposure_ppb", "_factor", "_market", "_max_uusd")

    def __init__(self, params: InventoryParams, limits: QuotingLimits, market: Market) -> None:
        self._market = market
        self._exposure_ppb = round(limits.market_exposure_ratio * PPB)
        self._max_uusd = limits.max_position_uusd
        self._deadband = params.deadband_pct / 100
        direction = -1 if params.direction == "reduce" else 1
        self._factor = direction * params.max_shift_bps * BPS
        self._bias = params.bias_bps * BPS

    def position_ratio(self, lots: int, half_ticks: int, equity_uusd: int) -> float:
        """Signed share of the position limit in [-1, 1]; half_ticks: best bid + best ask.

        0 when flat; full when there is a position and no equity to carry it.
        """
        if lots == 0:
            return 0.0
        limit = equity_uusd * self._exposure_ppb // PPB
        if self._max_uusd is not None and self._max_uusd < limit:
            limit = self._max_uusd
        value = self._market.notional_uusd(half_ticks, lots)
        ratio = value / limit if value < limit else 1.0
        return ratio if lots > 0 else -ratio

    def skew(self, position_ratio: float) -> float:
        """Relative move of both quotes, its direction included; 0 within the deadband."""
        if abs(position_ratio) > self._deadband:
            return position_ratio * self._factor
        return 0.0

    def reservation(self, fair_ticks: float, skew: float) -> float:
        """Price the quotes stand around, in ticks."""
        return fair_ticks * (1.0 + skew + self._bias)
