from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.streams.account_sync import AccountParams, AccountSync
from mmbot.adapters.zo.streams.frames import AccountFrame, OwnFill, OwnOrder, read_frame
from mmbot.domain.order import Side
from tests.fakes.account import FakeAccount, merged
from tests.unit.adapters.zo.accounts import ACCOUNT, CATALOG, GRID, Ledger, view

MS = 1_000_000


def fill(order_id: int, lots: int, remaining: int, *, exact: bool = True) -> OwnFill:
    return OwnFill(order_id, 0, Side.BID, lots, remaining, 105, exact, ACCOUNT, 99)


def order(order_id: int, lots: int) -> OwnOrder:
    return OwnOrder(order_id, 0, Side.BID, 105, lots)


class Client:
    """An AccountSync with a ledger behind it."""

    def __init__(self, **params: int) -> None:
        self.ledger = Ledger()
        self.sync = AccountSync(ACCOUNT, self.ledger, AccountParams(**params))
        self.now = 0

    def take(
        self,
        last: int | None,
        update: int,
        *fills: OwnFill,
        places: tuple[OwnOrder, ...] = (),
        cancels: tuple[OwnOrder, ...] = (),
    ) -> None:
        frame = AccountFrame(ACCOUNT, last, update, fills, places, cancels, {})
        self.sync.frame(frame, self.now)

    def answer(self, answer: AccountView) -> bool:
        return self.sync.snapshot(answer, self.sync.epoch, self.now)


def synced(orders: dict[int, int] | None = None, **params: int) -> Client:
    client = Client(**params)
    client.sync.opened(0)
    assert client.answer(view(10, 0, orders or {}))
    client.ledger.told.clear()
    return client


def test_what_came_before_the_snapshot_is_told_once() -> None:
    client = Client()
    client.sync.opened(0)
    client.take(8, 10, fill(1, 5, 0))
    client.take(10, 12, fill(2, 3, 4))
    assert client.sync.wanted
    assert client.answer(view(10, 5, {2: 7}))
    assert client.ledger.told == ["adopted 10", "changed 12"]
    assert client.ledger.position == 8
    assert client.sync.resting == {2: 4}


def test_replays_and_duplicates_are_told_once() -> None:
    client = synced({1: 9})
    for _ in range(3):
        client.take(9, 10, fill(1, 9, 0))
        client.take(10, 12, fill(1, 4, 5))
    assert client.ledger.told == ["changed 12"]
    assert client.ledger.position == 4


def test_updates_out_of_order_are_put_in_order() -> None:
    client = synced({1: 9})
    client.take(14, 15, fill(1, 1, 4))
    client.take(12, 14, fill(1, 2, 5))
    assert not client.sync.synced
    client.now = 199 * MS
    client.sync.tick(client.now)
    client.take(10, 12, fill(1, 2, 7))
    assert client.ledger.told == ["changed 12", "changed 14", "changed 15"]
    assert client.sync.synced
    client.sync.tick(900 * MS)
    assert client.sync.synced


def test_what_stays_missing_is_a_gap_and_nothing_is_told_behind_it() -> None:
    client = synced({1: 9})
    client.take(12, 14, fill(1, 2, 5))
    client.sync.tick(200 * MS)
    assert client.ledger.told == []
    client.sync.tick(201 * MS)
    assert client.ledger.told == ["gap: gap: what follows update 10 is missing"]
    assert client.sync.wanted
    # What waited is not lost: it follows a snapshot from within the gap.
    assert not client.answer(view(11, 0, {1: 9}))
    assert client.answer(view(12, 2, {1: 7}))
    assert client.ledger.told[1:] == ["adopted 12", "changed 14"]
    assert client.ledger.position == 4


def test_several_fills_of_an_order_in_one_update_count_by_what_rests() -> None:
    client = synced({1: 9})
    client.take(10, 11, fill(1, 1, 2))
    assert client.ledger.position == 7
    assert client.ledger.told[1].startswith("doubt: the sizes")
    client.take(11, 12, fill(5, 6, 4), places=(order(5, 10),))
    assert client.ledger.position == 13
    client.take(12, 13, fill(5, 4, 0))
    assert client.ledger.position == 17
    assert client.sync.resting == {1: 2}
    assert [told for told in client.ledger.told if told.startswith("doubt")] == [
        client.ledger.told[1]
    ]


