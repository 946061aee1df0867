"""Params of the quoting model: one block per stage, and whether any of their models learns."""

from mmbot.domain.params import Params
from mmbot.quoting.fair import LEARNING, FairPriceParams
from mmbot.quoting.ladder import LevelsParams
from mmbot.quoting.learning import EstimateParams
from mmbot.quoting.sizing import SizingParams
from mmbot.quoting.skew import InventoryParams
from mmbot.quoting.spread import SpreadParams


class QuotingParams(Params):
    """Settings of the quoting model, one block per stage."""

    fair_price: FairPriceParams = FairPriceParams()
    spread: SpreadParams = SpreadParams()
    inventory: InventoryParams = InventoryParams()
    levels: LevelsParams = LevelsParams()
    sizing: SizingParams = SizingParams()
    estimates: EstimateParams = EstimateParams()


def learns(params: QuotingParams) -> bool:
    """Does any stage run a model that has to see the market before it can answer?"""
    sizing = params.sizing
    return (
        params.fair_price.source in LEARNING
        or params.spread.model not in ("seed", "fixed")
        or params.inventory.model in ("as", "glft")
        or params.inventory.daily_loss_share > 0
        or sizing.volatility_reference_bps > 0
        or sizing.losing_trips_count > 0
        or params.spread.toxic_widening > 1
    )
