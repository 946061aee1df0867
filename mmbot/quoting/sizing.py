"""Sizing: lots per level from a fixed size, a share of free collateral, or tiers of the limit."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from mmbot.domain.params import Params


class SizingParams(Params):
    """Size of each level (spec section 7)."""

    mode: Annotated[
        Literal["fixed", "percentage", "tiered"],
        Field(description="which of the rules below sizes a level"),
    ] = "fixed"
    fixed_usd: Annotated[Decimal, Field(gt=0, description="fixed: notional of a level")] = Decimal(
        100
    )
    fixed_base: Annotated[
        Decimal | None, Field(gt=0, description="fixed: size of a level; overrides fixed_usd")
    ] = None
    percentage_of_free_collateral_pct: Annotated[
        float, Field(gt=0, le=100, description="percentage: notional of a level")
    ] = 2.0
    tier_weights: Annotated[
        tuple[float, ...],
        Field(min_length=1, description="tiered: share of the market limit per level; sum 1"),
    ] = (0.5, 0.3, 0.2)
    min_order_usd: Annotated[Decimal, Field(ge=0, description="smaller levels are dropped")] = (
        Decimal(10)
    )
    max_order_usd: Annotated[Decimal, Field(gt=0, description="larger levels are cut")] = Decimal(
        1000
    )

    @field_validator("tier_weights")
    @classmethod
    def _sum_one(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if any(weight < 0 for weight in weights) or abs(sum(weights) - 1) > 1e-9:
            raise ValueError(
                f"weights must not be negative and must add up to 1, not {sum(weights):g}"
            )
        return weights
