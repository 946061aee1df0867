"""The stop of a market through any weather: bytes late or lost, answers lost, lists out of date.

The venue here keeps one trigger a side or several, as its schema has it, and executes bytes at most
once, until they expire. Positions and prices move at will meanwhile.
"""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.rest.answers import RestingTrigger
from mmbot.adapters.zo.trading.dispatch import Signed
from mmbot.adapters.zo.trading.params import ProtectionTerms
from mmbot.adapters.zo.trading.protection import Stop
from mmbot.adapters.zo.trading.stop_plan import Held, TriggerAction
from mmbot.adapters.zo.wire.actions import AddTrigger, Intent, RemoveTrigger, TriggerKind
from mmbot.adapters.zo.wire.outcomes import Accepted, Done, NotSent, Outcome, Rejected, Unknown
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import refusal
from mmbot.domain.order import Side

MARKET = 1
LIFETIME_S = 60
KINDS = ("replaces", "adds", "refuses")
EVENTS = (
    *("think", "arrive", "deafen", "lose", "delay", "late", "look", "look", "ask", "hear"),
    *("position", "position", "price", "wait", "wait", "close"),
)


class Venue:
    """Executes what reaches it. `kind`: what a second trigger of a side does."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rests: list[RestingTrigger] = []
        self._taken: set[bytes] = set()

    def takes(self, signed: Signed, now_s: int) -> bool:
        """Whether bytes would set a trigger now."""
        fresh = signed.body not in self._taken and now_s <= signed.stamp
        return fresh and isinstance(signed.action, AddTrigger)

    def execute(self, signed: Signed, now_s: int) -> Outcome:
        if signed.body in self._taken:
            return _no(pb.DUPLICATE)
        if now_s > signed.stamp:
            return _no(pb.TIMESTAMP_STALE)
        action = signed.action
        assert isinstance(action, AddTrigger | RemoveTrigger)
        same = [each for each in self.rests if each.side is action.side]
        if isinstance(action, AddTrigger):
            if self.kind == "refuses" and same:
                return _no(pb.TRIGGER_ALREADY_EXISTS)
            if self.kind == "replaces":
                self.rests = [each for each in self.rests if each not in same]
            self.rests.append(
                RestingTrigger(MARKET, action.side, action.kind, action.trigger_ticks)
            )
        else:
            found = [each for each in same if each.ticks == action.trigger_ticks]
            if not found:
                return _no(pb.TRIGGER_NOT_FOUND)
            self.rests = [each for each in self.rests if each not in found]
        self._taken.add(signed.body)
        return Accepted(1, (Done(),))


def _no(number: int) -> Outcome:
    return Rejected(refusal(number))


class Ways:
    """A stop, its venue, and what is on the way between them."""

    def __init__(self, kind: str, choose: st.DataObject) -> None:
        self.venue = Venue(kind)
        self.stop = Stop(MARKET, ProtectionTerms(Decimal("0.03"), Decimal("0.2")))
        self.now_ns = 1_000 * NS_PER_S
        self.held = Held(2, Decimal(100_000), Decimal(100_000))
        self._choose = choose
        self._wire: list[Signed] = []
        # Given up by the sender, and not by the network.
        self._late: list[Signed] = []
        self._bytes = 0
        self._lists: list[tuple[tuple[RestingTrigger, ...], int, bool]] = []

    def pick(self, most: int) -> int:
        return self._choose.draw(st.integers(0, most))

    def think(self) -> None:
        """Send what is wanted, if anything."""
        stop, held = self.stop, self.held
        signed, action = stop.again(held, self.now_ns), stop.wants(held, self.now_ns)
        assert signed is None or action is None
        if action is not None:
            self._bytes += 1
            stamp = EngineSeconds(self.now_ns // NS_PER_S + LIFETIME_S)
            signed = Signed(action, b"%d" % self._bytes, stamp)
            self._look_over(action)
        if signed is not None:
            stop.sent(signed, action, self.now_ns)
            self._wire.append(signed)

    def _look_over(self, action: TriggerAction) -> None:
        if not isinstance(action, AddTrigger):
            return
        held = self.held
        assert action.intent is Intent.DECREASE
        assert action.kind is TriggerKind.STOP_LOSS
        # It sells what is held, or buys it back.
        assert action.side * held.lots < 0
        assert held.index_ticks is not None
        # And it does not fire now: a stop that sells lies below the price.
        assert (held.index_ticks - action.trigger_ticks) * held.lots > 0

    def _taken(self, *, heard: bool, reached: bool = True) -> None:
        if not self._wire:
            return
        signed = self._wire.pop(0)
        outcome: Outcome | NotSent = Unknown("no answer in time")
        if reached:
            found = self.venue.execute(signed, self.now_ns // NS_PER_S)
            outcome = found if heard else outcome
        elif heard:
            outcome = NotSent("no connection")
        self.stop.answered(signed, lambda: self.now_ns, outcome)

    def arrive(self) -> None:
        self._taken(heard=True)

    def deafen(self) -> None:
        self._taken(heard=False)

    def lose(self) -> None:
        self._taken(heard=bool(self.pick(1)), reached=False)

    def delay(self) -> None:
        if self._wire:
            self._late.append(self._wire[0])
            self._taken(heard=False, reached=False)

    def late(self) -> None:
        if self._late:
            self.venue.execute(self._late.pop(), self.now_ns // NS_PER_S)

    def look(self) -> None:
        """Ask for what rests and be told at once."""
        self.ask()
        self._told(-1)

    def ask(self) -> None:
        stamp = self.stop.stamp
        dead = stamp is not None and self.now_ns // NS_PER_S > stamp
        self._lists.append((tuple(self.venue.rests), self.now_ns, dead))

    def hear(self) -> None:
        """The answer to an earlier question, when much may have happened since."""
        if self._lists:
            self._told(self.pick(len(self._lists) - 1))

    def _told(self, number: int) -> None:
        rests, asked_ns, dead = self._lists.pop(number)
        self.stop.found(rests, asked_ns, dead=dead)


class World(Ways):
    """The same, with a position and prices that change."""

    def do(self, event: str) -> None:
        getattr(self, event)()
        # Whatever is wanted leaves at the first opportunity, as it does in the bot.
        self.think()
        self._judge()

    def position(self) -> None:
        lots = (-2, 2, 2, 0)[self.pick(3)]
        entry = Decimal(95_000 + 1_000 * self.pick(10))
        self.held = self.held._replace(lots=lots, entry_ticks=entry)

    def price(self) -> None:
        index = Decimal(95_000 + 1_000 * self.pick(10)) if self.pick(5) else None
        self.held = self.held._replace(index_ticks=index)

    def close(self) -> None:
        """The venue takes them off with the position, as some do."""
        self.held = self.held._replace(lots=0)
        self.venue.rests.clear()
        self.stop.known = False

    def wait(self) -> None:
        self.now_ns += (1, 2, 5, 70)[self.pick(3)] * NS_PER_S

    def calm(self) -> None:
        """Everything arrives, is answered and listed, for long enough."""
        if self.held.index_ticks is None:
            self.held = self.held._replace(index_ticks=Decimal(100_000))
        self.stop.known = False
        for _ in range(200):
            while self._wire:
                self.arrive()
            while self._late:
                self.late()
            self._lists.clear()
            self.now_ns += NS_PER_S
            self.look()
            self.think()
            self._judge()

    def _judge(self) -> None:
        now_s = self.now_ns // NS_PER_S
        waiting = [*self._wire, *self._late]
        alive = {each.body for each in waiting if self.venue.takes(each, now_s)}
        assert len(alive) <= 1
        if self.venue.kind != "adds":
            for side in Side:
                assert len([each for each in self.venue.rests if each.side is side]) <= 1


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(KINDS), st.lists(st.sampled_from(EVENTS), min_size=30, max_size=60), st.data()
)
def test_one_stop_rests_in_the_end_that_closes_the_position(
    kind: str, events: Sequence[str], choose: st.DataObject
) -> None:
    world = World(kind, choose)
    for event in events:
        world.do(event)
    world.calm()
    rests, lots = world.venue.rests, world.held.lots
    if not lots:
        assert rests == []
    else:
        (one,) = rests
        assert one.side * lots < 0
        assert one.kind is TriggerKind.STOP_LOSS
    assert world.stop.idle(world.held)
