import struct
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.cext.capture import OrderCheck
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.errors import DataError
from mmbot.tape import FeedOptions, open_feeds
from mmbot.tape.reader import TapeFile
from mmbot.tape.recorder import MarketRecorder

S = 1_000_000_000
NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * S
MIDNIGHT = NOON + 12 * 3600 * S
MARKET = Market("BTCUSD", Decimal("0.1"), Decimal("0.00001"))
BUY, SELL, EXCH, LOCAL = 1 << 29, 1 << 28, 1 << 31, 1 << 30
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4

Row = tuple[int, int, int, int, int]


class Live:
    """A market that is recorded: its book, and what it tells the recorder."""

    def __init__(self, folder: Path) -> None:
        self.book = OrderBook()
        self.recorder = MarketRecorder(folder, MARKET, self.book)

    def snapshot(self, at_ns: int, *bids: tuple[int, int]) -> None:
        self.book.snapshot(bids, [(1000, 7)])
        self.recorder.snapshot(at_ns)

    def depth(self, at_ns: int, *bids: tuple[int, int]) -> None:
        self.book.apply(bids, [])
        self.recorder.depth(bids, [], at_ns)


def rows(*paths: Path) -> list[Row]:
    """Read tapes as a backtest does: exchange time, local time, ticks, lots, flags."""
    (feed,) = open_feeds(paths, "tape", FeedOptions())
    assert feed.problems() == []
    check, found = OrderCheck(), []
    for chunk in feed.chunks():
        check.push(chunk)
        found += [row[:5] for row in struct.iter_unpack("<qqqqII", chunk)]
    return found


def told(*paths: Path) -> list[Row]:
    """The rows of the local stream, their stream bits taken off."""
    streams = EXCH | LOCAL
    return [(*row[:4], row[4] & ~streams) for row in rows(*paths) if row[4] & LOCAL]


def book_of(*paths: Path) -> tuple[dict[int, int], dict[int, int]]:
    """Apply the local rows by the words of the format page, slowly."""
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for _, _, ticks, lots, flags in told(*paths):
        bids = bool(flags & BUY)
        side = sides[0 if bids else 1]
        kind = flags & 0xFF
        if kind == CLEAR:
            for price in [each for each in side if (each >= ticks if bids else each <= ticks)]:
                del side[price]
        elif kind in (DEPTH, SNAPSHOT):
            side[ticks] = lots
            if not lots:
                del side[ticks]
    return sides


def tape(folder: Path, date: str) -> Path:
    return folder / f"BTCUSD_{date}.tape"


def test_a_book_its_changes_and_trades(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.snapshot(NOON, (990, 5), (980, 6))
    live.depth(NOON + 1, (990, 0), (985, 2))
    live.recorder.trade(Side.ASK, (985, 1), NOON - 20, NOON + 2)
    live.recorder.close()
    assert told(tape(tmp_path, "2026-11-22")) == [
        (NOON, NOON, 0, 0, CLEAR | BUY),
        (NOON, NOON, 1 << 62, 0, CLEAR | SELL),
        (NOON, NOON, 990, 5, SNAPSHOT | BUY),
        (NOON, NOON, 980, 6, SNAPSHOT | BUY),
        (NOON, NOON, 1000, 7, SNAPSHOT | SELL),
        (NOON + 1, NOON + 1, 990, 0, DEPTH | BUY),
        (NOON + 1, NOON + 1, 985, 2, DEPTH | BUY),
        # Nothing on a tape is older than the book it begins with.
        (NOON, NOON + 2, 985, 1, TRADE | SELL),
    ]
    assert book_of(tape(tmp_path, "2026-11-22")) == ({985: 2, 980: 6}, {1000: 7})


def test_trades_have_the_venues_time_where_it_can_be_theirs(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.snapshot(NOON)
    at = NOON + 60 * S
    for venue_ns in (at - S, at - 10 * S, at + S, None, at + 3600 * S):
        live.recorder.trade(Side.BID, (1000, 1), venue_ns, at)
    live.recorder.close()
    exch = [row[0] for row in told(tape(tmp_path, "2026-11-22")) if row[4] & 0xFF == TRADE]
    assert exch == [at - S, at, at + S, at, at]
    assert live.recorder.misdated == 2


def test_every_day_has_a_tape_that_can_be_read_alone(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.snapshot(NOON, (990, 5))
    live.depth(MIDNIGHT - 1, (980, 3))
    live.depth(MIDNIGHT, (970, 4))
    live.depth(MIDNIGHT + 24 * 3600 * S, (960, 1))
    live.recorder.close()
    days = [tape(tmp_path, f"2026-11-{day}") for day in (22, 23, 24)]
    assert sorted(tmp_path.iterdir()) == days == live.recorder.paths
    assert book_of(days[0]) == ({990: 5, 980: 3}, {1000: 7})
    assert book_of(days[1]) == ({990: 5, 980: 3, 970: 4}, {1000: 7})
    assert book_of(days[2])[0] == book_of(*days)[0] == {990: 5, 980: 3, 970: 4, 960: 1}


def test_a_gap_empties_the_book_until_it_is_known_again(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.snapshot(NOON, (990, 5))
    live.recorder.gap(NOON + S)
    live.recorder.gap(NOON + 2 * S)
    live.recorder.flush()
    live.recorder.close()
    assert book_of(tape(tmp_path, "2026-11-22")) == ({}, {})
    assert sum(row[4] & 0xFF == CLEAR for row in told(tape(tmp_path, "2026-11-22"))) == 4
    # A day that begins within a gap begins with an empty book.
    live.recorder.trade(Side.BID, (1000, 1), None, MIDNIGHT + S)
    live.snapshot(MIDNIGHT + 2 * S, (980, 1))
    live.recorder.close()
    assert book_of(tape(tmp_path, "2026-11-23")) == ({980: 1}, {1000: 7})


def test_a_restart_goes_on_behind_what_is_there_also_after_a_crash(tmp_path: Path) -> None:
    first = Live(tmp_path)
    first.snapshot(NOON, (990, 5))
    first.depth(NOON + S, (980, 5))
    first.recorder.close()
    path = tape(tmp_path, "2026-11-22")
    with path.open("ab") as file:
        file.write(b"rows half a block")
    again = Live(tmp_path)
    # The clock went back by a step; a replayed trade is older than what is on the tape.
    again.snapshot(NOON - S, (970, 1))
    again.recorder.trade(Side.BID, (1000, 1), NOON - 2 * S, NOON)
    again.depth(NOON + 2 * S, (960, 2))
    again.recorder.close()
    assert TapeFile(path).torn_bytes == 0
    assert book_of(path)[0] == {970: 1, 960: 2}
    times = [row[1] for row in told(path)]
    assert times == sorted(times)
    assert min(times[-5:]) >= NOON + S


def test_another_grid_is_refused(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.snapshot(NOON)
    live.recorder.close()
    other = Market("BTCUSD", Decimal("0.5"), Decimal("0.00001"))
    with pytest.raises(DataError, match="same grids"):
        MarketRecorder(tmp_path, other, OrderBook()).snapshot(NOON)


def test_what_waits_to_be_written_is_bounded(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.snapshot(NOON)
    for number in range(30_000):
        live.depth(NOON + number * S // 100, (900 + number % 50, 1 + number % 7))
    # Of 300 s at most the 10 s that may still be put in order, and a block, are not on the disk.
    live.recorder.flush()
    assert len(rows(tape(tmp_path, "2026-11-22"))) > 28_900
    live.recorder.close()
    assert len(told(tape(tmp_path, "2026-11-22"))) == 30_000 + 3
