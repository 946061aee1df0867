"""The engine against a venue that refuses, delays, loses answers, part-fills and tells twice."""

from collections import deque
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mmbot.domain.actions import Action, Cancel, Place
from mmbot.domain.events import (
    AccountSnapshot,
    BookGap,
    BookUpdate,
    Command,
    Event,
    Fill,
    Operator,
    OrderUpdate,
    Timer,
)
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.domain.quotes import Quotes
from tests.unit.engine.scene import MS, START, USD, Bench, fill_book, flat, quotes

LIVE = (OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN)
LADDERS = st.lists(st.integers(1, 130), max_size=3)


@dataclass
class Resting:
    """An order as the venue knows it."""

    place: Place
    leaves: int


class EngineMachine(RuleBasedStateMachine):
    """Truth is what the venue holds; belief is what the engine has heard of it."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.log: list[object] = []
        self.sent: list[list[Action]] = []
        self.wire: deque[Action] = deque()
        self.news: deque[Event] = deque()
        self.orders: dict[int, Resting] = {}
        self.position = 0
        self.trades = 0
        self.middle = 1000
        self.halted = self.paused = self.gapped = self.flattening = self.stopped = False
        self.equity = 1000

    def now(self) -> int:
        return self.bench.now

    def feed(self, event: Event) -> None:
        self.log.append(event)
        actions = flat(self.bench.engine.handle(event))
        self.sent.append(actions)
        self.wire += actions
        self.check_sent(actions)

    def want(self, answer: Quotes) -> None:
        self.log.append(answer)
        self.bench.wishes[0].answer = answer

    def move(self, middle: int) -> None:
        self.log.append(middle)
        self.middle = middle
        fill_book(self.bench.books[0], middle)

    def check_sent(self, actions: list[Action]) -> None:
        desk = self.bench.desk
        places = [action for action in actions if isinstance(action, Place)]
        if self.flattening:
            assert not any(place.side * self.bench.desk.position.lots >= 0 for place in places)
            assert all(place.mode is FillMode.IOC and place.reduce_only for place in places)
            return
        assert not places or not (self.halted or self.paused or self.gapped or self.stopped)
        answer = desk.answer
        assert isinstance(answer, Quotes)
        # 30 % of equity at the mark; a lot is 0.01 and a half tick 0.05.
        most = self.equity * USD * 30 // 100 // (2 * self.middle * 500)
        pending = [action for action in self.wire if isinstance(action, Place)]
        for side, levels in ((Side.BID, answer.bids), (Side.ASK, answer.asks)):
            if not any(place.side is side for place in places):
                continue
            alive = sum(o.leaves for o in self.orders.values() if o.place.side is side)
            alive += sum(place.lots for place in pending if place.side is side)
            assert side * self.position + alive <= max(most, 0)
            working = desk.tracker.orders.values()
            live = [o for o in working if o.side is side and o.state in LIVE]
            assert len(live) <= len(levels)

    @initialize()
    def begin(self) -> None:
        self.account(1000)
        self.feed(BookUpdate(self.now(), self.now(), 0))

    @rule(ms=st.integers(1, 250), beat=st.booleans())
    def wait(self, ms: int, beat: bool) -> None:
        self.bench.now += ms * MS
        if beat:
            self.account(self.equity)
        self.feed(Timer(self.now(), self.now()))

    @rule(bids=LADDERS, asks=LADDERS, half=st.integers(1, 5))
    def requote(self, bids: list[int], asks: list[int], half: int) -> None:
        below = [(self.middle - half - step, lots) for step, lots in enumerate(bids)]
        above = [(self.middle + half + step, lots) for step, lots in enumerate(asks)]
        self.want(quotes(below, above))

    @rule(middle=st.integers(900, 1100))
    def trade_elsewhere(self, middle: int) -> None:
        self.move(middle)
        self.gapped = False
        self.feed(BookUpdate(self.now(), self.now(), 0))

    @rule()
    def gap(self) -> None:
        self.gapped = True
        self.feed(BookGap(self.now(), self.now(), 0, "lost"))

    @rule(usd=st.integers(960, 1000))
    def account(self, usd: int) -> None:
        self.equity = usd
        uusd = usd * USD
        now = self.now()
        self.feed(AccountSnapshot(now, now, uusd, uusd, 0, 0, False))
        self.halted = self.halted or self.bench.breaker.state.value == "halted"

    @precondition(lambda self: self.bench.desk.position.lots)
    @rule()
    def flatten(self) -> None:
        self.operate(Command.FLATTEN)
        while self.wire:
            self.deliver("done")
        self.hear(len(self.news))
        self.wait(100, beat=True)

    # A stop ends everything; it comes in the end.
    @rule(command=st.sampled_from([each for each in Command if each is not Command.STOP]))
    def operate(self, command: Command) -> None:
        self.halted = command is Command.HALT or (self.halted and command is not Command.CLEAR_HALT)
        if command in (Command.PAUSE, Command.RESUME):
            self.paused = command is Command.PAUSE
        if command in (Command.FLATTEN, Command.RESUME, Command.HALT, Command.STOP):
            self.flattening = command is Command.FLATTEN
        self.paused = self.paused or self.flattening
        self.stopped = self.stopped or command is Command.STOP
        self.feed(Operator(self.now(), self.now(), command, None, "test"))

    @rule(fate=st.sampled_from(["done", "done", "done", "refused", "unheard", "lost"]))
    def deliver(self, fate: str) -> None:
        if not self.wire:
            return
        action = self.wire.popleft()
        executed = fate in ("done", "unheard")
        if isinstance(action, Cancel):
            self.deliver_cancel(action, fate, executed)
        else:
            word = OrderState.OPEN if executed else OrderState.REJECTED
            if executed:
                self.orders[action.order_id] = Resting(action, action.lots)
                if action.mode is FillMode.IOC:
                    # It takes all it wants, and is over.
                    self.take(list(self.orders).index(action.order_id), action.lots, False)
                    word = OrderState.FILLED
            self.tell(action.order_id, OrderState.UNKNOWN if fate in ("unheard", "lost") else word)

    def deliver_cancel(self, action: Cancel, fate: str, executed: bool) -> None:
        gone = action.order_id not in self.orders
        if executed:
            self.orders.pop(action.order_id, None)
        if fate in ("unheard", "lost"):
            self.tell(action.order_id, OrderState.UNKNOWN)
        elif not gone and not executed:
            self.tell(action.order_id, OrderState.OPEN, "refused")
        else:
            self.tell(action.order_id, OrderState.CANCELLED)

    def tell(self, order_id: int, state: OrderState, reason: str | None = None) -> None:
        self.news.append(OrderUpdate(0, 0, 0, order_id, state, 0, reason))

    @rule(which=st.integers(0, 9), lots=st.integers(1, 130), twice=st.booleans())
    def take(self, which: int, lots: int, twice: bool) -> None:
        if not self.orders:
            return
        order_id = list(self.orders)[which % len(self.orders)]
        resting = self.orders[order_id]
        lots = min(lots, resting.leaves)
        resting.leaves -= lots
        if resting.leaves == 0:
            del self.orders[order_id]
        place = resting.place
        self.position += place.side * lots
        self.trades += 1
        fill = Fill(
            0, 0, 0, order_id, self.trades, place.side, place.ticks, lots, resting.leaves, True, 0
        )
        self.news += [fill] * (1 + twice)

    @rule(count=st.integers(1, 6))
    def hear(self, count: int) -> None:
        for _ in range(min(count, len(self.news))):
            event = self.news.popleft()
            self.feed(stamped(event, self.now()))

    @rule()
    def reconcile(self) -> None:
        # A snapshot settles what no news or request is on its way about.
        busy = {action.order_id for action in self.wire}
        busy |= {event.order_id for event in self.news if isinstance(event, OrderUpdate | Fill)}
        for order in list(self.bench.desk.tracker.orders.values()):
            if order.state is OrderState.UNKNOWN and order.order_id not in busy:
                alive = order.order_id in self.orders
                state = OrderState.OPEN if alive else OrderState.CANCELLED
                now = self.now()
                self.feed(OrderUpdate(now, now, 0, order.order_id, state, 0, "snapshot"))

    @invariant()
    def everything_stopped_is_on_its_way_out(self) -> None:
        # Rates are plentiful here, so no cancel may be missing once a stop is heard of.
        if self.halted and not self.flattening and self.sent:
            self.bench.now += 100 * MS
            self.feed(Timer(self.now(), self.now()))
            assert not self.bench.desk.tracker.cancellable()

    @invariant()
    def what_the_venue_holds_is_known(self) -> None:
        tracker = self.bench.desk.tracker
        stray = {event.order_id for event in self.news if isinstance(event, OrderUpdate | Fill)}
        assert self.orders.keys() <= tracker.orders.keys() | stray
        for side, total in ((Side.BID, tracker.bid_lots), (Side.ASK, tracker.ask_lots)):
            assert total == sum(o.leaves for o in tracker.orders.values() if o.side is side)
        unheard = {e.trade_id: e for e in self.news if isinstance(e, Fill)}
        heard = [e for e in self.log if isinstance(e, Fill)]
        missing = sum(
            e.side * e.lots for t, e in unheard.items() if all(h.trade_id != t for h in heard)
        )
        assert self.bench.engine.positions[0].lots == self.position - missing

    def teardown(self) -> None:
        if not self.sent:
            return
        self.halted, self.flattening = True, False
        last = Command.STOP if len(self.log) % 2 else Command.HALT
        self.feed(Operator(self.now(), self.now(), last, None, "end"))
        for _ in range(50):
            if not (self.wire or self.news or self.bench.desk.tracker.orders):
                break
            while self.wire:
                self.deliver("done")
            self.hear(len(self.news))
            self.reconcile()
            self.bench.now += 100 * MS
            self.feed(Timer(self.now(), self.now()))
        assert self.orders == {}
        assert self.bench.desk.tracker.orders == {}
        assert self.bench.engine.positions[0].lots == self.position
        assert replayed(self.log) == self.sent


def stamped(event: Event, now: int) -> Event:
    if isinstance(event, Fill):
        return Fill(
            now,
            now,
            event.market,
            event.order_id,
            event.trade_id,
            event.side,
            event.ticks,
            event.lots,
            event.leaves_lots,
            event.maker,
            event.fee_atoms,
        )
    assert isinstance(event, OrderUpdate)
    return OrderUpdate(now, now, event.market, event.order_id, event.state, 0, event.reason)


def replayed(log: list[object]) -> list[list[Action]]:
    """Actions a second engine sends on the same events."""
    bench = Bench()
    assert bench.now == START
    sent = []
    for entry in log:
        if isinstance(entry, Quotes):
            bench.wishes[0].answer = entry
        elif isinstance(entry, int):
            fill_book(bench.books[0], entry)
        else:
            assert isinstance(entry, Event)
            sent.append(flat(bench.engine.handle(entry)))
    return sent


EngineMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
TestEngine = EngineMachine.TestCase
