"""The replay kernel against its slow twin, and rules worked by hand."""

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext import replay as kernel
from mmbot.cext.matching import DEPTH, TAKE, TRADE
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.domain.order import FillMode, Side
from tests.event_rows import FLAG_EXCH, FLAG_LOCAL, ROW
from tests.oracle import replay as oracle

BID, ASK = int(Side.BID), int(Side.ASK)
FLAG_BUY, FLAG_SELL = 0x20000000, 0x10000000
SECOND = 1_000_000_000
LATENCIES = st.sampled_from(
    [[(0, 0)], [(0, 3)], [(4, 0), (10, 5), (20, 1)], [(3, 2), (3, 7), (9, 0), (30, 30)]]
)
EVENT = st.tuples(
    *(st.sampled_from((0, 0, 1, 2, 5)), st.integers(0, 4)),
    *(st.sampled_from((1, 1, 1, 2, 2, 3, 4, 5)), st.sampled_from((BID, ASK))),
    *(st.integers(97, 103), st.integers(0, 6), st.sampled_from((1, 2, 3, 3, 3))),
)
STREAM = st.lists(EVENT, max_size=60)
DOING = st.one_of(
    st.tuples(st.integers(1, 12)),
    st.tuples(
        *(st.integers(1, 12), st.sampled_from((BID, ASK)), st.integers(97, 103)),
        *(st.integers(1, 8), st.sampled_from((0, 1, 1, 1, 2, 3))),
    ),
)


@dataclass
class Scenario:
    """Everything random about a run."""

    streams: list[list[oracle.Row]]
    doings: list[tuple[int, ...]]
    rules: dict[str, object]
    entry: list[tuple[int, int]]
    response: list[tuple[int, int]]
    horizons: list[int]
    seed: int
    step_ns: int = 3


def stream(events: list[tuple[int, ...]]) -> list[oracle.Row]:
    """Order events on both clocks; takers are seen by the exchange only."""
    rows, exch, local = [], 1, 0
    for gap, feed, kind, side, ticks, lots, seen in events:
        exch += gap
        local = max(local, exch + feed)
        traded = lots if kind in (1, 4) else max(lots, 1)
        views = (bool(seen & 1) or kind == TAKE, bool(seen & 2) and kind != TAKE)
        rows.append(oracle.Row(exch, local, kind, side, ticks, traded, *views))
    return rows


def packed(rows: list[oracle.Row]) -> bytes:
    """Write rows as the kernel reads them."""
    return b"".join(
        ROW.pack(
            *(row.exch_ns, row.local_ns, row.ticks, row.lots),
            row.kind
            | (FLAG_EXCH if row.at_exchange else 0)
            | (FLAG_LOCAL if row.at_local else 0)
            | (FLAG_BUY if row.side > 0 else FLAG_SELL),
            0,
        )
        for row in rows
    )


SCENARIOS = st.builds(
    Scenario,
    streams=st.lists(STREAM.map(stream), min_size=1, max_size=3),
    doings=st.lists(DOING, max_size=40),
    rules=st.sampled_from(
        [{"partial": True}, {"partial": False}, {"queue": "power", "numbers": (3.0,)}]
    ),
    entry=LATENCIES,
    response=LATENCIES,
    horizons=st.lists(st.integers(0, 9), max_size=3),
    seed=st.integers(0, 99),
)


class Kernel:
    """The kernel, fed in random pieces whenever it asks."""

    def __init__(self, scenario: Scenario) -> None:
        self.books = [OrderBook() for _ in scenario.streams]
        rules = scenario.rules | {"horizons": tuple(scenario.horizons)}
        self.replay = Replay(self.books, **rules)  # type: ignore[arg-type]
        self.replay.set_latency(scenario.entry, scenario.response)
        self.left = [packed(rows) for rows in scenario.streams]
        self.dice = random.Random(scenario.seed)
        self.marks: list[tuple[int, int, int, bool]] = []
        self.book_times = [(0, 0) for _ in self.books]

    def advance(self, until_ns: int) -> int:
        while (status := self.replay.advance(until_ns)) == kernel.NEED_ROWS:
            market = self.replay.needed_market
            cut = ROW.size * self.dice.choice((0, 1, 2, 10, 100))
            rows, self.left[market] = self.left[market][:cut], self.left[market][cut:]
            self.replay.feed(market, rows, not self.left[market])
        self.marks += self.replay.take_marks()
        return status

    def books_seen(self) -> list[object]:
        for market, exch_ns, local_ns, mid, _ in self.replay.take_changed_books():
            best_bid, _, best_ask, _ = self.books[market].touch()
            assert mid == (best_bid + best_ask if best_bid and best_ask else 0)
            assert self.book_times[market][1] != local_ns
            self.book_times[market] = (exch_ns, local_ns)
        assert self.replay.take_changed_books() == []
        return [
            [book.levels(side, 20) for side in (BID, ASK)] + [self.book_times[market]]
            for market, book in enumerate(self.books)
        ]