def test_a_fill_before_its_order_is_known_counts_at_once() -> None:
    client = synced()
    client.take(10, 11, fill(3, 2, 6))
    client.take(11, 12, places=(order(3, 6),))
    client.take(12, 13, fill(3, 6, 0))
    assert client.ledger.position == 8
    assert client.sync.resting == {}


def test_a_price_between_ticks_is_to_be_looked_up() -> None:
    client = synced({1: 9})
    client.take(10, 11, fill(1, 4, 5, exact=False))
    assert client.ledger.told == [
        "changed 11",
        "doubt: the price of a fill lies on no tick: it stands for several",
    ]


def test_an_order_that_grows_is_a_gap() -> None:
    client = synced({1: 9})
    client.take(10, 11, fill(1, 1, 10))
    assert client.ledger.told == ["gap: order 1 grew"]
    assert client.ledger.position == 0


def test_an_update_that_begins_before_the_snapshot_is_taken_by_what_rests_and_doubted() -> None:
    client = synced({1: 9})
    client.take(8, 12, fill(1, 4, 7))
    assert client.ledger.position == 2
    assert client.ledger.told[1] == "doubt: the first update begins before the snapshot"


def test_a_fill_that_the_snapshot_may_have_already_is_a_gap_not_counted_twice() -> None:
    # An order that took 5 lots and never rested: before the snapshot, or after it?
    client = Client()
    client.sync.opened(0)
    assert client.answer(view(10, 5, {1: 9}))
    client.take(8, 12, fill(1, 4, 7), fill(2, 5, 0))
    assert client.ledger.told[1:] == ["gap: the first update begins before the snapshot"]
    assert client.sync.wanted
    assert not client.answer(view(11, 5, {1: 9}))
    assert client.answer(view(12, 7, {1: 7}))
    assert client.ledger.position == 7


def test_a_chain_begun_anew_is_a_gap_for_fills_are_not_absolute() -> None:
    client = synced({1: 9})
    client.take(0, 20, fill(1, 1, 8))
    client.sync.tick(201 * MS)
    assert client.ledger.told == ["gap: gap: what follows update 10 is missing"]
    assert client.answer(view(20, 1, {1: 8}))


def test_no_snapshot_leads_back() -> None:
    client = synced({1: 9})
    client.take(10, 15, fill(1, 4, 5))
    client.sync.closed("lost", 0)
    client.sync.opened(0)
    assert not client.answer(view(14, 0, {1: 9}))
    assert client.answer(view(15, 4, {1: 5}))


def test_another_account_is_refused() -> None:
    client = synced()
    with pytest.raises(ValueError, match="account"):
        client.sync.frame(AccountFrame(8, 10, 11, (), (), (), {}), 0)


def test_silence_needs_a_proof() -> None:
    client = synced({1: 9})
    client.sync.tick(9_999 * MS)
    assert not client.sync.wanted
    client.sync.tick(10_000 * MS)
    assert client.sync.wanted
    client.now = 10_100 * MS
    assert client.answer(view(10, 0, {1: 9}))
    assert not client.sync.wanted
    assert client.sync.fresh_ns == client.now
    client.sync.tick(20_200 * MS)
    assert not client.answer(view(9, 0, {1: 9}))
    assert client.sync.tick(30_000 * MS) is None
    assert client.sync.tick(30_200 * MS) is not None


def test_a_position_that_differs_from_rest_is_a_gap() -> None:
    client = synced({1: 9})
    client.take(10, 11, fill(1, 4, 5))
    client.sync.tick(10_000 * MS)
    assert not client.answer(view(11, 7, {1: 5}))
    assert client.ledger.told[1:] == ["gap: a position differs from the one REST tells"]
    assert client.answer(view(11, 7, {1: 5}))


def test_open_orders_that_differ_from_rest_are_a_gap() -> None:
    client = synced({1: 9})
    client.sync.tick(10_000 * MS)
    assert not client.answer(view(10, 0, {1: 8}))
    assert client.ledger.told == ["gap: the open orders differ from those REST tells"]
    assert client.answer(view(10, 1, {1: 8}))


def test_rest_ahead_of_a_silent_stream_is_death_unless_the_update_still_comes() -> None:
    for comes in (True, False):
        client = synced({1: 9})
        client.sync.tick(10_000 * MS)
        client.now = 10_100 * MS
        assert not client.answer(view(12, 9, {}))
        if comes:
            client.now = 11_000 * MS
            client.take(10, 12, fill(1, 9, 0))
        assert (client.sync.tick(11_200 * MS) is None) is comes


