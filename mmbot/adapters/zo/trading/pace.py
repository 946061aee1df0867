"""How much may leave: whoever sends it, new or tried again, it counts together (invariant I18).

The engine spends the same budget before it decides; what is tried again here, and whatever is read,
comes on top of that, and none of it may make the sum more than the venue allows.
"""

from mmbot.adapters.web.clock import NS_PER_MS, NS_PER_S
from mmbot.cext.rolling import Tokens

# Bytes leave a moment after they were counted, some sooner than others.
_SLACK_NS = 150 * NS_PER_MS
# Of the requests of a minute, so many are kept for cancels and for looking: places end first.
_KEPT = 0.08


class Pace:
    """At most `cancels_per_s` in any second, and places as long as requests are left for more.

    A rate of cancels below one is one per longer period.
    """

    def __init__(self, cancels_per_s: float, requests_per_min: float) -> None:
        most = max(1, int(cancels_per_s))
        period_ns = NS_PER_S if cancels_per_s >= 1 else round(NS_PER_S / cancels_per_s)
        self._cancels = Tokens(most, period_ns + _SLACK_NS)
        self._requests = Tokens(max(1, int(requests_per_min)), 60 * NS_PER_S)
        self._kept = int(requests_per_min * _KEPT)
        self._sent = 0

    def has(self, now_ns: int, count: int = 1) -> bool:
        """Whether so many cancels may leave now; more than ever may do, when none has left."""
        return self._cancels.free(now_ns) >= min(count, self._cancels.capacity)

    def spend(self, now_ns: int, count: int = 1) -> None:
        """So many cancels leave now."""
        self._cancels.spend(now_ns, min(count, self._cancels.capacity))

    def sent(self, now_ns: int, in_all: int) -> None:
        """So many requests have been sent in all."""
        more = in_all - self._sent
        self._sent = in_all
        if more:
            free = self._requests.free(now_ns)
            self._requests.spend(now_ns, min(more, free))

    def crowded(self, now_ns: int) -> bool:
        """Whether what is left of the minute's requests is for cancels and for looking."""
        return self._requests.free(now_ns) <= self._kept
