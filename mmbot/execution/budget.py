"""Budget: tokens for orders, cancels and requests; a cancel never waits behind a place.

A spent token comes back one whole period later, so no window of that length, wherever it starts,
ever holds more than the limit. Live, places are spread over the minute besides.
"""

from mmbot.cext.rolling import Tokens
from mmbot.domain.bucket import Bucket
from mmbot.execution.plan import requests
from mmbot.execution.rates import RateLimitParams

SECOND_NS = 1_000_000_000
LONGEST_NS = 1 << 62
# Live, places may be so much of the minute ahead of an even pace.
AHEAD_NS = 4 * SECOND_NS
# What rests is replaced while so many requests are left besides: what does not rest comes first.
_SPARED = 4
# Most of the cancels that are kept for what rests; a minute's requests hardly move more than this
# leaves, so that many orders are replaced as often as ever.
_KEPT = 0.6


def window(rate: float, period_ns: int) -> Tokens:
    """At most `rate` spendings in any `period_ns`; a rate below 1 is one per longer period."""
    if rate >= 1:
        return Tokens(int(rate), period_ns)
    return Tokens(1, int(min(period_ns / rate, LONGEST_NS)))


class Budget:
    """What may still be sent, account-wide; times in nanoseconds, never decreasing."""

    __slots__ = ("_batch_size", "_cancels", "_even", "_kept", "_places", "_requests", "_reserve")

    def __init__(
        self, params: RateLimitParams, batch_size: int, slack_ns: int = 0, reads_per_min: int = 0
    ) -> None:
        """`slack_ns`: how much later than decided something may leave; `reads_per_min`: what the
        venue is asked besides, out of the same allowance, of which half at most is left to it.
        Where it is asked, a minute is never used up by a part of it.
        """
        self._places = window(params.orders_per_second, SECOND_NS + slack_ns)
        self._cancels = window(params.cancels_per_second, SECOND_NS + slack_ns)
        self._kept = int(self._cancels.capacity * _KEPT)
        per_min = params.requests_per_minute
        own = max(per_min - reads_per_min, per_min / 2)
        self._requests = window(own, 60 * SECOND_NS)
        self._reserve = int(self._requests.capacity * params.emergency_reserve_pct / 100)
        self._batch_size = batch_size
        self._even: Bucket | None = None
        if reads_per_min:
            spread_ns = 60 * SECOND_NS + AHEAD_NS
            period_ns = max(1, int(spread_ns / max(1, own - self._reserve)))
            self._even = Bucket(period_ns, max(1, AHEAD_NS // period_ns))

    def allow(self, now_ns: int, cancels: int, pairs: int, places: int) -> tuple[int, int, int]:
        """How many of these may go out now: lone cancels, replacements and lone places.

        A replacement is a cancel and a place in one batch; one that may not have its place comes
        back as a lone cancel, so the first number may be larger than `cancels`. As long as a cancel
        must wait no place goes out at all, so a cancel never waits behind a place.
        """
        size = self._batch_size
        free = self._requests.free(now_ns)
        wanted = cancels + pairs
        if wanted:
            cancels_now = min(wanted, self._cancels.free(now_ns), free * size)
            if cancels_now < wanted:
                return cancels_now, 0, 0
        # The cancels alone may use the reserve; whatever else goes out must leave it.
        even = free if self._even is None else self._even.free(now_ns)
        most = max(-(-wanted // size), min(free - self._reserve, even))
        tokens = self._places.free(now_ns) if even > 0 or self._even is None else 0
        kept = min(pairs, tokens) if size > 1 else 0
        used = requests(wanted - kept, kept, 0, size)
        while kept and used > most:
            kept -= 1
            used = requests(wanted - kept, kept, 0, size)
        alone = min(places, tokens - kept, (most - used) * size)
        return wanted - kept, kept, alone

    def left(self, now_ns: int) -> float:
        """Share of the request allowance that is not used, 0 to 1."""
        return self._requests.free(now_ns) / self._requests.capacity

    def tokens(self, now_ns: int) -> dict[str, int]:
        """What may still be sent, by kind."""
        buckets = (("orders", self._places), ("cancels", self._cancels))
        return {
            **{name: bucket.free(now_ns) for name, bucket in buckets},
            "requests": self._requests.free(now_ns),
        }

    def scarce(self, now_ns: int) -> bool:
        """Whether a replacement that is not pressing should wait; never but live."""
        return self._even is not None and self._even.free(now_ns) < _SPARED

    @property
    def paced(self) -> bool:
        """Whether it is spread over the minute: live only."""
        return self._even is not None

    def spare(self, now_ns: int, orders: int) -> int:
        """Cancels left besides those that take off so many orders at once, 0 or less for none.

        What merely moves and what is added must do with these, so that all that rests can go when
        something happens, up to a share of the allowance.
        """
        return self._cancels.free(now_ns) - min(orders, self._kept)

    def spend(self, now_ns: int, cancels: int, places: int, batches: int) -> None:
        """Book what went out."""
        self._cancels.spend(now_ns, cancels)
        self._places.spend(now_ns, places)
        self._requests.spend(now_ns, batches)
        if self._even is not None:
            self._even.spend(now_ns, batches)
