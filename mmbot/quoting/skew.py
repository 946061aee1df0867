"""Skew: signed inventory -> shift of the reservation price, toward flat unless told otherwise."""

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from mmbot.domain.market import PPB, Market
from mmbot.domain.params import Params
from mmbot.quoting import half_width
from mmbot.quoting.signals import Signals
from mmbot.quoting.spread import SpreadParams
from mmbot.quoting.state import QuotingLimits

BPS = 1e-4
# Positions are counted in units of 1,000 USD.
UNIT_UUSD = 1_000_000_000
# One in a hundred moves of a normal distribution is larger.
RARE = 2.33
STEP_NS = 10_000_000_000
HALF_LIFE_S = 1800.0
STEP_S = 10.0
KEEP: float = 0.5 ** (STEP_S / HALF_LIFE_S)
SHRUNK = 0.8
# Two minutes of returns: before that markets count as strangers.
LEAST_STEPS = 12


class InventoryParams(Params):
    """How inventory moves the quotes (spec section 5), and the models beside the notes' own."""

    model: Annotated[
        Literal["seed", "linear", "as", "glft", "portfolio"],
        Field(description="what the shift follows: docs/models.md"),
    ] = "seed"
    kappa: Annotated[
        float, Field(ge=0, le=100, description="linear, portfolio: half widths at the limit")
    ] = 3.0
    strength: Annotated[
        float, Field(ge=0, le=100, description="glft: share of its shift that is applied")
    ] = 1.0
    daily_loss_share: Annotated[
        float, Field(ge=0, le=1, description="limit the position to risk so much of it; 0: do not")
    ] = 0.0
    unwind_s: Annotated[
        float, Field(gt=0, le=86_400, description="daily_loss_share: time to give a position up")
    ] = 600.0
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

    __slots__ = (
        "_bias",
        "_deadband",
        "_exposure_ppb",
        "_factor",
        "_market",
        "_max_uusd",
        "_model",
        "_params",
        "_risked_uusd",
        "_sign",
        "_width",
    )

    def __init__(
        self,
        params: InventoryParams,
        limits: QuotingLimits,
        market: Market,
        width: SpreadParams | None = None,
    ) -> None:
        self._market = market
        self._params = params
        self._model = params.model
        self._width = SpreadParams() if width is None else width
        self._risked_uusd = 0.0
        if limits.loss_uusd is not None:
            self._risked_uusd = params.daily_loss_share * limits.loss_uusd
        self._exposure_ppb = round(limits.market_exposure_ratio * PPB)
        self._max_uusd = limits.max_position_uusd
        self._deadband = params.deadband_pct / 100
        direction = -1 if params.direction == "reduce" else 1
        self._sign = direction
        self._factor = direction * params.max_shift_bps * BPS
        self._bias = params.bias_bps * BPS

    def limit_uusd(self, equity_uusd: int, sigma_bps: float = 0.0) -> int:
        """Worth of the largest position wanted; smaller in a wild market, if that is configured.

        A position that one time in a hundred loses what may be risked while it is given up.
        """
        limit = equity_uusd * self._exposure_ppb // PPB
        if self._max_uusd is not None and self._max_uusd < limit:
            limit = self._max_uusd
        if self._risked_uusd and sigma_bps > 0.0:
            rare = RARE * sigma_bps * BPS * sqrt(self._params.unwind_s)
            limit = min(limit, int(self._risked_uusd / rare))
        return limit

    def position_ratio(
        self, lots: int, half_ticks: int, equity_uusd: int, sigma_bps: float = 0.0
    ) -> float:
        """Signed share of the position limit in [-1, 1]; half_ticks: best bid + best ask.

        0 when flat; full when there is a position and no equity to carry it.
        """
        if lots == 0:
            return 0.0
        limit = self.limit_uusd(equity_uusd, sigma_bps)
        value = self._market.notional_uusd(half_ticks, lots)
        ratio = value / limit if value < limit else 1.0
        return ratio if lots > 0 else -ratio

    @property
    def shrinks(self) -> bool:
        """Is the position limited below what the account allows?"""
        return self._risked_uusd > 0.0

    def pulled_ratio(self, units: float, equity_uusd: int, sigma_bps: float) -> float:
        """Share of the limit, in [-1, 1], of a position of so many units of 1,000 USD."""
        limit = self.limit_uusd(equity_uusd, sigma_bps) / UNIT_UUSD
        return max(-1.0, min(1.0, units / limit)) if limit > 0.0 else 0.0

    def skew(self, position_ratio: float) -> float:
        """Relative move of both quotes, its direction included; 0 within the deadband."""
        if abs(position_ratio) > self._deadband:
            return position_ratio * self._factor
        return 0.0

    def shift(self, position_ratio: float, units: float, spread: float, signals: Signals) -> float:
        """Relative move of both quotes by the model, its direction included.

        units: the signed position in units of 1,000 USD. spread: full width as a ratio of price.
        """
        model = self._model
        if model == "seed":
            return self.skew(position_ratio)
        if model == "linear" or model == "portfolio":
            return self._sign * self._params.kappa * spread * 0.5 * position_ratio
        gamma, sigma = self._width.risk_aversion, signals.sigma
        if model == "as":
            shift = half_width.avellaneda_shift(units, gamma, sigma, self._width.horizon_s)
        else:
            shift = half_width.glft_shift(units, gamma, sigma, signals.arrivals)
            shift *= self._params.strength
        return -self._sign * shift * BPS

    def units(self, lots: int, half_ticks: int) -> float:
        """Signed position in units of 1,000 USD."""
        worth = self._market.notional_uusd(half_ticks, lots) / UNIT_UUSD
        return worth if lots > 0 else -worth

    def reservation(self, fair_ticks: float, skew: float) -> float:
        """Price the quotes stand around, in ticks."""
        return fair_ticks * (1.0 + skew + self._bias)


class Portfolio:
    """What a position in every market means for one of them, by how their prices move.

    One object for all markets of a bot. Returns of 10 s, halved in weight every 30 minutes; a
    fifth of every covariance is given up, which keeps the matrix positive definite.
    """

    __slots__ = ("_covariance", "_last", "_prices", "_step", "_steps", "_units")

    def __init__(self, markets: int) -> None:
        self._prices = [0.0] * markets
        self._last = [0.0] * markets
        self._units = [0.0] * markets
        self._covariance = [[0.0] * markets for _ in range(markets)]
        self._step = -1
        self._steps = 0

    def note(self, market: int, now_ns: int, price: float, units: float) -> None:
        """Take in a market's price and signed position (units of equal worth)."""
        step = now_ns // STEP_NS
        if step > self._step:
            if self._step >= 0:
                self._turn()
            self._step = step
        self._prices[market] = price
        self._units[market] = units

    def pull(self, market: int) -> float:
        """Position that moves as all positions together do, in units of this market."""
        own = self._covariance[market][market]
        if self._steps < LEAST_STEPS or own <= 0.0:
            return self._units[market]
        row = self._covariance[market]
        others = sum(
            row[number] * units for number, units in enumerate(self._units) if number != market
        )
        return self._units[market] + SHRUNK * others / own

    def _turn(self) -> None:
        """A step of 10 s is over."""
        returns = [
            now / before - 1.0 if before > 0.0 and now > 0.0 else 0.0
            for now, before in zip(self._prices, self._last, strict=True)
        ]
        for row, first in zip(self._covariance, returns, strict=True):
            for number, second in enumerate(returns):
                row[number] = KEEP * row[number] + (1.0 - KEEP) * first * second
        self._last[:] = self._prices
        self._steps += 1
