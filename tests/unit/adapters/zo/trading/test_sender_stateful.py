"""The life of actions in flight as a state machine, against the exchange's own engine.

Requests and answers are lost, late and out of order at will. Whatever happens, no order is told to
be over while it rests, but for a refusal whose bytes came a second time; in the end all agrees.
"""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest import account_parsing, parsing
from mmbot.adapters.zo.rest.action_line import Done, Lost
from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.rest.transport import Reply, Timeouts, Transport
from mmbot.adapters.zo.streams.frames import AccountFrame, read_frame
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import Access, Surroundings, TradedAccount, TradingParams
from mmbot.adapters.zo.trading.sending import Sending
from mmbot.adapters.zo.wire.outcomes import Unknown
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Event, Fill, Hindrance, OrderUpdate
from mmbot.domain.order import DONE, FillMode, OrderState, Side
from mmbot.exchange.views.frames import encode
from mmbot.exchange.views.rest import answer
from mmbot.execution.order_ids import OrderIds
from tests.unit.exchange.scene import Scene

NS = 10**9
LIFETIME_S = 5
ORIGIN = Origin("http", "127.0.0.1", 1)
MOST = 4
FATES = ("late", "answered", "unheard", "late", "lost")


class Wire:
    """Requests on their way, whose fates are decided by the test."""

    def __init__(self) -> None:
        self.sent = 0
        self.pending: list[tuple[bytes, Done]] = []
        # What bytes place, and what is to be cancelled: bytes with that are not sent again.
        self.places: dict[bytes, frozenset[int]] = {}
        self.unwanted: set[int] = set()

    def post(self, body: bytes, done: Done, *, urgent: bool = False) -> None:
        assert urgent in (True, False)
        assert not self.places.get(body, frozenset()) & self.unwanted
        self.pending.append((body, done))

    async def run(self) -> None:
        """Nothing has to be kept open."""