class Wire(RuleBasedStateMachine):
    """An account, a wire that loses, repeats and reorders, REST that lags, and a ledger."""

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.rng = Random(seed)
        self.venue = FakeAccount(ACCOUNT, GRID, self.rng)
        self.client = Client()
        self.wire: list[bytes] = []
        self.sent: list[bytes] = []
        self.connected = False
        self.asked: tuple[int, AccountView] | None = None

    @rule(times=st.integers(1, 4))
    def act(self, times: int) -> None:
        for _ in range(times):
            frame = self.venue.act()
            if self.connected:
                self.wire.append(frame)
                self.sent.append(frame)

    @precondition(lambda self: not self.connected)
    @rule(replayed=st.integers(0, 5))
    def connect(self, replayed: int) -> None:
        self.connected = True
        self.client.sync.opened(self.client.now)
        self.wire += self.sent[len(self.sent) - min(replayed, len(self.sent)) :]

    @precondition(lambda self: self.connected)
    @rule()
    def disconnect(self) -> None:
        self.connected = False
        self.wire.clear()
        self.client.sync.closed("lost", self.client.now)

    @precondition(lambda self: self.wire)
    @rule(count=st.integers(1, 5))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.wire))):
            frame = read_frame(self.wire.pop(0), CATALOG)
            assert isinstance(frame, AccountFrame)
            self.client.sync.frame(frame, self.client.now)

    @precondition(lambda self: self.wire)
    @rule(at=st.integers(0, 9))
    def lose(self, at: int) -> None:
        del self.wire[at % len(self.wire)]

    @precondition(lambda self: len(self.wire) > 1)
    @rule(at=st.integers(0, 9))
    def coalesce(self, at: int) -> None:
        at %= len(self.wire) - 1
        self.wire[at : at + 2] = merged(self.wire[at], self.wire[at + 1])

    @precondition(lambda self: self.connected and self.sent)
    @rule(at=st.integers(0, 9), back=st.integers(1, 30))
    def repeat(self, at: int, back: int) -> None:
        self.wire.insert(at % (len(self.wire) + 1), self.sent[-min(back, len(self.sent))])

    @precondition(lambda self: len(self.wire) > 1)
    @rule(at=st.integers(0, 9))
    def reorder(self, at: int) -> None:
        self.wire.append(self.wire.pop(at % (len(self.wire) - 1)))

    @precondition(lambda self: self.client.sync.wanted)
    @rule(lag=st.integers(0, 3))
    def ask(self, lag: int) -> None:
        ids = list(self.venue.history)
        seen = ids[max(-len(ids), -1 - lag)]
        position, orders = self.venue.history[seen]
        self.asked = (self.client.sync.epoch, view(seen, position, orders))

    @precondition(lambda self: self.asked is not None)
    @rule()
    def answer(self) -> None:
        assert self.asked is not None
        epoch, snapshot = self.asked
        self.asked = None
        self.client.sync.snapshot(snapshot, epoch, self.client.now)

    @rule(ms=st.sampled_from([10, 100, 250, 11_000]))
    def wait(self, ms: int) -> None:
        self.client.now += ms * MS
        if self.client.sync.tick(self.client.now) is not None and self.connected:
            self.disconnect()

    @invariant()
    def a_known_account_is_one_the_venue_had(self) -> None:
        client = getattr(self, "client", None)
        if client is None or not client.sync.synced:
            return
        known = (client.ledger.position, client.sync.resting)
        assert known == self.venue.history[client.ledger.reached]

    def teardown(self) -> None:
        """Quiet: nothing is lost any more; the ledger must become equal to the venue's."""
        if not hasattr(self, "client"):
            return
        if not self.connected:
            self.connect(0)
        for _ in range(60):
            self.act(1)
            self.deliver(len(self.wire))
            self.client.now += 250 * MS
            if self.client.sync.tick(self.client.now) is not None:
                self.disconnect()
                self.connect(0)
            if self.client.sync.wanted:
                self.ask(0)
                self.answer()
        assert self.client.sync.synced
        assert (self.client.ledger.position, self.client.sync.resting) == (
            self.venue.position,
            self.venue.orders,
        )


TestWire = Wire.TestCase
TestWire.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
