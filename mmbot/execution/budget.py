"""Budget: token buckets for orders, cancels and requests; a cancel never waits behind a place."""

from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class RateLimitParams(Params):
    """What the venue allows, account-wide (spec section 10)."""

    orders_per_second: Annotated[float, Field(gt=0, le=10_000, description="places")] = 10.0
    cancels_per_second: Annotated[float, Field(gt=0, le=10_000, description="cancels")] = 20.0
    requests_per_minute: Annotated[
        float, Field(gt=0, le=1_000_000, description="batches of any kind")
    ] = 600.0
    emergency_reserve_pct: Annotated[
        float, Field(ge=0, le=90, description="request tokens only cancels may use")
    ] = 20.0
