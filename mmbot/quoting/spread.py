"""Spread: full width bid to ask of level 0 as a ratio of price, by the model configured."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmbot.domain.params import Params
from mmbot.quoting import half_width
from mmbot.quoting.markout import MarkoutParams
from mmbot.quoting.signals import Signals

BPS = 1e-4
# With an outside price that has gone silent.
STALE_WIDENING = 1.5


class SpreadParams(Params):
    """Full width of level 0 (spec section 4), and the models beside the notes' own."""

    model: Annotated[
        Literal["seed", "fixed", "vol", "as", "glft", "markout"],
        Field(description="what the width follows: docs/models.md"),
    ] = "seed"
    min_bps: Annotated[float, Field(gt=0, le=5000, description="width of a balanced book")] = 8.0
    max_bps: Annotated[float, Field(gt=0, le=5000, description="width of a one-sided book")] = 30.0
    sigma_multiple: Annotated[
        float, Field(ge=0, le=100, description="vol: half width per usual move of a second")
    ] = 2.5
    risk_aversion: Annotated[
        float, Field(ge=0, le=1000, description="as, glft: per bps and 1,000 USD held")
    ] = 0.05
    horizon_s: Annotated[
        float, Field(gt=0, le=86_400, description="as: how long a position is held")
    ] = 10.0
    maker_fee_bps: Annotated[
        float, Field(ge=-100, le=100, description="as, glft, markout: fee of a fill, < 0 a rebate")
    ] = 1.0
    adverse_bps: Annotated[
        float, Field(ge=0, le=1000, description="as, glft: expected loss of a fill, put on top")
    ] = 0.0
    toxic_widening: Annotated[
        float, Field(ge=1, le=10, description="width while own fills lose; markout learns itself")
    ] = 1.0
    markout: MarkoutParams = MarkoutParams()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_bps < self.min_bps:
            raise ValueError(f"max_bps {self.max_bps} is below min_bps {self.min_bps}")
        return self


class SpreadCalculator:
    """Spread of level 0, between its two bounds whatever comes in."""

    __slots__ = ("_max", "_min", "_model", "_params", "_range")

    def __init__(self, params: SpreadParams) -> None:
        self._params = params
        self._model = params.model
        self._min = params.min_bps * BPS
        self._max = params.max_bps * BPS
        self._range = self._max - self._min

    def spread(self, imbalance: float) -> float:
        """Full width as a ratio of price for an imbalance in [-1, 1] (spec section 4).

        An imbalance that is no number gives the widest spread.
        """
        spread = self._min + abs(imbalance) * self._range
        return spread if spread < self._max else self._max

    def width(self, imbalance: float, signals: Signals) -> float:
        """Full width as a ratio of price, by the model; one that is no number is the widest."""
        if self._model == "seed":
            width = self.spread(imbalance)
        else:
            width = 2.0 * self.half_bps(signals) * BPS
        if signals.stale_reference:
            width *= STALE_WIDENING
        if signals.toxic and self._model != "markout":
            width *= self._params.toxic_widening
        if not width < self._max:
            return self._max
        return width if width > self._min else self._min

    def half_bps(self, signals: Signals) -> float:
        """Half width by the model, before anything widens or bounds it; not for `seed`."""
        params, model = self._params, self._model
        sigma = signals.sigma
        if model == "markout":
            least = half_width.by_volatility(sigma, params.markout.sigma_multiple)
            return max(signals.floor_bps, least)
        if model == "fixed":
            return params.min_bps / 2
        cost = params.maker_fee_bps + params.adverse_bps
        if model == "as" and signals.fits:
            k = signals.arrivals[1]
            return half_width.avellaneda(params.risk_aversion, sigma, k, params.horizon_s, cost)
        if model == "glft" and signals.fits:
            return half_width.glft(params.risk_aversion, sigma, signals.arrivals, cost)
        # vol, and what stands in for a model whose arrivals do not fit the trades.
        return half_width.by_volatility(sigma, params.sigma_multiple)
