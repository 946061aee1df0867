"""Limits: what may rest and what may be sent, judged on the worst case; a missing figure denies."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class MarketRiskParams(Params):
    """Limits of one market (spec sections 2, 7, 9)."""

    max_market_exposure_pct: Annotated[
        float, Field(ge=1, le=1000, description="worst-case notional / equity")
    ] = 30.0
    max_exposure_per_side_pct: Annotated[
        float, Field(ge=1, le=1000, description="resting notional of a side / equity")
    ] = 25.0
    max_position_usd: Annotated[
        Decimal | None, Field(gt=0, description="absolute cap on the worst case")
    ] = None
    max_book_spread_bps: Annotated[
        float, Field(gt=0, le=10_000, description="a wider book is not quoted")
    ] = 500.0


class StaleParams(Params):
    """Ages beyond which a figure counts as missing."""

    book_ms: Annotated[int, Field(ge=1, le=600_000, description="cancel that market's quotes")] = (
        2000
    )
    account_ms: Annotated[int, Field(ge=1, le=600_000, description="cancel everything")] = 10_000
    reference_ms: Annotated[
        int, Field(ge=1, le=600_000, description="the reference no longer counts")
    ] = 2000


class LossParams(Params):
    """Losses that halt the bot until an operator clears it (spec section 9)."""

    daily_limit_usd: Annotated[Decimal, Field(gt=0, description="loss since 00:00 UTC")] = Decimal(
        50
    )
    drawdown_from_peak_pct: Annotated[
        float, Field(gt=0, le=100, description="fall from the equity peak")
    ] = 3.0


class RiskParams(Params):
    """Account-wide limits (spec section 9)."""

    min_margin_fraction_pct: Annotated[
        float, Field(ge=1, le=100, description="below: cancel all, pause")
    ] = 18.0
    min_free_collateral_usd: Annotated[
        Decimal, Field(ge=0, description="below: cancel all, pause")
    ] = Decimal(100)
    max_total_exposure_pct: Annotated[
        float, Field(ge=1, le=1000, description="sum of worst cases / equity")
    ] = 60.0
    max_open_orders_count: Annotated[
        int, Field(ge=1, le=10_000, description="orders alive at once")
    ] = 40
    stale: StaleParams = StaleParams()
    loss: LossParams = LossParams()
