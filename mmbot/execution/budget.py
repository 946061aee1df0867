"""Budget: tokens for orders, cancels and requests; a cancel never waits behind a place.

A spent token comes back one whole period later, so no window of that length, wherever it starts,
ever holds more than the limit.
"""

from typing import Annotated

from pydantic import Field

from mmbot.cext.rolling import Tokens
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


SECOND_NS = 1_000_000_000
LONGEST_NS = 1 << 62


def window(rate: float, period_ns: int) -> Tokens:
    """At most `rate` spendings in any `period_ns`; a rate below 1 is one per longer period."""
    if rate >= 1:
        return Tokens(int(rate), period_ns)
    return Tokens(1, int(min(period_ns / rate, LONGEST_NS)))


class Budget:
    """What may still be sent, account-wide; times in nanoseconds, never decreasing."""

    __slots__ = ("_batch_size", "_cancels", "_places", "_requests", "_reserve")

    def __init__(self, params: RateLimitParams, batch_size: int) -> None:
        self._places = window(params.orders_per_second, SECOND_NS)
        self._cancels = window(params.cancels_per_second, SECOND_NS)
        self._requests = window(params.requests_per_minute, 60 * SECOND_NS)
        self._reserve = int(self._requests.capacity * params.emergency_reserve_pct / 100)
        self._batch_size = batch_size

    def allow(self, now_ns: int, cancels: int, places: int) -> tuple[int, int]:
        """How many of these cancels and places may go out now; cancels come first.

        A place may replace an order whose cancel has to wait, so it waits with it.
        """
        size = self._batch_size
        batches = -(-cancels // size)
        requests = self._requests.free(now_ns)
        if cancels:
            cancels_now = min(cancels, self._cancels.free(now_ns), requests * size)
            if cancels_now < cancels:
                return cancels_now, 0
        wanted = -(-(cancels + places) // size)
        # Places may fill up the last batch of cancels; more batches must leave the reserve.
        if wanted > batches:
            batches = max(batches, min(wanted, requests - self._reserve))
        return cancels, min(places, self._places.free(now_ns), batches * size - cancels)

    def spend(self, now_ns: int, cancels: int, places: int) -> None:
        """Book what went out, packed as tightly as it can be."""
        self._cancels.spend(now_ns, cancels)
        self._places.spend(now_ns, places)
        self._requests.spend(now_ns, -(-(cancels + places) // self._batch_size))
