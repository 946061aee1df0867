"""The order manager alone against a venue that loses, delays and refuses, and a process that dies.

Truth is a small model: which orders rest, and which batches may still be executed. Belief must hold
for possibly alive whatever rests or still can, and no side may ever hold more than its levels.
"""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Fill, OrderUpdate, VenueOrder, VenueSnapshot
from mmbot.domain.order import OrderState, Side
from mmbot.domain.quotes import Room
from mmbot.engine.outbox import Outbox, VenueTraits
from mmbot.engine.reconciling import Reconciling
from mmbot.engine.stops import Stops
from mmbot.execution.budget import Budget
from mmbot.execution.diff import diff
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.rates import RateLimitParams
from mmbot.risk.breaker import Breaker
from mmbot.risk.losses import LossParams
from tests.unit.engine.scene import MS, START, Bench, quotes

SECOND = 1000 * MS
LIFETIME = 5 * SECOND
PLENTY = Room(10**6, 10**6)
LADDERS = st.lists(st.integers(1, 9), max_size=2)
WHICH = st.integers(0, 30)


@dataclass
class Sent:
    """A batch on its way, until it is executed or too old to be."""

    batch: Batch
    born_ns: int
    done: bool = False
    told: bool = False
    words: list[OrderUpdate] = field(default_factory=list)


class Venue:
    """What may be: live orders by id, and batches that can still land."""

    def __init__(self) -> None:
        self.live: dict[int, Place] = {}
        self.leaves: dict[int, int] = {}
        self.sent: list[Sent] = []
        self.history: list[tuple[int, tuple[VenueOrder, ...], int]] = []
        self.position = 0

    def may_land(self) -> list[Place]:
        actions = [a for one in self.sent if not one.done for a in one.batch.actions]
        return [action for action in actions if isinstance(action, Place)]

    def possible(self) -> set[int]:
        return set(self.live) | {place.order_id for place in self.may_land()}

    def execute(self, one: Sent, now: int) -> None:
        """All or nothing; a refused batch has its cancels tried one by one."""
        one.done = True
        cancels = [a for a in one.batch.actions if isinstance(a, Cancel)]
        places = [a for a in one.batch.actions if isinstance(a, Place)]
        whole = all(cancel.order_id in self.live for cancel in cancels)
        pending = {place.order_id for place in self.may_land()}
        for cancel in cancels:
            found = self.live.pop(cancel.order_id, None) is not None
            if found:
                one.words.append(word(cancel.order_id, OrderState.CANCELLED))
            elif cancel.order_id in pending:
                one.words.append(word(cancel.order_id, OrderState.UNKNOWN, "not found yet"))
        for place in places:
            if whole:
                self.live[place.order_id] = place
                self.leaves[place.order_id] = place.lots
                one.words.append(word(place.order_id, OrderState.OPEN))
            else:
                one.words.append(word(place.order_id, OrderState.REJECTED, "ORDER_NOT_FOUND"))
        self.note(now)

    def expire(self, now: int) -> None:
        for one in self.sent:
            if not one.done and now > one.born_ns + LIFETIME:
                one.done = True
                for action in one.batch.actions:
                    kind = OrderState.EXPIRED if isinstance(action, Place) else OrderState.OPEN
                    if isinstance(action, Place) or action.order_id in self.live:
                        one.words.append(word(action.order_id, kind, "expired"))

    def note(self, now: int) -> None:
        orders = [
            VenueOrder(0, order_id, order_id, p.side, p.ticks, self.leaves[order_id])
            for order_id, p in self.live.items()
        ]
        self.history.append((now, tuple(orders), self.position))


def word(order_id: int, state: OrderState, reason: str | None = None) -> OrderUpdate:
    return OrderUpdate(0, 0, 0, order_id, state, 0, reason)


