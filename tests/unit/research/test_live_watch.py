"""The notes of a live run: those of a backtest watched from outside are the same as from inside."""

from pathlib import Path

import pytest

from mmbot.assemble import Run, RunOptions, recorded_run
from mmbot.assemble.comparing.tapped import Opening, Tapped
from mmbot.config.loader import load
from mmbot.domain.actions import Batch
from mmbot.domain.events import (
    UNIDENTIFIED,
    Fill,
    FundingPayment,
    OrderUpdate,
    Restatement,
)
from mmbot.domain.order import OrderState, Side
from mmbot.research.attribution import attribute
from mmbot.research.live_watch import LiveWatch
from mmbot.research.record import Recorder, RunRecord
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds
from tests.unit.engine.scene import MS, Bench

ROOT = Path(__file__).resolve().parents[3]
SECOND = 1000 * MS


class Both:
    """Watches a backtest from inside and from outside."""

    def __init__(self, run: Run, live: LiveWatch) -> None:
        self.run = run
        self.live = live

    def batch(self, batch: Batch) -> None:
        self.run.watch.batch(batch)
        self.live.batch(batch)

    def step(self, now_ns: int) -> None:
        self.run.watch.step(now_ns)
        self.live.tick(now_ns)


@pytest.fixture(scope="module")
def records() -> tuple[RunRecord, RunRecord]:
    config = load([ROOT / "examples" / "sample.yaml"]).config
    feeds = open_feeds([ROOT / "examples" / "data" / "sample.tape"], "tape", FeedOptions())
    run = recorded_run(config, feeds, RunOptions())
    live = LiveWatch(run.engine, Recorder([feed.market for feed in feeds], 10**10))
    venue = Tapped(run.venue, [Opening(0)], live.event, run.watch.carry)
    replay(run.engine, venue, Both(run, live), max_steps=9_000, keep_going=lambda: True)
    return run.watch.finish(), live.finish(run.venue.now_ns)


def test_fills_counts_and_profit_are_the_same(records: tuple[RunRecord, RunRecord]) -> None:
    inside, outside = records
    assert len(inside.fills) >= 20
    assert [(fill.ts_recv_ns, fill.ticks, fill.lots, fill.fee_atoms) for fill in inside.fills] == [
        (fill.ts_recv_ns, fill.ticks, fill.lots, fill.fee_atoms) for fill in outside.fills
    ]
    assert inside.markets[0].pnl_atoms == outside.markets[0].pnl_atoms
    assert inside.markets[0].gate_ns == outside.markets[0].gate_ns
    assert inside.counts["placed"] == outside.counts["placed"]
    assert inside.counts["requests"] == outside.counts["requests"]
    assert attribute(outside).lines.total == attribute(inside).lines.total


def test_every_fill_has_its_markouts(records: tuple[RunRecord, RunRecord]) -> None:
    inside, outside = records
    numbers = {fill.number for fill in outside.fills}
    for horizon in range(3):
        assert set(outside.marks[horizon]) == numbers
        assert len(outside.unmatured[horizon]) == len(inside.unmatured[horizon])


class Watched:
    """A bench whose engine is watched."""

    def __init__(self) -> None:
        self.bench = Bench()
        market = self.bench.desk.state.market
        self.recorder = Recorder((market,), 1_000_000_000)
        self.watch = LiveWatch(self.bench.engine, self.recorder)

    def fill(
        self, order_id: int, trade_id: int, lots: int = 5, ts_venue_ns: int | None = None
    ) -> None:
        now_ns = self.bench.now
        said_ns = now_ns if ts_venue_ns is None else ts_venue_ns
        self.watch.event(
            Fill(said_ns, now_ns, 0, order_id, trade_id, Side.BID, 999, lots, 0, True, 11)
        )

    def finish(self) -> RunRecord:
        self.bench.now += SECOND
        return self.watch.finish(self.bench.now)


def test_a_fill_told_again_when_its_order_is_known_counts_once() -> None:
    watched = Watched()
    watched.fill(UNIDENTIFIED, 77)
    watched.fill(1234, 77)
    watched.fill(1234, 78)
    record = watched.finish()
    assert [fill.lots for fill in record.fills] == [5, 5]
    assert record.markets[0].final_lots == 10


def test_a_fill_of_no_known_time_stands_where_it_was_heard_of() -> None:
    watched = Watched()
    heard_ns = watched.bench.now
    watched.fill(1234, 77, ts_venue_ns=0)
    (fill,) = watched.finish().fills
    assert fill.ts_exch_ns == heard_ns > 0


def test_what_comes_before_the_book_waits_for_a_price() -> None:
    watched = Watched()
    watched.bench.books[0].clear()
    watched.fill(1, 1)
    watched.watch.tick(watched.bench.now)
    assert not watched.recorder.fills
    watched.bench.books[0].snapshot([(999, 10)], [(1001, 10)])
    record = watched.finish()
    assert [fill.mark_half_ticks for fill in record.fills] == [2000]


def test_corrections_of_the_venue_are_in_the_profit_and_its_lines() -> None:
    watched = Watched()
    watched.fill(1, 1)
    now_ns = watched.bench.now
    watched.watch.event(Restatement(now_ns, now_ns, 0, 0, -40, 3, "average price"))
    watched.watch.event(Restatement(now_ns, now_ns, 0, -2, 2_000, 1, "gap"))
    watched.watch.event(FundingPayment(now_ns, now_ns, 0, 9))
    record = watched.finish()
    market = watched.bench.desk.state.market
    bought = 5 * (market.unit_value(2000) - market.unit_value(2 * 999)) - 11
    sold = 2_000 - 2 * market.unit_value(2000) - 1
    assert record.markets[0].pnl_atoms == bought - 43 + sold + 9
    assert record.markets[0].final_lots == 3
    assert attribute(record).markets[0].lines.total == record.markets[0].pnl_atoms


def test_a_correction_before_any_fill_is_told_as_funding() -> None:
    watched = Watched()
    now_ns = watched.bench.now
    watched.watch.event(Restatement(now_ns, now_ns, 0, 0, -40, 3, "average price"))
    record = watched.finish()
    assert [payment.atoms for payment in record.funding] == [-43]


def test_a_position_held_before_begins_at_the_first_mid() -> None:
    bench = Bench()
    bench.desk.position.fill(Side.ASK, 900, 4, 0)
    market = bench.desk.state.market
    watch = LiveWatch(bench.engine, Recorder((market,), 1_000_000_000))
    watch.tick(bench.now)
    bench.books[0].snapshot([(1009, 10)], [(1011, 10)])
    record = watch.finish(bench.now + SECOND)
    assert [fill.cause for fill in record.fills] == ["carried"]
    lost = -4 * (market.unit_value(2020) - market.unit_value(2000))
    assert record.markets[0].pnl_atoms == lost


def test_refusals_are_counted_by_kind() -> None:
    watched = Watched()
    now_ns = watched.bench.now
    for reason in ("POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS", "RISK", None):
        watched.watch.event(OrderUpdate(now_ns, now_ns, 0, 1, OrderState.REJECTED, 0, reason))
    counts = watched.finish().counts
    assert (counts["rejected"], counts["post_only_rejected"]) == (2, 1)
