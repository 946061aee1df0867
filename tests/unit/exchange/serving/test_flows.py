"""Surroundings of the exchange against the simulator's market and hand-made recordings."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from struct import Struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.synthetic import Setting, SyntheticMarket
from mmbot.cext.clob import Clob
from mmbot.cext.matching import Matching
from mmbot.domain.market import Market
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.running.flows import (
    GRAIN_NS,
    INDEX_NS,
    MOST_EVENTS,
    STRETCH_S,
    Flows,
    Quiet,
    RecordedFlow,
    Source,
    SyntheticFlow,
    stretch_seed,
)

ROW = Struct("<qqqqII")
START_NS = 1_767_225_600_000_000_000
SECOND_NS = 1_000_000_000
SUBSTEP_NS = 50_000_000
EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
DEPTH, TRADE = 1, 2
BID, ASK = 1, -1
IOC, POST_ONLY = 2, 1

BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.00001"), index=0)
ETH = Market("ETHUSD", Decimal("0.01"), Decimal("0.0001"), index=1)


class Stage:
    """An exchange that only matches; it writes down what it is told."""

    def __init__(self, clobs: list[Clob]) -> None:
        self.clobs = clobs
        self.now_ns = 0
        self.events: list[tuple[int, int, bytes]] = []
        self.indices: list[tuple[int, int, float]] = []
        self.trades: list[tuple[int, int, int, int, int]] = []

    def time(self, now_ns: int) -> None:
        assert now_ns >= self.now_ns
        self.now_ns = now_ns

    def rows(self, market_id: int, rows: bytes) -> None:
        self.events.append((self.now_ns, market_id, rows))
        for aggressor, _, _, fill in self.clobs[market_id].rows(rows):
            self.trades.append((market_id, self.now_ns, aggressor, fill[2], fill[3]))

    def set_index(self, market_id: int, ticks: float) -> None:
        self.indices.append((market_id, self.now_ns, ticks))


def synthetic(kind: MarketType = MarketType.NORMAL, seed: int = 7) -> tuple[Stage, Flows]:
    """BTCUSD at 60,000 and ETHUSD at 3,000, both of one kind."""
    clobs = [Clob(), Clob()]
    sources: list[Source] = [
        SyntheticFlow(clob, market, kind, seed, START_NS, ticks)
        for clob, market, ticks in zip(clobs, (BTC, ETH), (600_000.0, 300_000.0), strict=True)
    ]
    return Stage(clobs), Flows(sources)


def run(stage: Stage, flows: Flows, seconds: float) -> None:
    while not flows.advance(stage, START_NS + int(seconds * SECOND_NS)):
        pass


def simulated(market: Market, price: Decimal, seconds: int) -> list[tuple[int, ...]]:
    """Trades of the simulator's market, matched by the kernel of backtest and paper."""
    setting = Setting(price=price, start_ns=START_NS, feed_latency_ns=0)
    seed = stretch_seed(7, market.index, 0)
    twin = SyntheticMarket(MarketType.NORMAL, seed, market, STRETCH_S, setting)
    matching, trades = Matching(), list[tuple[int, int, int, int]]()
    prints: list[tuple[int, int, int, int]] = []
    while twin.next_ns <= START_NS + seconds * SECOND_NS:
        for ns, _, ticks, lots, flags, _ in ROW.iter_unpack(twin.chunk(*matching.best(), prints)):
            matching.event(ns, flags & 0xFF, BID if flags & BUY else ASK, ticks, lots)
        prints = matching.take_prints()
        trades += prints
    return [(market.index, *trade) for trade in trades]


def test_left_alone_the_market_is_the_simulators() -> None:
    stage, flows = synthetic()
    run(stage, flows, 300)
    for market, price in ((BTC, Decimal(60_000)), (ETH, Decimal(3_000))):
        expected = simulated(market, price, 300)
        assert len(expected) > 50
        assert [trade for trade in stage.trades if trade[0] == market.index] == expected


def scripted(cuts: list[int]) -> tuple[list[bytes], list[object], float | None]:
    """Ten seconds with two orders of a user at fixed times, advanced in other pieces."""
    stage, flows = synthetic()
    orders = {3_000: (1, 5, BID, 0, 200_000, IOC), 6_000: (2, 5, ASK, 599_000, 50_000, 0)}
    for ms in sorted({*cuts, *orders, 10_000}):
        assert flows.advance(stage, START_NS + ms * 1_000_000)
        if ms in orders:
            stage.clobs[0].place(*orders[ms])
    seen: list[object] = [*stage.trades, *stage.indices, *stage.events]
    return [clob.dump() for clob in stage.clobs], seen, flows.outside(0)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_how_often_it_is_called_changes_nothing(cuts: list[int]) -> None:
    assert scripted(cuts) == scripted([])


