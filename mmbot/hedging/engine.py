"""Hedge decision: how much of a large position to give up, and at what worst price."""

from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class HedgeParams(Params):
    """Reduce a large position with a banded immediate-or-cancel order (spec section 10)."""

    enabled: Annotated[bool, Field(description="hedge at all")] = False
    threshold_pct: Annotated[
        float, Field(gt=0, le=100, description="share of the limit that starts a hedge")
    ] = 35.0
    fraction_pct: Annotated[
        float, Field(gt=0, le=100, description="share of the position given up")
    ] = 30.0
    max_slippage_bps: Annotated[
        float, Field(gt=0, le=1000, description="worst price from the best")
    ] = 15.0
    min_interval_ms: Annotated[int, Field(ge=0, le=3_600_000, description="between two hedges")] = (
        2000
    )
