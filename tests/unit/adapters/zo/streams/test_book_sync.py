from itertools import pairwise
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mmbot.adapters.zo.rest.answers import BookView
from mmbot.adapters.zo.streams.book_sight import BookParams
from mmbot.adapters.zo.streams.book_sync import BookSync
from mmbot.cext.nord import Deltas
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.domain.order import Level
from tests.fakes.market import FakeMarket

MS = 1_000_000
GRID = (1, 2)


def view(update_id: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> BookView:
    return BookView(
        update_id, tuple(Level(*each) for each in bids), tuple(Level(*each) for each in asks)
    )


class Client:
    """A BookSync with its book, and everything it said."""

    def __init__(self, **params: int) -> None:
        self.book = OrderBook()
        self.deltas = Deltas([("BTCUSD", *GRID)])
        self.events: list[BookUpdate | BookGap] = []
        self.sync = BookSync(7, self.book, self.deltas, self.events.append, BookParams(**params))
        self.now = 0

    def take(self, frame: bytes) -> None:
        _, last, update = self.deltas.parse(frame)
        self.sync.delta(last, update, frame, self.now)

    def told(self, last: int | None, update: int, **sides: list[list[float]]) -> None:
        chain = "" if last is None else f'"last_update_id":{last},'
        bids, asks = (str(sides.get(side, [])) for side in ("bids", "asks"))
        self.take(
            f'{{"delta":{{{chain}"update_id":{update},"market_symbol":"BTCUSD",'
            f'"bids":{bids},"asks":{asks}}}}}'.encode()
        )

    def answer(self, snapshot: BookView) -> bool:
        return self.sync.snapshot(snapshot, self.sync.epoch, self.now)

    def levels(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        return self.book.levels(1, 999, False), self.book.levels(-1, 999, False)


def synced(update_id: int = 10, **params: int) -> Client:
    client = Client(**params)
    client.sync.opened(0)
    assert client.answer(view(update_id, [(99, 1), (98, 1)], [(101, 1), (102, 1)]))
    client.events.clear()
    return client


def gaps(client: Client) -> list[str]:
    return [event.reason for event in client.events if isinstance(event, BookGap)]


def test_updates_wait_for_the_snapshot_and_the_older_ones_are_left_out() -> None:
    client = Client()
    client.sync.opened(0)
    client.told(9, 10, bids=[[9.0, 0.05]])
    client.told(10, 12, bids=[[9.1, 0.06]])
    client.told(12, 15, bids=[[9.2, 0.07]])
    assert not client.events
    assert client.sync.wanted
    assert client.answer(view(12, [(91, 6)], [(120, 1)]))
    assert client.levels() == ([(92, 7), (91, 6)], [(120, 1)])
    assert [type(event) for event in client.events] == [BookUpdate]
    assert not client.sync.wanted
    client.told(15, 16, bids=[[9.2, 0]])
    assert client.levels()[0] == [(91, 6)]
    client.answer(view(16, [], []))
    client.told(14, 17, bids=[[9.1, 0]])
    assert gaps(client) == ["gap: an update after 14 came after 16"]


def test_the_first_update_may_straddle_the_snapshot_and_only_the_first() -> None:
    client = synced(10)
    client.told(8, 12, bids=[[9.8, 0]])
    assert client.levels()[0] == [(99, 1)]
    client.told(11, 14, bids=[[9.9, 0]])
    assert client.levels()[0] == [(99, 1)]
    assert gaps(client) == ["gap: an update after 11 came after 12"]


def test_an_update_that_begins_after_the_snapshot_needs_a_newer_one() -> None:
    client = Client()
    client.sync.opened(0)
    client.told(20, 21, bids=[[9.0, 0.05]])
    assert not client.answer(view(19, [(95, 1)], [(101, 1)]))
    assert client.sync.wanted
    assert client.answer(view(20, [(95, 1)], [(101, 1)]))
    assert client.levels()[0] == [(95, 1), (90, 5)]


def test_a_gap_stops_the_book_at_once() -> None:
    client = synced(10)
    client.told(11, 12, bids=[[9.8, 0]])
    assert gaps(client) == ["gap: an update after 11 came after 10"]
    assert client.levels()[0] == [(99, 1), (98, 1)]
    assert not client.sync.synced
    # The update that showed the gap waits for the snapshot like those behind it.
    assert client.answer(view(11, [(98, 4)], []))
    assert client.levels() == ([], [])


@pytest.mark.parametrize("last", [0, None])
def test_a_restart_and_an_update_without_a_link_are_applied_when_newer(last: int | None) -> None:
    client = synced(10)
    client.told(last, 12, bids=[[9.8, 0]])
    client.told(last, 12, bids=[[9.9, 0]])
    client.told(last, 9, bids=[[9.9, 0]])
    assert client.levels()[0] == [(99, 1)]
    assert not gaps(client)
    assert client.sync.health().dropped == 2


def test_ids_that_only_fall_behind_are_a_chain_begun_anew() -> None:
    client = synced(1000)
    for update in range(1, 51):
        client.told(update - 1, update)
    assert gaps(client) == ["the ids of the venue went back"]
    assert client.answer(view(50, [(95, 1)], []))
    client.told(50, 51, bids=[[9.4, 1]])
    assert client.levels()[0] == [(95, 1), (94, 100)]


def test_an_old_update_repeated_is_no_chain_begun_anew() -> None:
    client = synced(1000)
    for _ in range(200):
        client.told(999, 1000)
    assert not gaps(client)
    assert client.sync.health().dropped == 200


def test_an_answer_from_before_a_break_is_not_taken() -> None:
    client = synced(10)
    client.told(11, 12)
    epoch = client.sync.epoch
    client.sync.closed("lost", 0)
    client.sync.opened(0)
    assert not client.sync.snapshot(view(12, [], []), epoch, 0)
    assert not client.sync.synced


def test_a_book_crossed_for_too_long_is_fetched_anew() -> None:
    client = synced(10)
    client.told(10, 11, asks=[[9.9, 1]])
    client.now = 250 * MS
    assert client.sync.tick(client.now) is None
    assert client.sync.synced
    assert client.sync.health().crossed
    client.told(11, 12, asks=[[9.9, 0]])
    client.told(12, 13, asks=[[9.9, 1]])
    client.sync.tick(500 * MS)
    assert client.sync.synced
    client.sync.tick(501 * MS)
    assert gaps(client) == ["crossed for more than 250 ms"]


def test_silence_needs_a_proof_and_none_means_death() -> None:
    client = synced(10)
    assert client.sync.tick(14_999 * MS) is None
    assert not client.sync.wanted
    assert client.sync.tick(15_000 * MS) is None
    assert client.sync.wanted
    assert client.sync.synced
    client.now = 15_100 * MS
    assert client.answer(view(10, [(99, 1), (98, 1)], [(101, 1), (102, 1)]))
    assert not client.sync.wanted
    assert client.sync.health().fresh_ns == client.now
    # A replica that lags proves nothing.
    client.sync.tick(31_000 * MS)
    assert not client.answer(view(9, [(99, 1)], []))
    assert client.sync.tick(45_000 * MS) is None
    assert client.sync.tick(45_100 * MS) is not None


def test_rest_ahead_of_a_silent_stream_is_death_unless_the_update_still_comes() -> None:
    for comes in (True, False):
        client = synced(10)
        client.sync.tick(15_000 * MS)
        client.now = 15_100 * MS
        assert not client.answer(view(12, [(99, 2)], [(101, 1)]))
        assert client.sync.tick(16_100 * MS) is None
        if comes:
            client.now = 16_100 * MS
            client.told(10, 12, bids=[[9.9, 0.02], [9.8, 0]], asks=[[10.2, 0]])
        assert (client.sync.tick(16_200 * MS) is None) is comes
        assert client.sync.wanted is not comes


def test_a_silent_book_that_differs_from_rest_is_replaced() -> None:
    client = synced(10)
    client.sync.tick(15_000 * MS)
    assert client.answer(view(10, [(97, 3)], [(101, 1)]))
    assert client.levels() == ([(97, 3)], [(101, 1)])
    assert client.sync.synced


def test_a_book_eaten_to_the_end_of_its_snapshot_is_looked_up_without_a_break() -> None:
    client = Client()
    client.sync.opened(0)
    bids = [(100 - step, 1) for step in range(8)]
    assert client.answer(view(10, bids, [(110, 1)]))
    client.told(10, 11, bids=[[10.0, 0], [9.9, 0], [9.8, 0]])
    client.sync.tick(0)
    assert not client.sync.wanted
    client.told(11, 12, bids=[[9.7, 0]])
    client.sync.tick(0)
    assert client.sync.wanted
    client.told(12, 13, bids=[[9.6, 0.05]])
    assert client.answer(view(12, [(96 - step, 1) for step in range(8)], [(110, 1)]))
    assert client.levels()[0] == [(96, 5), *((95 - step, 1) for step in range(7))]
    assert not gaps(client)
    assert not client.sync.wanted


def test_levels_beyond_the_end_of_the_snapshot_do_not_count_as_known_depth() -> None:
    client = Client()
    client.sync.opened(0)
    assert client.answer(view(10, [(100 - step, 1) for step in range(8)], [(110, 1)]))
    client.told(10, 11, bids=[[9.0, 1], [8.9, 1], [8.8, 1], [10.0, 0], [9.9, 0], [9.8, 0]])
    client.sync.tick(0)
    assert not client.sync.wanted
    client.told(11, 12, bids=[[9.7, 0]])
    client.sync.tick(0)
    assert client.sync.wanted


def test_now_and_then_a_snapshot_takes_the_place_of_the_book_without_a_break() -> None:
    client = synced(10)
    for second in range(1, 61):
        client.now = second * 1000 * MS
        assert not client.sync.wanted
        client.told(9 + second, 10 + second)
        client.sync.tick(client.now)
    assert client.sync.wanted
    client.told(70, 71, bids=[[9.7, 0.01]])
    # An update lied, in its place in the chain.
    assert client.answer(view(70, [(99, 4)], [(101, 1)]))
    assert client.levels() == ([(99, 4), (97, 1)], [(101, 1)])
    assert not gaps(client)
    assert not client.sync.wanted


def test_waiting_updates_are_bounded() -> None:
    client = Client(waiting_frames=3)
    client.sync.opened(0)
    for update in range(10, 15):
        client.told(update - 1, update, bids=[[update / 10, 1]])
    # Only 13 and 14 still wait: a snapshot older than those cannot be used any more.
    assert not client.answer(view(9, [], []))
    assert client.answer(view(12, [], []))
    assert client.levels()[0] == [(14, 100), (13, 100)]


def test_one_sided_is_told() -> None:
    client = synced(10)
    client.told(10, 11, asks=[[10.1, 0], [10.2, 0]])
    assert client.sync.health().one_sided
    assert client.sync.synced


class Wire(RuleBasedStateMachine):
    """A venue, a wire that loses, repeats and reorders, REST that lags, and the client."""

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.rng = Random(seed)
        self.venue = FakeMarket("BTCUSD", GRID, self.rng)
        self.client = Client()
        self.wire: list[bytes] = []
        self.sent: list[bytes] = []
        self.connected = False
        self.asked: tuple[int, BookView] | None = None

    @rule(times=st.integers(1, 4))
    def trade(self, times: int) -> None:
        for _ in range(times):
            frame = self.venue.change()
            if self.connected:
                self.wire.append(frame)
                self.sent.append(frame)

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self) -> None:
        self.connected = True
        self.client.sync.opened(self.client.now)

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
            self.client.take(self.wire.pop(0))

    @precondition(lambda self: self.wire)
    @rule(at=st.integers(0, 9))
    def lose(self, at: int) -> None:
        del self.wire[at % len(self.wire)]

    @precondition(lambda self: self.connected and self.sent)
    @rule(at=st.integers(0, 9), back=st.integers(1, 30))
    def repeat(self, at: int, back: int) -> None:
        self.wire.insert(at % (len(self.wire) + 1), self.sent[-min(back, len(self.sent))])

    @precondition(lambda self: len(self.wire) > 1)
    @rule(at=st.integers(0, 9))
    def reorder(self, at: int) -> None:
        self.wire.append(self.wire.pop(at % (len(self.wire) - 1)))

    @precondition(lambda self: self.client.sync.wanted)
    @rule(lag=st.integers(0, 3), ahead=st.integers(0, 2))
    def ask(self, lag: int, ahead: int) -> None:
        ids = list(self.venue.history)
        seen = ids[max(-len(ids), -1 - lag)]
        # Between two changes of the market the venue counts on for others.
        following = next((each for each in ids if each > seen), None)
        number = seen + ahead if following is None else min(seen + ahead, following - 1)
        self.asked = (self.client.sync.epoch, view(number, *self.venue.levels(seen)))
        if following is None:
            self.venue.update_id = max(self.venue.update_id, number)
            self.venue.history[self.venue.update_id] = self.venue.history[seen]

    @precondition(lambda self: self.asked is not None)
    @rule()
    def answer(self) -> None:
        assert self.asked is not None
        epoch, snapshot = self.asked
        self.asked = None
        self.client.sync.snapshot(snapshot, epoch, self.client.now)

    @rule(ms=st.sampled_from([10, 100, 400, 16_000]))
    def wait(self, ms: int) -> None:
        self.client.now += ms * MS
        if self.client.sync.tick(self.client.now) is not None and self.connected:
            self.disconnect()

    @invariant()
    def a_synced_book_is_one_the_venue_had(self) -> None:
        client = getattr(self, "client", None)
        if client is None or not client.sync.synced:
            return
        assert list(self.venue.history.values()).count(
            (dict(client.levels()[0]), dict(client.levels()[1]))
        )

    def teardown(self) -> None:
        """Quiet: nothing is lost any more, REST is up to date; the books must become equal."""
        if not hasattr(self, "client"):
            return
        if not self.connected:
            self.connect()
        for _ in range(60):
            self.trade(1)
            self.deliver(len(self.wire))
            self.client.now += 400 * MS
            if self.client.sync.tick(self.client.now) is not None:
                self.disconnect()
                self.connect()
            if self.client.sync.wanted:
                self.ask(0, 0)
                self.answer()
        assert self.client.sync.synced
        assert self.client.levels() == self.venue.levels(self.venue.update_id)
        told = [type(event) for event in self.client.events]
        assert told[-1] is BookUpdate
        # Every break was told once, after a book that was good.
        assert all(not (one is BookGap and other is BookGap) for one, other in pairwise(told))


TestWire = Wire.TestCase
TestWire.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
