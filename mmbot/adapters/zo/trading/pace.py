"""How many cancels may leave: whoever sends them, new ones and those tried again count together.

The engine spends the same budget before it decides; what is tried again here comes on top of that,
and none of it may make the sum more than the venue allows (invariant I18).
"""

from mmbot.adapters.web.clock import NS_PER_MS, NS_PER_S
from mmbot.cext.rolling import Tokens

# Bytes leave a moment after they were counted, some sooner than others.
_SLACK_NS = 50 * NS_PER_MS


class Pace:
    """At most `cancels_per_s` in any second; a rate below one is one per longer period."""

    def __init__(self, cancels_per_s: float) -> None:
        most = max(1, int(cancels_per_s))
        period_ns = NS_PER_S if cancels_per_s >= 1 else round(NS_PER_S / cancels_per_s)
        self._tokens = Tokens(most, period_ns + _SLACK_NS)

    def has(self, now_ns: int, count: int = 1) -> bool:
        """Whether so many may leave now; more than there ever are may when none has left."""
        return self._tokens.free(now_ns) >= min(count, self._tokens.capacity)

    def spend(self, now_ns: int, count: int = 1) -> None:
        """So many leave now."""
        self._tokens.spend(now_ns, min(count, self._tokens.capacity))