class Belief(RuleBasedStateMachine):
    """A sender, a stream and an engine, and what was told of orders."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self.scene.exchange.take_changes()
        self.maker = self.scene.maker
        self.now_ns = 10 * NS
        self.wire = Wire()
        self.late: list[bytes] = []
        self.events: list[Event] = []
        self.ids = OrderIds(7, 3)
        self.states: dict[int, OrderState] = {}
        self.engine_clock = EngineClock()
        self._open()

    def _open(self) -> None:
        path = "/info"
        catalog = parsing.catalog(path, answer(self.scene.exchange, path, {}).body)
        key = self.maker.key
        signer = SessionSigner(
            Keypair(bytes(key) + bytes(key.verify_key)),
            self.maker.session_id,
            self.maker.account_id,
            LIFETIME_S,
        )
        http = ZoHttp(Transport(ORIGIN, Timeouts()), Transport(ORIGIN, Timeouts()))
        access = Access(http, self.wire, Origin("ws", "127.0.0.1", 1))
        traded = TradedAccount(signer, None, catalog, (catalog.listings[0],), self.ids)
        outside = Surroundings(lambda: self.now_ns, Random(1), self.engine_clock)
        self.catalog = catalog
        self.known = Knowledge(access, traded, outside, TradingParams())
        self.sending = Sending(access, traded, outside, TradingParams(), self.known)
        self.known.ask(lambda: None, lambda: None, lambda _: None)
        self.known.outlet.connect(self.hear)
        self.read_clock()
        self.known.feed.sync.opened(self.now_ns)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, OrderUpdate):
            assert self.states[event.order_id] not in DONE
            self.states[event.order_id] = event.state

    def read_clock(self) -> None:
        second = self.scene.exchange.state.now_s
        self.engine_clock.observe(second, self.now_ns, self.now_ns)

    def flush(self) -> None:
        for change in self.scene.exchange.take_changes():
            wanted = [f"account@{self.maker.account_id}"]
            for stream, message in encode(self.scene.exchange, change, wanted):
                frame = read_frame(message, self.catalog) if stream in wanted else None
                if isinstance(frame, AccountFrame):
                    self.known.feed.sync.frame(frame, self.now_ns)

    def alive(self) -> list[int]:
        return [each for each, state in self.states.items() if state not in DONE]

    def truth(self) -> set[int]:
        orders = self.scene.exchange.state.accounts[self.maker.account_id].orders
        return {order.client_order_id or 0 for order in orders.values()}

    def submit(self, *actions: Place | Cancel) -> None:
        for action in actions:
            if isinstance(action, Place):
                self.states[action.order_id] = OrderState.SENT
            else:
                self.wire.unwanted.add(action.order_id)
        sent = len(self.wire.pending)
        self.sending.sender.submit(Batch(self.now_ns, actions), (0,))
        placed = frozenset(each.order_id for each in actions if isinstance(each, Place))
        for body, _ in self.wire.pending[sent:]:
            self.wire.places[body] = placed

    def order(self, ticks: int, lots: int = 5) -> Place:
        return Place(0, self.ids.next(), Side.BID, 600_000 - ticks, lots, FillMode.LIMIT)


class SenderLife(Belief):
    """What can happen, and what must hold whatever does."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[AccountView] = []
        self.look()

    @precondition(lambda self: len(self.alive()) < MOST)
    @rule(ticks=st.integers(0, 5))
    def place(self, ticks: int) -> None:
        self.submit(self.order(ticks))

    @precondition(lambda self: self.alive())
    @rule(at=st.integers(0, MOST - 1))
    def cancel(self, at: int) -> None:
        alive = self.alive()
        self.submit(Cancel(0, alive[at % len(alive)]))

    @precondition(lambda self: self.alive())
    @rule(at=st.integers(0, MOST - 1), ticks=st.integers(0, 5))
    def replace(self, at: int, ticks: int) -> None:
        alive = self.alive()
        self.submit(Cancel(0, alive[at % len(alive)]), self.order(ticks))

    @precondition(lambda self: self.wire.pending)
    @rule(at=st.integers(0, 9), fate=st.sampled_from(FATES))
    def meet(self, at: int, fate: str) -> None:
        body, done = self.wire.pending.pop(at % len(self.wire.pending))
        receipt = b""
        if fate in ("answered", "unheard"):
            receipt = self.scene.exchange.act(body)
        if fate == "late":
            self.late.append(body)
        if self.now_ns % 2:
            self.flush()
        if fate == "answered":
            done(Reply(200, "application/octet-stream", "", receipt))
        else:
            done(Lost("lost"))
        self.flush()

    @precondition(lambda self: self.late)
    @rule(at=st.integers(0, 9))
    def land(self, at: int) -> None:
        self.scene.exchange.act(self.late.pop(at % len(self.late)))
        self.flush()

    @rule(lots=st.integers(1, 7))
    def fill(self, lots: int) -> None:
        self.scene.house_takes(Side.ASK, 599_990, lots)
        self.flush()

    @rule(ms=st.integers(1, 3_000), looks=st.booleans())
    def wait(self, ms: int, looks: bool = False) -> None:
        self.now_ns += ms * 1_000_000
        self.scene.wait(ms / 1000)
        self.read_clock()
        self.flush()
        self.sending.tick(self.now_ns)
        if looks:
            self.look()

    @rule()
    def look(self) -> None:
        self.seen.append(self.view())
        self.tell_seen(len(self.seen) - 1)

    @precondition(lambda self: len(self.seen) < MOST)
    @rule()
    def peek(self) -> None:
        """A snapshot is taken whose answer is on its way for a while."""
        self.seen.append(self.view())

    @precondition(lambda self: self.seen)
    @rule(at=st.integers(0, MOST - 1))
    def tell_seen(self, at: int) -> None:
        view = self.seen.pop(at % len(self.seen))
        sync = self.known.feed.sync
        sync.ask_proof()
        sync.snapshot(view, sync.epoch, self.now_ns)

    def view(self) -> AccountView:
        path = f"/account/{self.maker.account_id}"
        body = answer(self.scene.exchange, path, {}).body
        view = account_parsing.account(path, body, self.catalog)
        self.known.account.views.asked(view, self.now_ns)
        return view

    @invariant()
    def nothing_is_over_that_rests(self) -> None:
        for order_id in self.truth():
            assert self.states[order_id] not in DONE - {OrderState.REJECTED}

    @invariant()
    def the_position_is_true(self) -> None:
        fills = {event.trade_id: event for event in self.events if isinstance(event, Fill)}
        told = sum(fill.side * fill.lots for fill in fills.values())
        held = self.scene.exchange.state.accounts[self.maker.account_id].positions.get(0)
        assert told == (held.lots if held else 0)

    def teardown(self) -> None:
        for _ in range(60):
            while self.wire.pending:
                self.meet(0, "answered")
            while self.late:
                self.land(0)
            self.wait(500)
            self.look()
        assert set(self.alive()) == self.truth()
        for order_id in self.alive():
            self.submit(Cancel(0, order_id))
        for _ in range(10):
            while self.wire.pending:
                self.meet(0, "answered")
            self.wait(500)
            self.look()
        assert not self.alive()
        assert not self.truth()
        assert self.sending.sender.in_flight == 0


