"""Settings of one market: the Params of the packages that quote it, nested, and what must agree."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from mmbot.execution.diff import RequoteParams
from mmbot.hedging.engine import HedgeParams
from mmbot.quoting.strategy import QuotingParams
from mmbot.risk.limits import MarketRiskParams


class MarketConfig(QuotingParams):
    """How one market is quoted, requoted, limited and hedged."""

    enabled: Annotated[bool, Field(description="quote this market")] = True
    requote: RequoteParams = RequoteParams()
    market_risk: MarketRiskParams = MarketRiskParams()
    hedge: HedgeParams = HedgeParams()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        sizing, reference = self.sizing, self.fair_price.reference
        if sizing.mode == "tiered" and len(sizing.tier_weights) < self.levels.count:
            raise _disagreement(
                "sizing.tier_weights",
                f"{len(sizing.tier_weights)} weights for levels.count {self.levels.count};"
                " tiered sizing needs one for every level",
            )
        if sizing.max_order_usd < sizing.min_order_usd:
            raise _disagreement(
                "sizing.max_order_usd",
                f"{sizing.max_order_usd} is below min_order_usd {sizing.min_order_usd}",
            )
        if reference.min_samples_count > reference.offset_window_s:
            raise _disagreement(
                "fair_price.reference.min_samples_count",
                f"{reference.min_samples_count} samples never fit into offset_window_s"
                f" {reference.offset_window_s}: there is one a second",
            )
        return self


def _disagreement(at: str, text: str) -> PydanticCustomError:
    # The braces would be read as a template.
    return PydanticCustomError("disagreement", "{text}", {"at": at, "text": text})
