"""Rates: what the venue allows, and how often that lets orders be replaced."""

from collections.abc import Sequence
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

    def requote_interval_ms(self, levels: Sequence[int], batch_size: int) -> float:
        """How often every market can have all its orders replaced; `levels` a side of each.

        Orders that stay cost nothing, so it goes faster when prices are quiet.
        """
        orders = 2 * sum(levels)
        per_batch = max(1, batch_size // 2)
        batches = sum(-(-2 * each // per_batch) for each in levels)
        unreserved = self.requests_per_minute * (1 - self.emergency_reserve_pct / 100)
        seconds = max(
            orders / self.orders_per_second,
            orders / self.cancels_per_second,
            60 * batches / unreserved,
        )
        return 1000 * seconds