def test_a_stall_is_made_up_for_in_pieces() -> None:
    stage, flows = synthetic()
    calls = 1
    while not flows.advance(stage, START_NS + 100 * SECOND_NS):
        assert len(stage.events) <= calls * MOST_EVENTS
        calls += 1
    steady, same = synthetic()
    for second in range(101):
        assert same.advance(steady, START_NS + second * SECOND_NS)
    assert (stage.events, stage.indices) == (steady.events, steady.indices)
    # 2 markets, 20 sub-steps a second and the one at the start.
    assert calls == -(-2 * 2001 // MOST_EVENTS)


def test_events_come_in_order_and_at_their_time() -> None:
    stage, flows = synthetic()
    run(stage, flows, 5)
    assert [(at, market) for at, market, _ in stage.events[:4]] == [
        (START_NS, 0),
        (START_NS, 1),
        (START_NS + SUBSTEP_NS, 0),
        (START_NS + SUBSTEP_NS, 1),
    ]
    for at, _, rows in stage.events:
        assert {row[0] for row in ROW.iter_unpack(rows)} <= {at}


def test_the_index_follows_the_outside_price_at_its_pace() -> None:
    stage, flows = synthetic()
    run(stage, flows, 20)
    assert stage.indices[:2] == [(0, 0, 600_000.0), (1, 0, 300_000.0)]
    times = [at for market, at, _ in stage.indices if market == 0]
    assert all(b - a >= INDEX_NS for a, b in pairwise(times[1:]))
    assert len(times) == pytest.approx(20 * SECOND_NS / INDEX_NS, abs=4)
    bid, ask = stage.clobs[0].best()
    outside = flows.outside(0)
    assert bid is not None
    assert ask is not None
    assert outside is not None
    assert abs(outside - (bid + ask) / 2) < 600_000 * 10 / 10_000


def test_what_users_take_comes_back_and_moves_the_price() -> None:
    quiet, flows = synthetic()
    run(quiet, flows, 10)
    stage, moved = synthetic()
    run(stage, moved, 5)
    before = dict(stage.clobs[0].levels(ASK, 3))
    assert sum(lots for _, lots in before.items()) > 0
    fills, _ = stage.clobs[0].place(1, 5, BID, 0, sum(before.values()), IOC)
    assert {fill[2] for fill in fills} == set(before)
    run(stage, moved, 5.05)
    assert stage.clobs[0].levels(ASK, 1)[0][0] < max(before)
    run(stage, moved, 10)
    # An impact stays: 0.08 bps a root unit of 1,000 USD.
    units = sum(fill[3] for fill in fills) * 0.6 / 1000
    higher = (moved.outside(0) or 0) - (flows.outside(0) or 0)
    assert higher / 60 == pytest.approx(0.08 * units**0.5, rel=0.5)


def test_users_in_the_way_of_the_makers_are_traded_with() -> None:
    stage, flows = synthetic(MarketType.VOLATILE)
    run(stage, flows, 1)
    bid, _ = stage.clobs[0].best()
    assert bid is not None
    assert stage.clobs[0].place(1, 5, ASK, bid + 1, 1_000, POST_ONLY)[1] == 1_000
    seconds = 1
    while stage.clobs[0].order(1) is not None:
        seconds += 1
        assert seconds < 600
        run(stage, flows, seconds)
    assert sum(lots for _, _, side, ticks, lots in stage.trades if ticks == bid + 1) >= 1_000


def test_the_informed_see_what_users_offer() -> None:
    # 3 bps below the makers' offer: whoever knows the price to 0.3 bps buys at 10 a second.
    stage, flows = synthetic(MarketType.TOXIC)
    run(stage, flows, 1)
    bid, _ = stage.clobs[0].best()
    assert bid is not None
    stage.clobs[0].place(1, 5, ASK, bid + 1, 10, POST_ONLY)
    run(stage, flows, 1.6)
    assert stage.clobs[0].order(1) is None


def test_what_an_earlier_run_displayed_is_gone() -> None:
    stage, flows = synthetic()
    far = [(BID, 700_000), (BID, 599_000), (ASK, 800_000)]
    for side, ticks in far:
        stage.clobs[0].rows(row(0, DEPTH, side, ticks, 5))
    stage.clobs[0].place(1, 5, BID, 599_000, 7, POST_ONLY)
    run(stage, flows, 0)
    for side, ticks in far:
        assert stage.clobs[0].lots_at(side, ticks)[1] == 0
    assert stage.clobs[0].order(1) == (5, BID, 599_000, 7, 5.0)


def test_a_market_and_a_seed_have_a_life_of_their_own() -> None:
    seeds = {stretch_seed(s, m, n) for s in (1, 2) for m in (0, 1) for n in (0, 1)}
    assert len(seeds) == 8
    assert max(seeds) < 2**64
    found = []
    for seed in (1, 1, 2):
        stage, flows = synthetic(seed=seed)
        run(stage, flows, 3)
        found.append(stage.events)
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_crash_in_every_stretch_and_no_step_between_them() -> None:
    clob = Clob()
    flows = Flows([SyntheticFlow(clob, BTC, MarketType.FLASH_CRASH, 3, START_NS, 600_000)])
    stage = Stage([clob])
    prices = []
    for second in range(0, 2 * STRETCH_S, 30):
        run(stage, flows, second)
        stage.events.clear()
        bid, ask = clob.best()
        assert bid is not None
        assert ask is not None
        prices.append((bid + ask) / 2)
    half = len(prices) // 2
    for stretch in (prices[:half], prices[half:]):
        top = stretch[int(0.58 * half)]
        assert min(stretch) == pytest.approx(0.92 * top, rel=0.02)
        assert stretch.index(min(stretch)) == pytest.approx(0.6 * half + 3, abs=2)
    assert prices[half] == pytest.approx(prices[half - 1], rel=0.003)


class Engine:
    """The real exchange, told directly."""

    def __init__(self) -> None:
        self.exchange = Exchange(ExchangeParams(), START_NS)

    def time(self, now_ns: int) -> None:
        self.exchange.advance(now_ns)

    def rows(self, market_id: int, rows: bytes) -> None:
        self.exchange.background(market_id, rows)

    def set_index(self, market_id: int, ticks: float) -> None:
        self.exchange.set_index(market_id, ticks)


def surrounded(engine: Engine, start_ns: int) -> Flows:
    clobs = engine.exchange.clobs
    kinds = (MarketType.VOLATILE, MarketType.TOXIC)
    sources: list[Source] = [
        SyntheticFlow(clobs[market.index], market, kind, 7, start_ns, ticks)
        for market, kind, ticks in zip((BTC, ETH), kinds, (600_000, 300_000), strict=True)
    ]
    return Flows([*sources, Quiet(150_000)])


def test_the_exchange_stays_sound_and_goes_on_from_a_save() -> None:
    dumps = []
    for step_ns in (SECOND_NS // 7, 3 * SECOND_NS):
        engine = Engine()
        flows = surrounded(engine, START_NS)
        for number in range(60 * SECOND_NS // step_ns + 1):
            assert flows.advance(engine, START_NS + number * step_ns)
        assert flows.advance(engine, START_NS + 60 * SECOND_NS)
        engine.exchange.advance(START_NS + 61 * SECOND_NS)
        assert engine.exchange.violations() == []
        dumps.append(engine.exchange.dump())
    assert dumps[0] == dumps[1]
    other = Engine()
    other.exchange.load(dumps[0])
    flows = surrounded(other, START_NS + 61 * SECOND_NS)
    assert flows.advance(other, START_NS + 90 * SECOND_NS)
    assert other.exchange.violations() == []
    for clob, ticks in zip(other.exchange.clobs, (600_000, 300_000), strict=False):
        bid, ask = clob.best()
        assert bid is not None
        assert ask is not None
        assert (bid + ask) / 2 == pytest.approx(ticks, rel=0.01)


def test_order_flow_needs_room_for_a_price() -> None:
    with pytest.raises(ValueError, match="100 ticks"):
        SyntheticFlow(Clob(), BTC, MarketType.NORMAL, 1, START_NS, 99.0)


def test_nobody_else() -> None:
    stage, flows = Stage([Clob(), Clob()]), Flows([Quiet(5_000.5), Quiet(None)])
    run(stage, flows, 3_600)
    run(stage, flows, 7_200)
    assert stage.indices == [(0, 0, 5_000.5)]
    assert stage.events == []
    assert (flows.outside(0), flows.outside(1)) == (5_000.5, None)


def row(ms: int, kind: int, side: int, ticks: int, lots: int) -> bytes:
    """A row of a recording that begins at 10 s of its own time."""
    ns = (10_000 + ms) * 1_000_000
    return ROW.pack(ns, ns, ticks, lots, kind | EXCH | LOCAL | (BUY if side > 0 else SELL), 0)


RECORDING = [
    row(0, DEPTH, BID, 99, 5) + row(0, DEPTH, ASK, 103, 5),
    row(1_000, DEPTH, ASK, 101, 2),
    ROW.pack(11_500_000_000, 0, 101, 2, TRADE | LOCAL | BUY, 0),
    row(2_000, TRADE, BID, 101, 2) + row(2_000, DEPTH, ASK, 101, 0) + row(3_000, DEPTH, BID, 98, 1),
]


def recorded(speed: float, *, loop: bool = False) -> tuple[Stage, Flows]:
    clob = Clob()
    source = RecordedFlow(lambda: iter(RECORDING), START_NS, speed=speed, loop=loop)
    return Stage([clob]), Flows([source])


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_a_recorded_market_at_its_speed(speed: float) -> None:
    stage, flows = recorded(speed)
    run(stage, flows, 0)
    assert stage.clobs[0].best() == (99, 103)
    stage.clobs[0].place(1, 5, ASK, 101, 1, POST_ONLY)
    run(stage, flows, 100)
    assert [(at - START_NS) / SECOND_NS for at, _, _ in stage.events] == [
        0,
        1 / speed,
        2 / speed,
        3 / speed,
    ]
    # The user came first, so the first of the 2 lots is hers; her order does not move the index.
    assert [trade[2:] for trade in stage.trades] == [(BID, 101, 1), (BID, 101, 1)]
    assert [ticks for _, _, ticks in stage.indices] == [101.0, 100.0, 101.0]
    assert stage.clobs[0].best() == (99, 103)
    assert flows.outside(0) == 101.0
    run(stage, flows, 1_000)
    assert len(stage.events) == 4


def test_a_recording_that_loops_starts_from_an_empty_book() -> None:
    stage, flows = recorded(1.0, loop=True)
    run(stage, flows, 3.005)
    assert stage.clobs[0].levels(BID, 9) == [(99, 5), (98, 1)]
    run(stage, flows, 3.01)
    assert stage.clobs[0].levels(BID, 9) == [(99, 5)]
    run(stage, flows, 3.01 * 3 + 1)
    assert len(stage.events) == 4 * 3 + 2
    assert stage.events[-1][0] == START_NS + int(3.01 * 3 * SECOND_NS) + SECOND_NS


def test_a_recording_without_rows_and_an_impossible_speed() -> None:
    stage = Stage([Clob()])
    for loop in (False, True):
        flows = Flows([RecordedFlow(lambda: iter([b""]), START_NS, loop=loop)])
        run(stage, flows, 10)
        assert flows.outside(0) is None
    assert stage.events == []
    for speed in (0.0, -1.0, 2e6, float("nan")):
        with pytest.raises(ValueError, match="speed"):
            RecordedFlow(lambda: iter(RECORDING), START_NS, speed=speed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 50)), max_size=5), max_size=6),
    st.sampled_from([0.3, 1.0, 2.5, 1000.0]),
    st.lists(st.integers(0, 2_000), max_size=10),
)
def test_every_row_once_in_order_and_never_early(
    spans: list[list[tuple[int, int]]], speed: float, stops: list[int]
) -> None:
    chunks, ms = [], 0
    for span in spans:
        chunk = b""
        for wait_ms, ticks in span:
            ms += wait_ms
            chunk += row(ms, DEPTH, BID, ticks, 1 + ms)
        chunks.append(chunk)

    def play() -> Iterator[bytes]:
        yield from chunks

    stage, flows = Stage([Clob()]), Flows([RecordedFlow(play, START_NS, speed=speed)])
    for stop in sorted({*stops, 100_000}):
        run(stage, flows, stop / 10)
    told = b"".join(rows for _, _, rows in stage.events)
    # After the two rows that clear the book.
    assert told[2 * ROW.size :] == b"".join(chunks)
    kept = [row for rows in chunks for row in ROW.iter_unpack(rows)]
    for at_ns, _, rows in stage.events:
        for one in ROW.iter_unpack(rows):
            if one[4] & 0xFF == DEPTH:
                due_ns = (one[0] - kept[0][0]) / speed
                assert -1_000 <= at_ns - START_NS - due_ns <= GRAIN_NS + 1_000


def test_events_of_several_sub_steps_are_the_same_market() -> None:
    clob = Clob()
    coarse = SyntheticFlow(clob, BTC, MarketType.NORMAL, 7, START_NS, 600_000.0)
    coarse.substeps = 4
    stage, flows = Stage([clob]), Flows([coarse])
    run(stage, flows, 300)
    expected = simulated(BTC, Decimal(60_000), 300)
    # What comes after the last moment belongs to an event that began before it.
    for told, truth in zip(stage.trades, expected, strict=False):
        assert (told[0], *told[2:]) == (truth[0], *truth[2:])
        assert 0 <= truth[1] - told[1] <= 3 * SUBSTEP_NS
    assert len(stage.trades) >= len(expected) > 50
    assert len(stage.events) < 300 * 20 * 0.6
