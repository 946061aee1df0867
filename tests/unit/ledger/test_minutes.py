"""Trades by the minute: what a bot counts of the last 24 hours when it starts."""

from pathlib import Path

from mmbot.domain.order import Side
from mmbot.ledger.reader import LedgerReader
from mmbot.runtime.day import DAY_NS, MINUTE_NS, Day
from tests.unit.ledger.scene import START_NS, fill, opened

BID, ASK = Side.BID, Side.ASK


def test_the_fills_of_earlier_runs_count_for_24_hours(tmp_path: Path) -> None:
    path = tmp_path / "mmbot.ledger"
    ledger = opened(path)
    times = (
        (BID, START_NS),
        (BID, START_NS + MINUTE_NS - 1),
        (ASK, START_NS + MINUTE_NS - 1),
        (ASK, START_NS + MINUTE_NS),
        (ASK, START_NS + DAY_NS - 1),
    )
    rows = [fill(at, side, 50, 3, ts_ns=ts_ns) for at, (side, ts_ns) in enumerate(times, 1)]
    ledger.fills(rows, len(rows))
    # Told twice it is one trade.
    ledger.fills(rows[:1], None)
    ledger.close(1)
    first = START_NS // MINUTE_NS
    with LedgerReader(path) as reader:
        found = list(reader.fills_by_minute(START_NS))
        assert next(reader.fills_by_minute(START_NS + MINUTE_NS)) == (first + 1, ASK, 1)
    assert found == [(first, ASK, 1), (first, BID, 2), (first + 1, ASK, 1), (first + 1439, ASK, 1)]
    day = Day(1)
    for minute in found:
        day.count(*minute)
    now_ns = START_NS + DAY_NS - 1
    assert (day.fills(now_ns).bids, day.fills(now_ns).asks) == (2, 3)
    # A minute later the first minute is over.
    assert (day.fills(now_ns + 1).bids, day.fills(now_ns + 1).asks) == (0, 2)