def seen_by(slow: oracle.Replay) -> list[object]:
    """List the local books of the twin from the best down, as OrderBook.levels does."""
    seen: list[object] = []
    for market in slow.markets:
        sides: list[object] = []
        for side in (BID, ASK):
            best, levels = market.local.top[side], market.local.levels[side]
            listed = [] if best is None else [t for t in levels if (best - t) * side >= 0]
            sides.append([(t, levels[t]) for t in sorted(listed, key=lambda t: -t * side)])
        seen.append([*sides, market.book_times])
    return seen


def drive(scenario: Scenario, venue: oracle.Replay | Replay, advance: object) -> list[object]:
    """Step through time, doing the next thing of the script at every stop."""
    trace: list[object] = []
    doings = iter(scenario.doings)
    until = scenario.step_ns
    while True:
        status = advance(until)  # type: ignore[operator]
        trace.append((status, venue.take_responses()))
        if status == kernel.ENDED:
            return trace
        until += scenario.step_ns if status == kernel.REACHED else 0
        doing = next(doings, None)
        if doing is not None and len(doing) == 1:
            venue.cancel(doing[0] % len(scenario.streams), doing[0])
        elif doing is not None:
            venue.submit(doing[0] % len(scenario.streams), *doing)


def compare(scenario: Scenario) -> None:
    slow = oracle.Replay(
        scenario.streams,
        scenario.rules,
        entry=scenario.entry,
        response=scenario.response,
        horizons=scenario.horizons,
    )
    fast = Kernel(scenario)
    slow_trace: list[object] = []
    fast_trace: list[object] = []

    def slow_advance(until_ns: int) -> int:
        status = slow.advance(until_ns)
        best = [market.matching.best() for market in slow.markets]
        slow_trace.append((slow.now, best, seen_by(slow)))
        return status

    def fast_advance(until_ns: int) -> int:
        status = fast.advance(until_ns)
        best = [fast.replay.best(market) for market in range(len(fast.books))]
        fast_trace.append((fast.replay.now_ns, best, fast.books_seen()))
        return status

    slow_answers = drive(scenario, slow, slow_advance)
    assert drive(scenario, fast.replay, fast_advance) == slow_answers
    assert fast_trace == slow_trace
    assert sorted(fast.marks) == slow.all_marks()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(SCENARIOS)
def test_random_runs_match_the_slow_twin_in_any_pieces(scenario: Scenario) -> None:
    compare(scenario)


def long_scenario(seed: int) -> Scenario:
    """Draw up to three markets of 300 rows and an order or a cancel at almost every stop.

    In half of them the local side sees little, so that the exchanges run far between two stops.
    """
    dice = random.Random(seed)
    slowest = dice.choice((4, 90))
    seen = dice.choice([(1, 2, 3, 3, 3, 3), (1, 1, 1, 1, 1, 1, 1, 1, 1, 3)])

    def event() -> tuple[int, ...]:
        side = dice.choice((BID, ASK))
        kind = dice.choice((1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5))
        ticks = 100 - side * dice.choice((-1, 0, 1, 1, 2, 3))
        gap, feed = dice.choice((0, 0, 1, 2, 5)), dice.randint(0, slowest)
        taker = side if kind in (1, 3, 4) else -side
        return (gap, feed, kind, taker, ticks, dice.randint(0, 9), dice.choice(seen))

    def doing(number: int) -> tuple[int, ...]:
        if dice.random() < 0.2:
            return (dice.randint(0, number),)
        side = dice.choice((BID, ASK))
        ticks, mode = 100 - side * dice.choice((0, 1, 2, 3)), dice.choice((0, 1, 1, 1, 1, 2, 3))
        return (number, side, ticks, dice.randint(1, 6), mode)

    delays = [[(0, 2)], [(0, 0)], [(100, 0), (200, 9), (300, 1)], [(50, 4), (50, 7), (400, 0)]]
    return Scenario(
        streams=[stream([event() for _ in range(300)]) for _ in range(dice.randint(1, 3))],
        doings=[doing(number) for number in range(250)],
        rules={"partial": bool(seed % 2)} if seed % 3 else {"queue": "power", "numbers": (2.0,)},
        entry=dice.choice(delays),
        response=dice.choice(delays),
        horizons=[3, 0, 40],
        seed=seed,
        step_ns=dice.choice((3, 3, 60)),
    )


