"""Spread: full width bid to ask of level 0 as a ratio of price, widened by imbalance."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mmbot.domain.params import Params

BPS = 1e-4


class SpreadParams(Params):
    """Full width of level 0 (spec section 4)."""

    min_bps: Annotated[float, Field(gt=0, le=5000, description="width of a balanced book")] = 8.0
    max_bps: Annotated[float, Field(gt=0, le=5000, description="width of a one-sided book")] = 30.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_bps < self.min_bps:
            raise ValueError(f"max_bps {self.max_bps} is below min_bps {self.min_bps}")
        return self


class SpreadCalculator:
    """Spread of level 0, between its two bounds whatever comes in."""

    __slots__ = ("_max", "_min", "_range")

    def __init__(self, params: SpreadParams) -> None:
        self._min = params.min_bps * BPS
        self._max = params.max_bps * BPS
        self._range = self._max - self._min

    def spread(self, imbalance: float) -> float:
        """Full width as a ratio of price for an imbalance in [-1, 1] (spec section 4).

        An imbalance that is no number gives the widest spread.
        """
        spread = self._min + abs(imbalance) * self._range
        return spread if spread < self._max else self._max
