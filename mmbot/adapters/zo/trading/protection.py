"""One market's stop trigger: what rests at the venue, and what is on its way there. No I/O.

One action is on its way at a time. When nobody answers it, a list of what rests decides, and until
its bytes have expired only the identical bytes go out again.
"""

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.trading.dispatch import Signed
from mmbot.adapters.zo.trading.health import Answered
from mmbot.adapters.zo.trading.params import ProtectionTerms
from mmbot.adapters.zo.trading.stop_plan import (
    Held,
    StopPlan,
    TriggerAction,
    Triggers,
    in_effect,
    is_of,
    set_by,
)
from mmbot.adapters.zo.wire.actions import AddTrigger, RemoveTrigger, TriggerKind
from mmbot.adapters.zo.wire.outcomes import Accepted, NotSent, Rejected
from mmbot.adapters.zo.wire.refusals import Group, Refusal, refusal
from mmbot.domain.status import StopTrigger

GAP_NS = NS_PER_S
_MOST_PAUSE_S = 60
_MOST_COPIES = 3
_NO_TRIGGERS_HERE = frozenset({"NOT_IMPLEMENTED", "ACTION_NOT_ALLOWED"})


class _Flight(Struct):
    """An action on its way. `lost_ns`: nobody answered, known then; `missing`: looked up in vain.

    `unfit`: a copy was refused while another may land, so no more of them are sent.
    """

    action: TriggerAction
    signed: Signed
    copies: int = 1
    lost_ns: int | None = None
    missing: bool = False
    unfit: bool = False