@pytest.mark.parametrize("seed", range(24))
def test_long_runs_match_the_slow_twin_in_any_pieces(seed: int) -> None:
    compare(long_scenario(seed))


def depth(ns: int, side: int, ticks: int, lots: int) -> oracle.Row:
    return oracle.Row(ns, ns + 1000, DEPTH, side, ticks, lots, True, True)


def trade(ns: int, side: int, ticks: int, lots: int) -> oracle.Row:
    return oracle.Row(ns, ns + 1000, TRADE, side, ticks, lots, True, True)


def market(*rows: oracle.Row, **rules: object) -> Replay:
    """Build a fed replay of one market."""
    replay = Replay([OrderBook()], **rules)  # type: ignore[arg-type]
    replay.feed(0, packed(list(rows)), True)
    return replay


def test_a_request_meets_the_book_after_the_rows_of_its_instant() -> None:
    # Sent at 5000, at the exchange at 5100 with the row that lifts the bid to 100: it would cross.
    replay = market(depth(1000, BID, 99, 1), depth(5100, BID, 100, 1), depth(9000, ASK, 105, 1))
    replay.set_latency([(0, 100)], [(0, 50)])
    assert replay.advance(5000) == kernel.REACHED
    replay.submit(0, 1, ASK, 100, 1, FillMode.POST_ONLY)
    assert replay.advance(20_000) == kernel.RESPONSE
    (expired,) = replay.take_responses()
    assert expired[:5] == (kernel.EXPIRED, 0, 1, 5100, 5150)
    assert replay.now_ns == 5150


def test_nothing_overtakes_in_either_direction() -> None:
    # Delays: 500 for a request at 2000, 0 for one at 2100. The second waits for the first: 2500.
    replay = market(depth(1000, BID, 99, 1), depth(9000, ASK, 105, 1))
    replay.set_latency([(2000, 500), (2050, 0)], [(2500, 300)])
    replay.advance(2000)
    replay.submit(0, 1, BID, 98, 1, FillMode.POST_ONLY)
    replay.advance(2100)
    replay.submit(0, 2, BID, 97, 1, FillMode.POST_ONLY)
    assert replay.advance(20_000) == kernel.RESPONSE
    assert [response[2:5] for response in replay.take_responses()] == [
        (1, 2500, 2800),
        (2, 2500, 2800),
    ]


def test_marks_are_the_exchange_mid_at_the_horizon() -> None:
    # Filled at 3000 with the mid at (99 + 101); at 4000 it is (99 + 103), at 6000 (99 + 107).
    replay = market(
        *(depth(1000, BID, 99, 1), depth(1000, ASK, 101, 1), trade(3000, ASK, 98, 1)),
        *(depth(3500, ASK, 101, 0), depth(3500, ASK, 103, 1)),
        *(depth(5000, ASK, 103, 0), depth(5000, ASK, 107, 1)),
        horizons=(1000, 2000, 9000),
    )
    replay.advance(2000)
    replay.submit(0, 1, BID, 99, 1, FillMode.POST_ONLY)
    responses = []
    while replay.advance(20_000) == kernel.RESPONSE:
        responses += replay.take_responses()
    fill = responses[-1]
    assert (fill[0], fill[3]) == (kernel.FILLED, 3000)
    assert fill[6] == (99, 1, True, kernel.TRADE_THROUGH, 200, 0)
    assert sorted(replay.take_marks()) == [(0, 0, 202, True), (0, 1, 206, True), (0, 2, 206, False)]


