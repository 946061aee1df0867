"""Stops: every reason not to quote, whoever gives it, as one answer for each market."""

from mmbot.domain.events import AccountSnapshot, Hindrance, Operator
from mmbot.domain.notices import Severity
from mmbot.risk.breaker import Breaker, BreakerState
from mmbot.risk.hindrances import HALTING, Hindrances
from mmbot.risk.rejects import CancelWatch

STOPPING = "stopping"
POSITION = "position"
WARMING = "warming"
# What holds at every start, and for a moment only: nothing to warn of.
STARTING = frozenset({"recovering", WARMING})
# The other bot of a pair may trade from now on: somebody has to know at once.
ALARMING = frozenset({"lease"})
UNSOLICITED = "the venue took orders off that nobody cancelled"


class Stops:
    """The breaker, the hindrances and the orders that the venue took off by itself."""

    __slots__ = ("_cancels", "breaker", "hindrances")

    def __init__(self, breaker: Breaker, markets: int) -> None:
        self.breaker = breaker
        self.hindrances = Hindrances(markets)
        self._cancels = CancelWatch()

    @property
    def state(self) -> BreakerState:
        """What the account as a whole may do."""
        return self.breaker.state

    @property
    def stopping(self) -> bool:
        """Has the run been told to end?"""
        return self.hindrances.holds(STOPPING)

    @property
    def places_wait(self) -> bool:
        """Must nothing be placed before the account has been judged again?"""
        return self._cancels.waiting

    def reason(self, market: int) -> str | None:
        """Why this market must have no orders, or None."""
        reason = self.breaker.stop_reason(market)
        return self.hindrances.reason(market) if reason is None else reason

    def warming(self) -> bool:
        """Does nothing but warming up stand in the way?"""
        names = {name for name, _ in self.hindrances.names()}
        return names == {WARMING} and self.breaker.account_reason() is None

    def account_reasons(self) -> list[str]:
        """Everything that stops the whole account."""
        reason = self.breaker.account_reason()
        return ([] if reason is None else [reason]) + self.hindrances.account()

    def hinder(self, event: Hindrance) -> bool:
        """Take in the beginning or the end of a hindrance; tells whether that changed anything."""
        if event.reason is not None and event.name in HALTING:
            self.breaker.halt(f"{event.name}: {event.reason}")
        return self.hindrances.take(event)

    def stop(self, event: Operator) -> None:
        """End the run: nothing is placed any more, whatever comes."""
        self.hindrances.put(STOPPING, None, event.reason)

    def judge(self, snapshot: AccountSnapshot, verdict: str | None) -> None:
        """Take in the account's figures and what the limits say of them."""
        self.breaker.observe(snapshot, verdict)
        if verdict is None:
            self._cancels.judged_good()

    def unsolicited(self, now_ns: int) -> bool:
        """The venue took an order off by itself; tells whether an operator is needed now."""
        third = self._cancels.take(now_ns)
        if third:
            self.breaker.pause(UNSOLICITED, None)
        return third


def severity_of(event: Hindrance) -> Severity:
    """How soon someone should look at the beginning or the end of a hindrance."""
    if event.reason is None or event.name in STARTING:
        return Severity.INFO
    return Severity.CRITICAL if event.name in ALARMING else Severity.WARNING