TestSenderLife = SenderLife.TestCase
TestSenderLife.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
)


def sent_and_lost(life: SenderLife, *, lands: bool) -> int:
    """Send an order whose answer is lost; it lands, or not, and the stream is slow to tell."""
    order = life.order(0)
    life.submit(order)
    body, done = life.wire.pending.pop()
    early = life.view()
    if lands:
        life.scene.exchange.act(body)
    done(Lost("lost"))
    life.now_ns += (LIFETIME_S + 2) * NS
    life.scene.wait(LIFETIME_S + 2)
    life.read_clock()
    life.sending.tick(life.now_ns)
    life.seen.append(early)
    life.tell_seen(0)
    return order.order_id


def test_a_snapshot_asked_for_too_early_proves_nothing() -> None:
    life = SenderLife()
    order_id = sent_and_lost(life, lands=True)
    assert life.states[order_id] is OrderState.UNKNOWN
    life.flush()
    life.look()
    assert life.states[order_id] is OrderState.OPEN


def test_a_snapshot_asked_for_after_expiry_proves_that_it_never_was() -> None:
    life = SenderLife()
    order_id = sent_and_lost(life, lands=False)
    assert life.states[order_id] is OrderState.UNKNOWN
    life.look()
    assert life.states[order_id] is OrderState.EXPIRED


def test_nothing_is_proven_dead_before_its_bytes_are() -> None:
    life = SenderLife()
    order = life.order(0)
    life.submit(order)
    body, done = life.wire.pending.pop()
    done(Lost("lost"))
    life.wait(2_000, looks=True)
    life.wait(600, looks=True)
    assert life.states[order.order_id] is OrderState.UNKNOWN
    life.scene.exchange.act(body)
    life.flush()
    life.look()
    assert life.states[order.order_id] is OrderState.OPEN


def test_bytes_of_what_is_not_wanted_any_more_are_not_sent_again() -> None:
    life = SenderLife()
    order = life.order(0)
    life.submit(order)
    body, _ = life.wire.pending.pop()
    life.submit(Cancel(0, order.order_id))
    for _ in range(5):
        life.wait(400)
    assert body not in [sent for sent, _ in life.wire.pending]


def test_bytes_sent_before_trouble_are_not_sent_again_after_it() -> None:
    life = SenderLife()
    life.submit(life.order(0))
    lost, _ = life.wire.pending.pop()
    for ticks in (1, 2, 3):
        life.submit(life.order(ticks))
        _, done = life.wire.pending.pop()
        done(Lost("lost"))
    assert life.sending.health.troubled
    life.wait(20)
    life.submit(life.order(4))
    life.meet(len(life.wire.pending) - 1, "answered")
    assert not life.sending.health.troubled
    for _ in range(5):
        life.wait(400)
    assert lost not in [sent for sent, _ in life.wire.pending]


def test_maintenance_costs_a_request_a_second_and_ends_with_cancels_before_anybody_hears() -> None:
    life = SenderLife()
    orders = [life.order(ticks) for ticks in range(4)]
    life.submit(*orders)
    life.meet(0, "answered")
    refused = Unknown("maintenance", pb.MAINTENANCE)
    for second in range(1, 4):
        life.wait(1_000)
        life.sending.health.note(refused, life.now_ns, life.now_ns)
        life.sending.after_maintenance(life.now_ns)
        life.wait(0)
        assert len(life.wire.pending) == second
    told_late = []
    life.known.outlet.connect(lambda event: told_late.append((event, len(life.wire.pending))))
    life.meet(2, "answered")
    life.wait(0)
    over = [count for event, count in told_late if isinstance(event, Hindrance)]
    # Two questions that nobody answered, and a cancel of each order.
    assert over == [2 + 4]
    for _ in range(4):
        life.meet(2, "answered")
    assert life.truth() == set()
