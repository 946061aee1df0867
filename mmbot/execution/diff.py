"""Diff: desired quotes against working orders -> the fewest cancels and places."""

from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class RequoteParams(Params):
    """When an order that is off its target is worth losing its queue place (spec section 10)."""

    min_interval_ms: Annotated[
        int, Field(ge=1, le=60_000, description="between two decisions of a market")
    ] = 100
    price_tolerance_bps: Annotated[
        float, Field(ge=0, le=1000, description="an order this close to target stays")
    ] = 2.0
    size_tolerance_pct: Annotated[
        float, Field(ge=0, le=100, description="size difference that is left alone")
    ] = 10.0
    max_order_age_s: Annotated[
        int, Field(ge=1, le=86_400, description="older orders are replaced")
    ] = 300