def test_drawn_latencies_come_from_the_list_and_the_seed() -> None:
    def delays(seed: int) -> list[int]:
        replay = market(depth(1, BID, 99, 1), depth(10**9, ASK, 105, 1))
        replay.set_latency([(0, 10), (0, 20), (0, 70)], [(0, 1)], seed)
        found = []
        for number in range(60):
            sent = 1000 * (number + 1)
            replay.advance(sent)
            replay.submit(0, number, BID, 90, 1, FillMode.POST_ONLY)
            replay.advance(sent + 999)
            found.append(replay.take_responses()[0][3] - sent)
        return found

    assert set(delays(1)) == {10, 20, 70}
    assert delays(1) == delays(1)
    assert delays(1) != delays(2)


def test_takers_print_and_stay_unseen_locally() -> None:
    taker = oracle.Row(3000, 3000, TAKE, BID, 101, 5, True, False)
    book = OrderBook()
    replay = Replay([book], prints=True)
    replay.feed(0, packed([depth(1000, ASK, 101, 3), taker, depth(5000, ASK, 101, 8)]), True)
    replay.advance(4500)
    assert replay.take_prints(0) == [(3000, BID, 101, 3)]
    assert replay.best(0) == (None, None)
    assert book.lots_at(ASK, 101) == 3
    replay.advance(9000)
    assert book.lots_at(ASK, 101) == 8


def test_start_and_end_of_a_run() -> None:
    replay = market(depth(1000, BID, 99, 1), depth(3000, ASK, 105, 1))
    assert replay.start_ns == 1000
    assert replay.advance(3999) == kernel.REACHED
    assert replay.advance(4000) == kernel.ENDED
    assert replay.now_ns == 4000


def test_time_does_not_go_back_between_markets() -> None:
    replay = Replay([OrderBook(), OrderBook()])
    first = [depth(1000, BID, 99, 1), replace(depth(1000, BID, 98, 1), local_ns=5000)]
    replay.feed(0, packed(first), True)
    replay.feed(1, packed([replace(depth(1000, BID, 99, 1), local_ns=3000)]), True)
    assert replay.advance(9000) == kernel.ENDED
    assert replay.now_ns == 5000


def test_malformed_input_is_refused() -> None:
    replay = Replay([OrderBook()])
    good = packed([depth(1000, BID, 99, 1)])
    later = depth(1001, BID, 99, 1)
    bad = [
        (good[:-1], "40 bytes"),
        (packed([depth(1000, BID, 99, 1), depth(999, BID, 99, 1)]), "exchange time goes back"),
        (packed([depth(1000, BID, 99, 1), replace(later, local_ns=1999)]), "local time goes back"),
        (packed([oracle.Row(1, 1, 9, BID, 99, 1, True, True)]), "kind"),
        (packed([depth(1000, BID, 99, -1)]), "negative"),
    ]
    for rows, message in bad:
        with pytest.raises(ValueError, match=message):
            Replay([OrderBook()]).feed(0, rows, False)
    replay.feed(0, good, True)
    with pytest.raises(ValueError, match="none after the last"):
        replay.feed(0, good, True)
    with pytest.raises(IndexError):
        replay.cancel(1, 1)
    with pytest.raises(ValueError, match="at least one lot"):
        replay.submit(0, 1, BID, 99, 0, FillMode.LIMIT)
    with pytest.raises(ValueError, match="does not exist"):
        replay.submit(0, 1, 0, 99, 1, FillMode.LIMIT)
    with pytest.raises(ValueError, match="latency row 1"):
        replay.set_latency([(0, 0), (1, -1)], [(0, 0)])
    with pytest.raises(ValueError, match="at least one market"):
        Replay([])


def test_the_volume_of_the_whole_market_is_counted() -> None:
    replay = market(
        *(depth(1000, BID, 99, 5), depth(1000, ASK, 101, 5)),
        *(trade(3000, ASK, 99, 2), trade(4000, BID, 101, 1)),
    )
    assert replay.traded(0) == (0, 0.0)
    replay.advance(3000)
    assert replay.traded(0) == (2, 198.0)
    replay.advance(9000)
    assert replay.traded(0) == (3, 299.0)