class OrderMachine(RuleBasedStateMachine):
    """Belief is a desk with its outbox and its reconciling."""

    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue()
        self.levels = 2
        self.now = START
        self.epoch = 0
        self.trades = 0
        self.stream: list[tuple[int, OrderUpdate | Fill]] = []
        self.boot(0)
        self.recovering = False

    def boot(self, position: int) -> None:
        self.epoch += 1
        bench = Bench()
        bench.account()
        bench.engine.risk.take_exposure(0, bench.desk.exposure(2000))
        self.desk = bench.desk
        self.desk.position.lots = position
        plenty = {"orders_per_second": 10_000, "cancels_per_second": 10_000}
        self.outbox = Outbox(
            bench.engine.risk,
            OrderIds(7, self.epoch),
            Budget(RateLimitParams(**plenty, requests_per_minute=1_000_000), 4),
            VenueTraits(),
        )
        self.stops = Stops(Breaker(LossParams()), 1)
        self.reconciling = Reconciling([self.desk], self.stops, self.outbox)
        self.receipts: list[OrderUpdate] = []
        self.recovering = True

    def flush(self) -> None:
        for batch in self.outbox.take_batches():
            self.venue.sent.append(Sent(batch, self.now))

    def believe(self, event: OrderUpdate | Fill) -> None:
        self.outbox.now_ns = self.now
        if isinstance(event, Fill):
            fill = Fill(
                self.now,
                self.now,
                0,
                event.order_id,
                event.trade_id,
                event.side,
                event.ticks,
                event.lots,
                event.leaves_lots,
                True,
                0,
            )
            self.desk.tracker.fill(fill)
            self.desk.position.fill(event.side, event.ticks, event.lots, 0)
        else:
            stamped = OrderUpdate(
                self.now, self.now, 0, event.order_id, event.state, 0, event.reason
            )
            self.desk.tracker.update(stamped)

    def pick(self, which: int) -> Sent | None:
        waiting = [one for one in self.venue.sent if not one.done]
        return waiting[which % len(waiting)] if waiting else None

    @initialize(levels=st.sampled_from([1, 2]))
    def begin(self, levels: int) -> None:
        self.levels = levels

    @rule(bids=LADDERS, asks=LADDERS, middle=st.integers(980, 1020))
    def want(self, bids: list[int], asks: list[int], middle: int) -> None:
        """Place and replace."""
        if self.recovering:
            return
        self.outbox.now_ns = self.now
        wanted = quotes(
            [(middle - 1 - at, lots) for at, lots in enumerate(bids[: self.levels])],
            [(middle + 1 + at, lots) for at, lots in enumerate(asks[: self.levels])],
        )
        desk = self.desk
        self.outbox.send(desk, diff(wanted, desk.tracker, desk.tolerance, PLENTY, self.now))
        self.flush()

    @rule()
    def pull(self) -> None:
        self.outbox.now_ns = self.now
        self.outbox.pull(self.desk)
        self.flush()

    @rule(which=WHICH, answered=st.booleans())
    def land(self, which: int, answered: bool) -> None:
        one = self.pick(which)
        if one is not None:
            self.land_one(one, answered)

    def land_one(self, one: Sent, answered: bool) -> None:
        self.venue.execute(one, self.now)
        # The account's stream tells of cancels, not of places.
        self.stream += [(self.now, e) for e in one.words if e.state is OrderState.CANCELLED]
        if answered:
            self.answer(one)

    @rule(which=WHICH, count=st.integers(1, 3))
    def hear_receipts(self, which: int, count: int) -> None:
        for _ in range(min(count, len(self.receipts))):
            self.believe(self.receipts.pop(which % len(self.receipts)))

    @rule(count=st.integers(1, 3))
    def hear_stream(self, count: int) -> None:
        for _ in range(min(count, len(self.stream))):
            self.believe(self.stream.pop(0)[1])

    @rule(which=WHICH)
    def time_out(self, which: int) -> None:
        """No answer to a batch: nobody knows."""
        silent = [one for one in self.venue.sent if not one.told]
        if silent:
            for action in silent[which % len(silent)].batch.actions:
                self.receipts.append(word(action.order_id, OrderState.UNKNOWN, "no answer"))

    @rule(which=WHICH)
    def look_up(self, which: int) -> None:
        """The venue part asks, or sends the same bytes again, and learns what became of it."""
        silent = [one for one in self.venue.sent if one.done and not one.told]
        if silent:
            self.answer(silent[which % len(silent)])

    def answer(self, one: Sent) -> None:
        one.told = True
        self.receipts += one.words

    @rule(ms=st.integers(1, 3000))
    def tick(self, ms: int) -> None:
        self.now += ms * MS
        self.venue.expire(self.now)

    @rule(which=WHICH, lots=st.integers(1, 9))
    def fill(self, which: int, lots: int) -> None:
        venue = self.venue
        if not venue.live:
            return
        order_id = list(venue.live)[which % len(venue.live)]
        place = venue.live[order_id]
        lots = min(lots, venue.leaves[order_id])
        venue.leaves[order_id] -= lots
        left = venue.leaves[order_id]
        if left == 0:
            del venue.live[order_id]
        venue.position += place.side * lots
        self.trades += 1
        fill = Fill(0, 0, 0, order_id, self.trades, place.side, place.ticks, lots, left, True, 0)
        self.stream.append((self.now, fill))
        venue.note(self.now)

    @rule(which=WHICH)
    def venue_cancels(self, which: int) -> None:
        if self.venue.live:
            order_id = list(self.venue.live)[which % len(self.venue.live)]
            del self.venue.live[order_id]
            gone = word(order_id, OrderState.CANCELLED, "unsolicited")
            self.stream.append((self.now, gone))
            self.venue.note(self.now)

    @rule(age_ms=st.sampled_from([0, 0, 100, 1000, 1999]))
    def snapshot(self, age_ms: int) -> None:
        """In step with the stream, and up to two seconds behind the receipts."""
        taken = self.now - age_ms * MS
        while self.stream and self.stream[0][0] <= taken:
            self.believe(self.stream.pop(0)[1])
        if self.stream and age_ms:
            return
        past = [entry for entry in self.venue.history if entry[0] <= taken]
        orders, position = (past[-1][1], past[-1][2]) if past else ((), 0)
        self.outbox.now_ns = self.now
        self.reconciling.take(VenueSnapshot(taken, self.now, orders, (position,)))
        self.flush()
        if age_ms == 0:
            older = [one for one in self.venue.may_land() if not self.mine(one.order_id)]
            self.recovering = bool(older) or any(not self.mine(i) for i in self.venue.live)

    @rule(bids=LADDERS, asks=LADDERS, middle=st.integers(980, 1020))
    def replace(self, bids: list[int], asks: list[int], middle: int) -> None:
        """A change that goes well, news and all."""
        self.want(bids, asks, middle)
        while (one := self.pick(0)) is not None:
            self.land_one(one, answered=True)
        self.hear_receipts(0, 99)
        self.hear_stream(99)

    @rule(bids=LADDERS, asks=LADDERS, middle=st.integers(980, 1020))
    def want_more(self, bids: list[int], asks: list[int], middle: int) -> None:
        self.want(bids, asks, middle)

    @rule(luck=st.integers(0, 7))
    def crash(self, luck: int) -> None:
        """Everything in memory is lost; what is on its way is not."""
        if luck:
            return
        self.stream.clear()
        for one in self.venue.sent:
            one.told = True
        self.boot(self.venue.position)

    def mine(self, order_id: int) -> bool:
        return self.outbox.ids.epoch_of(order_id) == self.epoch

    @invariant()
    def whatever_may_rest_is_held_for_alive(self) -> None:
        unheard = {event.order_id for _, event in self.stream}
        possible = {i for i in self.venue.possible() if self.mine(i)}
        assert possible <= set(self.desk.tracker.orders) | unheard

    @invariant()
    def no_side_has_more_than_its_levels(self) -> None:
        for side in Side:
            alive = [p for p in self.venue.live.values() if p.side is side]
            assert len(alive) <= self.levels

    @invariant()
    def the_outbox_keeps_to_four_and_cancels_first(self) -> None:
        for one in self.venue.sent:
            kinds = [isinstance(action, Place) for action in one.batch.actions]
            assert 0 < len(kinds) <= 4
            assert kinds == sorted(kinds)

    def teardown(self) -> None:
        """Faults end; within a few looks belief is the truth, and nothing rests."""
        for _ in range(12):
            self.now += LIFETIME
            self.venue.expire(self.now)
            for one in self.venue.sent:
                if not one.told and one.done:
                    self.answer(one)
            self.hear_receipts(0, 999)
            self.hear_stream(999)
            self.snapshot(0)
            self.pull()
            while (last := self.pick(0)) is not None:
                self.land_one(last, answered=True)
            self.hear_receipts(0, 999)
            self.hear_stream(999)
        assert self.venue.live == {}
        assert self.desk.tracker.orders == {}
        assert self.desk.position.lots == self.venue.position


OrderMachine.TestCase.settings = settings(
    max_examples=250, stateful_step_count=50, deadline=None, derandomize=True
)
TestOrders = OrderMachine.TestCase
