"""The real capture against the events file that another program made of it."""

from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.domain.market import Market
from mmbot.tape import ANY_SYMBOL, FeedOptions, open_feeds
from tests.unit.tape.lines import EVENTS, RAW, SHARED, rows_of

pytestmark = pytest.mark.skipif(not RAW.exists(), reason=f"no real data in {SHARED}")

GRID = {ANY_SYMBOL: Market("X", Decimal("0.1"), Decimal("0.001"))}
ROWS = 491_973


def read(path: Path, options: FeedOptions) -> bytes:
    (feed,) = open_feeds([path], "auto", options)
    return b"".join(feed.chunks())


def test_compatible_conversion_equals_the_events_file_row_for_row() -> None:
    ours = read(RAW, FeedOptions(compat=True, grids=GRID))
    assert len(ours) == ROWS * 40
    assert ours == read(EVENTS, FeedOptions(grids=GRID))


def test_the_grid_and_the_clock_offset_are_found() -> None:
    (feed,) = open_feeds([RAW], "binance", FeedOptions())
    assert (feed.market.symbol, feed.market.tick, feed.market.lot) == (
        "BTCUSDT",
        Decimal("0.1"),
        Decimal("0.001"),
    )
    assert feed.counts == {
        "lines": 93_954,
        "depth messages": 6_551,
        "trades": 21_313,
        "snapshots": 1,
        "other messages": 66_089,
    }
    assert any("+1,272,156,851 ns" in note for note in feed.notes())
    assert feed.problems() == []


def test_the_exchange_rule_applies_the_two_late_diffs_behind_the_snapshot() -> None:
    rows = [row for row in rows_of(read(RAW, FeedOptions(grids=GRID))) if row[4] & 255 != 2]
    # README of the data: six diffs before the snapshot, four of them older, one straddles it
    # (T ...505), one is newer (T ...559); the snapshot's own T is ...493.
    local = rows[0][1]
    stamps = list(dict.fromkeys(row[0] for row in rows if row[1] == local))
    assert [stamp // 10**6 % 1000 for stamp in stamps] == [493, 505, 559]


def test_the_events_file_shows_its_own_grid() -> None:
    (feed,) = open_feeds([EVENTS], "events", FeedOptions())
    assert (feed.market.symbol, feed.market.tick, feed.market.lot) == (
        "BTCUSDT",
        Decimal("0.1"),
        Decimal("0.001"),
    )
    expected = "2d469c7728196eb3dcf015f14824aa3fc58565ecdae0cbaa06a8d85830bcd624"
    assert (feed.sha256, feed.counts) == (expected, {"rows": ROWS})
