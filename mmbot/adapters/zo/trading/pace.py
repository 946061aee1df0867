"""How much may leave: whoever sends it, new or tried again, it counts together (invariant I18).

The engine spends the same budget before it decides; what is tried again here, and whatever is read,
comes on top of that, and none of it may make the sum more than the venue allows.
"""

from mmbot.adapters.web.clock import NS_PER_MS, NS_PER_S
from mmbot.adapters.zo.rest.allowance import Allowance
from mmbot.cext.rolling import Tokens
from mmbot.domain.bucket import Bucket

# Bytes leave a moment after they were counted, some sooner than others.
_SLACK_NS = 150 * NS_PER_MS
# Cancels tried again, all orders together: a storm of them helps nobody, and costs the places.
_AGAIN_NS = NS_PER_S // 3
_AGAIN_BURST = 40


class Pace:
    """At most `cancels_per_s` in any second, and places while the requests are not ahead.

    A rate of cancels below one is one per longer period.
    """

    __slots__ = ("_again", "_allowance", "_cancels")

    def __init__(self, cancels_per_s: float, allowance: Allowance) -> None:
        most = max(1, int(cancels_per_s))
        period_ns = NS_PER_S if cancels_per_s >= 1 else round(NS_PER_S / cancels_per_s)
        self._cancels = Tokens(most, period_ns + _SLACK_NS)
        self._again = Bucket(_AGAIN_NS, _AGAIN_BURST)
        self._allowance = allowance

    def has(self, now_ns: int, count: int = 1) -> bool:
        """Whether so many cancels may leave now; more than ever may do, when none has left."""
        if self._allowance.left(now_ns) < 1:
            return False
        return self._cancels.free(now_ns) >= min(count, self._cancels.capacity)

    def spend(self, now_ns: int, count: int = 1) -> None:
        """So many cancels leave now."""
        self._cancels.spend(now_ns, min(count, self._cancels.capacity))

    def again(self, now_ns: int) -> bool:
        """Whether a request may leave that has left before; it does then."""
        if self._again.free(now_ns) < 1 or self._allowance.left(now_ns) < 1:
            return False
        self._again.spend(now_ns, 1)
        return True

    def crowded(self, now_ns: int) -> bool:
        """Whether what is left of the minute's requests is for cancels and for looking."""
        return self._allowance.ahead(now_ns)