class Stop:
    """The trigger of one market. `resting` is what rests as far as known, `known` whether it is.

    Nothing is sent before it is, and it ends when what rests may have changed.
    """

    def __init__(self, market_id: int, terms: ProtectionTerms) -> None:
        self.plan = StopPlan(market_id, terms)
        self.resting: Triggers = ()
        self.known = False
        self._flight: _Flight | None = None
        # A list asked for up to this moment says nothing.
        self._since_ns = 0
        self._next_ns = 0
        self._failures = 0
        # Side of what closes the position as it was last seen, 0 for none.
        self._closing: int | None = None

    @property
    def asks(self) -> bool:
        """Whether a list of what rests is needed."""
        return not self.known if self._flight is None else self._flight.lost_ns is not None

    @property
    def waits(self) -> bool:
        """Whether an answer may come yet."""
        return self._flight is not None and self._flight.lost_ns is None

    @property
    def stamp(self) -> EngineSeconds | None:
        """Stamp of the bytes that are on their way."""
        return None if self._flight is None else self._flight.signed.stamp

    def idle(self, held: Held) -> bool:
        """Whether nothing is to be done about this position, and nothing on its way."""
        return self.known and self._flight is None and self.plan.action(held, self.resting) is None

    def unprotected(self, held: Held) -> bool:
        """Whether no trigger at all would close this position."""
        return bool(held.lots) and not self.plan.closing(held, self.resting)

    def shown(self, held: Held, unread: str | None) -> StopTrigger:
        """Say what protects a position; `unread`: why what rests is not known, if it is not."""
        closing = self.plan.closing(held, self.resting)
        refused = self.plan.refused
        trouble = unread if refused is None else f"refused: {refused}"
        return StopTrigger(closing[0].ticks if held.lots and closing else None, trouble)

    def wants(self, held: Held, now_ns: int) -> TriggerAction | None:
        """Return what to sign and send now, None for nothing."""
        if self._flight is not None or not self.known or now_ns < self._next_ns:
            return None
        closing = held.closing if held.lots else 0
        if closing != self._closing:
            first, self._closing = self._closing is None, closing
            if self.resting and not first:
                # Some venues take triggers off with the position that they were for.
                self.known = False
                return None
        return self.plan.action(held, self.resting)

    def again(self, held: Held, now_ns: int) -> Signed | None:
        """Return bytes to send once more: unanswered, not found, not expired, and still wanted."""
        flight = self._flight
        if flight is None or not flight.missing or flight.unfit or now_ns < self._next_ns:
            return None
        if flight.copies >= _MOST_COPIES or not self.plan.same(held, self.resting, flight.action):
            return None
        return flight.signed

    def sent(self, signed: Signed, action: TriggerAction | None, now_ns: int) -> None:
        """Bytes of an action leave; without one they left before."""
        self._next_ns = now_ns + GAP_NS
        if action is not None:
            self._flight = _Flight(action, signed)
        elif self._flight is not None:
            self._flight.copies += 1
            self._flight.lost_ns = None
            self._flight.missing = False

    def answered(self, signed: Signed, clock: Clock, outcome: Answered) -> None:
        """Take the answer to one copy of the bytes."""
        flight, now_ns = self._flight, clock()
        self._since_ns = now_ns
        if flight is None or flight.signed is not signed:
            # Its fate was decided without this answer, which may tell of another one.
            self.known = False
        elif isinstance(outcome, Accepted):
            self._landed(flight.action)
        elif isinstance(outcome, NotSent) and flight.copies == 1:
            self._over(now_ns)
        elif isinstance(outcome, Rejected):
            self._rejected(flight, outcome.refusal, now_ns)
        else:
            flight.lost_ns = now_ns
            number = None if isinstance(outcome, NotSent) else outcome.number
            if number is not None and refusal(number).group is Group.UNKNOWN:
                self.plan.give_up(flight.action, refusal(number).name)

    def found(self, listed: Triggers, asked_ns: int, *, dead: bool) -> Triggers:
        """Take the list of what rests, asked for then; returns what is gone without our doing.

        `dead`: the bytes on their way had expired before it was asked for.
        """
        here = [each for each in listed if each.market_id == self.plan.market_id]
        stops = tuple(each for each in here if each.kind is TriggerKind.STOP_LOSS)
        flight = self._flight
        if flight is None:
            if asked_ns <= self._since_ns:
                return ()
        elif flight.lost_ns is None or asked_ns < flight.lost_ns:
            return ()
        elif in_effect(flight.action, stops):
            self._landed(flight.action)
        elif dead:
            self._over(asked_ns)
        else:
            flight.missing = True
        gone = tuple(each for each in self.resting if each not in stops)
        self.resting, self.known = stops, True
        return gone

    def _landed(self, action: TriggerAction) -> None:
        self._flight = None
        self._failures = 0
        if isinstance(action, RemoveTrigger):
            self.resting = tuple(each for each in self.resting if not is_of(action, each))
            return
        # A venue that keeps one a side has replaced the others, another one has not.
        self.known &= all(each.side is not action.side for each in self.resting)
        self.resting = (*self.resting, set_by(action))

    def _over(self, now_ns: int) -> None:
        """Nothing came of it; the next attempt waits, every time longer."""
        self._flight = None
        self._failures += 1
        self._next_ns = now_ns + min(1 << self._failures, _MOST_PAUSE_S) * NS_PER_S
        self.known = False

    def _rejected(self, flight: _Flight, why: Refusal, now_ns: int) -> None:
        action, name = flight.action, why.name
        adds = isinstance(action, AddTrigger)
        if name == "TRIGGER_NOT_FOUND" and not adds:
            self._landed(action)
            self.known = False
        elif why.group is Group.G2:
            # These bytes were taken once, and will not be again: what rests says what they did.
            self._flight = None
            self.known = False
        elif flight.copies > 1:
            # Of this copy only: the one before it may come yet.
            flight.lost_ns = now_ns
            flight.unfit = True
        else:
            self._over(now_ns)
            if name == "TRIGGER_ALREADY_EXISTS" and adds and not self.plan.removes_first:
                self.plan.removes_first = True
                self._next_ns = now_ns + GAP_NS
            elif _for_good(why):
                self.plan.give_up(action, name)


def _for_good(why: Refusal) -> bool:
    """Whether another attempt would be refused, too."""
    if why.group in (Group.G10, Group.G11) or why.name in _NO_TRIGGERS_HERE:
        return True
    return why.name.startswith("TRIGGER")
