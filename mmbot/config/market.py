"""Settings of one market: the Params of the packages that quote it, nested, and what must agree."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmbot.execution.diff import RequoteParams
from mmbot.hedging.engine import HedgeParams
from mmbot.quoting.params import QuotingParams
from mmbot.risk.limits import MarketRiskParams


class MarketConfig(QuotingParams):
    """How one market is quoted, requoted, limited and hedged."""

    preset: Annotated[
        Literal["seed", "recommended"],
        Field(description="what keys are that nobody sets: the notes' rules, or what earned most"),
    ] = "seed"
    enabled: Annotated[bool, Field(description="quote this market")] = True
    requote: RequoteParams = RequoteParams()
    market_risk: MarketRiskParams = MarketRiskParams()
    hedge: HedgeParams = HedgeParams()

    @model_validator(mode="after")
    def _weight_per_level(self) -> Self:
        weights = len(self.sizing.tier_weights)
        if self.sizing.mode == "tiered" and weights < self.levels.count:
            raise ValueError(
                f"levels.count {self.levels.count} needs as many sizing.tier_weights, not {weights}"
            )
        return self
