"""How the way to the venue fares, judged by what answers actions: which hindrances follow.

Also the figures of it: acknowledgements, refusals, unknown outcomes.
"""

from collections import deque

from mmbot.adapters.web.clock import NS_PER_MS, NS_PER_S
from mmbot.adapters.zo.trading.hindrances import (
    ACTION_PATH,
    MAINTENANCE,
    RATE_LIMITED,
    SESSION,
    Hindrances,
)
from mmbot.adapters.zo.trading.pace import Pace
from mmbot.adapters.zo.wire.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import Group
from mmbot.domain.figures import NETWORK_NS, Histogram, Labels

LATENCIES = 1024
KINDS = ("place", "cancel", "batch")
_TOO_MANY = "HTTP 429"
_PATIENCE_S = 1.0

Answered = Outcome | NotSent


class Acks:
    """How long acknowledgements took: the last ones, and all of them by kind of action."""

    def __init__(self) -> None:
        self.last_ns: deque[int] = deque(maxlen=LATENCIES)
        self.by_kind: dict[Labels, Histogram] = {(kind,): Histogram(NETWORK_NS) for kind in KINDS}

    def take(self, ns: int, kind: str) -> None:
        """Note one."""
        self.last_ns.append(ns)
        self.by_kind[kind,].add(ns)


class Health:
    """Fed with every answer.

    `pace` is asked before a cancel is made, and told of it.
    """

    __slots__ = (
        "_hindrances",
        "_in_a_row",
        "_limit",
        "_quiet_until_ns",
        "accepted",
        "acks",
        "maintained",
        "not_sent",
        "pace",
        "refused_for_rate",
        "rejected",
        "unknown",
    )

    def __init__(self, hindrances: Hindrances, unanswered: int, pace: Pace) -> None:
        self.pace = pace
        self.acks = Acks()
        self.accepted = 0
        self.rejected = 0
        self.unknown = 0
        self.not_sent = 0
        self.refused_for_rate = 0
        self.maintained = False
        self._hindrances = hindrances
        self._limit = unanswered
        self._in_a_row = 0
        self._quiet_until_ns = 0

    def note(self, outcome: Answered, sent_ns: int, now_ns: int, kind: str = "batch") -> None:
        """Take the answer to an action that was sent at `sent_ns`; its kind is one of KINDS."""
        if isinstance(outcome, NotSent):
            self.not_sent += 1
            self._trouble(outcome.reason)
        elif isinstance(outcome, Unknown):
            self.unknown += 1
            self._unknown(outcome, now_ns)
        else:
            self.acks.take(now_ns - sent_ns, kind)
            self._definite(outcome)

    def quiet(self, now_ns: int) -> bool:
        """Whether the venue asked to be left alone."""
        return now_ns < self._quiet_until_ns

    def permit(self, now_ns: int, *, again_ms: int = 1_000) -> bool:
        """Whether one request may go out although the venue has trouble: not more than its wish."""
        if self.quiet(now_ns):
            return False
        if self._hindrances.holds(RATE_LIMITED):
            # The next answer says whether it is over; until then one at a time.
            self._quiet_until_ns = now_ns + again_ms * NS_PER_MS
        return True

    def tick(self, now_ns: int) -> None:
        """A wish to be left alone runs out."""
        if self._hindrances.holds(RATE_LIMITED) and not self.quiet(now_ns):
            self._hindrances.end(RATE_LIMITED)

    def tell_back(self) -> None:
        """Allow quoting again, if the venue is not in maintenance any more."""
        if not self.maintained:
            self._hindrances.end(MAINTENANCE)

    @property
    def troubled(self) -> bool:
        """Whether a probe is wanted, to know that actions are answered again."""
        return self._hindrances.holds(ACTION_PATH) or self.maintained

    def _definite(self, outcome: Accepted | Rejected) -> None:
        self._in_a_row = 0
        self.maintained = False
        self._hindrances.end(ACTION_PATH)
        if isinstance(outcome, Accepted):
            self.accepted += 1
            return
        self.rejected += 1
        if outcome.refusal.group is Group.G3:
            self._hindrances.begin(SESSION, f"the venue says {outcome.refusal.name}")

    def _unknown(self, outcome: Unknown, now_ns: int) -> None:
        if outcome.number == pb.MAINTENANCE:
            self.maintained = True
            self._hindrances.begin(MAINTENANCE, "the venue is in maintenance")
        elif outcome.retry_after_s is not None or outcome.reason == _TOO_MANY:
            self.refused_for_rate += 1
            wished_s = outcome.retry_after_s or _PATIENCE_S
            self._quiet_until_ns = now_ns + round(wished_s * NS_PER_S)
            self._hindrances.begin(RATE_LIMITED, f"{outcome.reason}, for {wished_s:g} s")
        else:
            self._trouble(outcome.reason)

    def _trouble(self, reason: str) -> None:
        self._in_a_row += 1
        if self._in_a_row >= self._limit:
            self._hindrances.begin(ACTION_PATH, f"no answers to actions: {reason}")
