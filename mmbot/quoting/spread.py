"""Spread: full width bid to ask of level 0 as a ratio of price, widened by imbalance."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mmbot.domain.params import Params


class SpreadParams(Params):
    """Full width of level 0 (spec section 4)."""

    min_bps: Annotated[float, Field(gt=0, le=5000, description="width of a balanced book")] = 8.0
    max_bps: Annotated[float, Field(gt=0, le=5000, description="width of a one-sided book")] = 30.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_bps < self.min_bps:
            raise ValueError(f"max_bps {self.max_bps} is below min_bps {self.min_bps}")
        return self
