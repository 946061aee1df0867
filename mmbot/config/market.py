"""Settings of one market: the Params of the packages that quote it, nested, and what must agree."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mmbot.domain.params import Params
from mmbot.execution.diff import RequoteParams
from mmbot.hedging.engine import HedgeParams
from mmbot.quoting.fair import FairPriceParams
from mmbot.quoting.ladder import LevelsParams
from mmbot.quoting.sizing import SizingParams
from mmbot.quoting.skew import InventoryParams
from mmbot.quoting.spread import SpreadParams
from mmbot.risk.limits import MarketRiskParams


class MarketConfig(Params):
    """How one market is quoted, requoted, limited and hedged."""

    enabled: Annotated[bool, Field(description="quote this market")] = True
    fair_price: FairPriceParams = FairPriceParams()
    spread: SpreadParams = SpreadParams()
    inventory: InventoryParams = InventoryParams()
    levels: LevelsParams = LevelsParams()
    sizing: SizingParams = SizingParams()
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
