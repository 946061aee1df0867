"""What is told to a ledger comes out of it, once, exactly, in this process and in the next."""

import asyncio
from pathlib import Path

import pytest

from mmbot.domain.market import Contract, Market
from mmbot.domain.order import OrderState, Side
from mmbot.errors import DataError, InUse
from mmbot.ledger import Ledger, StorageParams, open_ledger
from mmbot.ledger.folds import books
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.ledger.rows import (
    AdjustmentRow,
    EquityPoint,
    FillRow,
    FundingRow,
    Kind,
    Latch,
    OrderRow,
)
from tests.unit.ledger.scene import BTC, ETH, HOUR_NS, START_NS, fill, opened, start

FOREVER = Window()
EXTREMES = (0, -1, 2**53, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**40, -(10**40))


@pytest.fixture(params=[True, False], ids=["inline", "thread"])
def inline(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mmbot.ledger"


def test_everything_told_is_read_again(path: Path, inline: bool) -> None:
    ledger = opened(path, inline=inline)
    ledger.note(START_NS, Kind.INTENT, 1, 77, "place")
    ledger.note(START_NS + 1, Kind.NOTICE, None, None, "x" * 5_000)
    order = OrderRow(START_NS, 1, 77, Side.ASK, 5, 9, 9, OrderState.OPEN)
    ledger.order(order)
    done = OrderRow(START_NS + 5, 1, 77, Side.ASK, 5, 9, 4, OrderState.CANCELLED, "unsolicited")
    ledger.order(done)
    row = FillRow(START_NS, 1, 3, 4, 77, Side.ASK, 5, 5, False, -6, 11, hedge=True)
    ledger.fills([row], 3)
    payment = FundingRow(START_NS + 2, 0, -9, 12)
    ledger.funding([payment])
    adjustment = AdjustmentRow(START_NS + 3, 0, 4, -5, 6, "opening")
    ledger.adjustment(adjustment)
    ledger.transfer(START_NS + 4, -1_000_000)
    ledger.mark(1, 3, 5_000_000_000, 13)
    ledger.equity(EquityPoint(START_NS, 100, -2, 3, None, (0, 21)))
    ledger.equity(EquityPoint(START_NS + 1, None, -3, marks=(20, 22)))
    assert ledger.recent.orders == (done,)
    assert len(ledger.recent.points) == 2
    assert ledger.close(10)
    with LedgerReader(path) as reader:
        number = {market.symbol: number for number, market in reader.markets.items()}
        btc, eth = number["BTCUSD"], number["ETHUSD"]
        (found,) = reader.fills(FOREVER)
        assert (found.market, found.trade_id, found.action_id, found.order_id) == (eth, 3, 4, 77)
        assert (found.side, found.ticks, found.lots, found.maker) == (Side.ASK, 5, 5, False)
        assert (found.fee_atoms, found.mark_half_ticks, found.hedge) == (-6, 11, True)
        (paid,) = reader.funding(FOREVER)
        assert (paid.market, paid.atoms, paid.mark_half_ticks) == (btc, -9, 12)
        (adjusted,) = reader.adjustments(FOREVER)
        assert (adjusted.lots, adjusted.cash_atoms, adjusted.fees_atoms) == (4, -5, 6)
        assert list(reader.transfers(FOREVER)) == [(START_NS + 4, -1_000_000)]
        assert reader.marks(5_000_000_000) == {(eth, 3): 13}
        (placed,) = reader.orders(FOREVER, 10)
        assert (placed.first_ns, placed.row.state) == (START_NS, OrderState.CANCELLED)
        assert (placed.row.leaves_lots, placed.row.reason) == (4, "unsolicited")
        intent, notice = reader.events(FOREVER, 10)
        assert (intent.kind, intent.market, intent.order_id) == ("intent", eth, 77)
        assert notice.text == "x" * 2_000
        points = list(reader.points(FOREVER))
        # The first of the minute, and the very last.
        assert [point.equity_uusd for point in points] == [100, None]
        hours = {mark.market: mark for mark in reader.hours(FOREVER)}
        assert (hours[eth].first_half_ticks, hours[eth].last_half_ticks) == (21, 22)
        assert hours[btc].first_half_ticks == 20


@pytest.mark.parametrize("value", EXTREMES)
def test_integers_of_any_size_are_exact(path: Path, value: int) -> None:
    ledger = opened(path)
    size = abs(value) + 1
    ledger.fills([fill(size, Side.BID, 3, size, value, ts_ns=START_NS)], size)
    ledger.funding([FundingRow(START_NS, 0, value)])
    ledger.adjustment(AdjustmentRow(START_NS, 0, value, value, value, "x"))
    ledger.transfer(START_NS, value)
    ledger.equity(EquityPoint(START_NS, value, value, value, value))
    assert ledger.failure is None
    ledger.close(1)
    with LedgerReader(path) as reader:
        (found,) = reader.fills(FOREVER)
        assert (found.trade_id, found.lots, found.fee_atoms) == (size, size, value)
        assert next(reader.funding(FOREVER)).atoms == value
        adjusted = next(reader.adjustments(FOREVER))
        assert (adjusted.lots, adjusted.cash_atoms, adjusted.fees_atoms) == (value, value, value)
        assert next(reader.transfers(FOREVER))[1] == value
        point = next(reader.points(FOREVER))
        assert (point.equity_uusd, point.pnl_uusd, point.drawdown_uusd) == (value, value, value)
        (book,) = books(reader, FOREVER)
        assert book.position.lots == size + value
    again = opened(path)
    assert again.cursor() == size
    again.close(1)


def test_telling_trades_again_changes_nothing(path: Path, inline: bool) -> None:
    rows = [fill(n, Side.BID if n % 2 else Side.ASK, 100 + n, n, n) for n in range(1, 20)]
    ledger = opened(path, inline=inline)
    ledger.fills(rows[:12], 12)
    ledger.close(10)
    ledger = opened(path, inline=inline)
    assert ledger.cursor() == 12
    ledger.fills(rows, 19)
    ledger.fills(rows[3:7], 7)
    assert ledger.cursor() == 19
    payment = FundingRow(START_NS, 0, 5)
    ledger.funding([payment, payment])
    ledger.funding([payment])
    ledger.close(10)
    with LedgerReader(path) as reader:
        assert [found.trade_id for found in reader.fills(FOREVER)] == list(range(1, 20))
        assert len(list(reader.funding(FOREVER))) == 1
    ledger = opened(path)
    assert ledger.cursor() == 19
    ledger.close(1)


def test_a_trade_with_itself_is_two_rows(path: Path) -> None:
    ledger = opened(path)
    one = fill(5, Side.BID, 10, 1)
    other = FillRow(one.ts_ns, 0, 5, 5, 9, Side.ASK, 10, 1, False, 0)
    ledger.fills([one, other], 5)
    ledger.close(1)
    with LedgerReader(path) as reader:
        assert len(list(reader.fills(FOREVER))) == 2
        assert books(reader, FOREVER)[0].position.lots == 0


def test_accounts_do_not_mix(path: Path) -> None:
    ledger = opened(path)
    ledger.fills([fill(1, Side.BID, 10, 1)], 50)
    ledger.begin_run(start(account="elsewhere/1"), [BTC])
    assert ledger.cursor() == 0
    ledger.fills([fill(1, Side.ASK, 20, 3)], 1)
    ledger.transfer(START_NS, 5)
    ledger.close(1)
    with LedgerReader(path) as reader:
        assert [found.lots for found in reader.fills(FOREVER)] == [3]
        assert list(reader.transfers(FOREVER)) == [(START_NS, 5)]
    with LedgerReader(path, "venue.test/7") as reader:
        assert [found.lots for found in reader.fills(FOREVER)] == [1]
        assert list(reader.transfers(FOREVER)) == []


def test_epochs_never_come_twice(path: Path, inline: bool) -> None:
    ledger = open_ledger(path, inline=inline)
    assert [ledger.next_epoch(1), ledger.next_epoch(1), ledger.next_epoch(2)] == [1, 2, 1]
    ledger.close(10)
    ledger = open_ledger(path, inline=inline)
    assert ledger.next_epoch(1) == 3
    ledger.close(10)
    # Also when the ledger is lost, and a new one begins.
    path.unlink()
    ledger = open_ledger(path, inline=inline)
    assert ledger.next_epoch(1) == 4
    ledger.close(10)


def test_the_last_epoch_is_the_last(path: Path, inline: bool) -> None:
    ledger = open_ledger(path, inline=inline)
    ledger._lock.remember({1: 8190})
    assert ledger.next_epoch(1) == 8191
    with pytest.raises(DataError, match="has used all 8191 epochs"):
        ledger.next_epoch(1)
    # It is not the disk's fault.
    assert ledger.next_epoch(2) == 1
    assert ledger.failure is None
    ledger.close(10)


def test_a_halt_holds_until_it_is_cleared(path: Path, inline: bool) -> None:
    ledger = open_ledger(path, inline=inline)
    assert ledger.halted() is None
    assert ledger.latch("daily loss", 5)
    assert ledger.latch("something else", 6)
    ledger.close(10)
    ledger = open_ledger(path, inline=inline)
    assert ledger.halted() == Latch("daily loss", 5)
    assert ledger.clear_latch("op", "looked", 9)
    assert ledger.halted() is None
    ledger.close(10)
    ledger = open_ledger(path, inline=inline)
    assert ledger.halted() is None
    assert asyncio.run(ledger.latch_async("again", 10))
    assert asyncio.run(ledger.keep_async("breaker", b"\x00\x01"))
    ledger.close(10)
    ledger = open_ledger(path, inline=inline)
    assert ledger.halted() == Latch("again", 10)
    assert ledger.kept("breaker") == b"\x00\x01"
    assert ledger.kept("other") is None
    ledger.close(10)


def test_runs_are_remembered(path: Path) -> None:
    ledger = open_ledger(path, inline=True)
    assert ledger.last_run() is None
    run = ledger.begin_run(start(), [BTC])
    ledger.close(1)
    ledger = open_ledger(path, inline=True)
    found = ledger.last_run()
    assert found is not None
    assert (found.run, found.start, found.exit_code, found.clean) == (run, start(), None, False)
    second = ledger.begin_run(start(START_NS + 1, epoch=2), [BTC, ETH])
    ledger.end_run(second, START_NS + 2, 0, clean=True)
    ledger.close(1)
    with LedgerReader(path) as reader:
        first, last = reader.runs()
        assert (first.run, first.end_ns) == (run, None)
        assert (last.end_ns, last.exit_code, last.clean) == (START_NS + 2, 0, True)
        assert len(reader.markets) == 2


def test_inverse_contracts_are_refused(path: Path) -> None:
    ledger = open_ledger(path, inline=True)
    with pytest.raises(DataError, match="linear"):
        ledger.begin_run(start(), [Market("X", BTC.tick, BTC.lot, contract=Contract.INVERSE)])
    ledger.close(1)


def test_one_writer_at_a_time(path: Path) -> None:
    ledger = open_ledger(path)
    with pytest.raises(InUse, match="a running bot") as refused:
        open_ledger(path)
    assert refused.value.exit_code == 7
    ledger.close(10)
    open_ledger(path).close(10)


def test_memory_is_bounded(path: Path) -> None:
    ledger = opened(path, order_history_count=3, equity_points_count=4)
    for number in range(10):
        ledger.order(OrderRow(number, 0, number, Side.BID, 1, 1, 1, OrderState.OPEN))
        ledger.equity(EquityPoint(number, number, 0))
    assert [row.order_id for row in ledger.recent.orders] == [7, 8, 9]
    assert [point.ts_ns for point in ledger.recent.points] == [6, 7, 8, 9]
    ledger.close(1)


def test_old_events_and_orders_go(path: Path) -> None:
    ledger = opened(path, journal_days=1)
    ledger.note(START_NS, Kind.NOTICE, None, None, "old")
    ledger.order(OrderRow(START_NS, 0, 1, Side.BID, 1, 1, 1, OrderState.OPEN))
    late = START_NS + 25 * HOUR_NS
    for number in range(5_001):
        ledger.note(late, Kind.NOTICE, None, None, str(number))
    ledger.order(OrderRow(late, 0, 2, Side.BID, 1, 1, 1, OrderState.OPEN))
    ledger.close(1)
    with LedgerReader(path) as reader:
        notes = reader.events(FOREVER, 10_000)
        assert len(notes) == 5_001
        assert notes[0].text == "0"
        assert [placed.row.order_id for placed in reader.orders(FOREVER, 9)] == [2]


def test_a_large_ledger_loses_its_first_events(path: Path) -> None:
    ledger = opened(path, journal_mib=8)
    for number in range(20_000):
        ledger.note(START_NS, Kind.NOTICE, None, None, f"{number} {'x' * 1000}")
    ledger.close(1)
    with LedgerReader(path) as reader:
        notes = reader.events(FOREVER, 100_000)
    assert 4_000 < len(notes) < 20_000
    assert notes[-1].text.startswith("19999 ")


def test_backup_and_verify(path: Path, tmp_path: Path) -> None:
    ledger: Ledger = opened(path, inline=False)
    ledger.fills([fill(1, Side.BID, 10, 1)], 1)
    assert ledger.keep("a", b"b")
    copy = tmp_path / "copy.ledger"
    ledger.backup(copy)
    assert ledger.verify() == []
    with pytest.raises(DataError, match="is there already"):
        ledger.backup(copy)
    ledger.close(10)
    with LedgerReader(copy) as reader:
        assert [found.trade_id for found in reader.fills(FOREVER)] == [1]
    assert open_ledger(copy, params=StorageParams()).close(10)
