"""What accounts and outside venues tell, as it stands on the disk; frames written by hand."""

import asyncio
import json
import struct
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.zo.market_terms import Outside
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import BookView, Listing
from mmbot.assemble.recording.accounts import AccountRecording
from mmbot.assemble.recording.books import DiskGuard
from mmbot.assemble.recording.reference import QuoteRecording, outside_recordings
from mmbot.tape import FeedOptions, open_feeds

# 2026-11-22, noon UTC.
NOON = (20_779 * 86_400 + 43_200) * 10**9
BUY, SELL, DEPTH, CLEAR, SNAPSHOT = 1 << 29, 1 << 28, 1, 3, 4


async def _no_book(_: Listing) -> BookView:
    raise AssertionError("nothing asks for a book")


def outside() -> Outside:
    return Outside(_no_book, steady_clock(), Random(1))


def guard() -> DiskGuard:
    return DiskGuard(lambda: None)


async def ended(recording: AccountRecording | QuoteRecording) -> None:
    """Run a recording for a moment, nobody being there, and end it."""
    task = asyncio.create_task(recording.run())
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_messages_of_an_account_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    place = (Origin("ws", "127.0.0.1", 1), "BTCUSD")
    recording = AccountRecording(place, [7], tmp_path, outside(), guard())
    assert recording.connection.url == "ws://127.0.0.1:1/ws/account@7&deltas@BTCUSD"
    recording.opened(NOON)
    recording.frame(b'{"account":\r\n {"account_id":7,\n"fills":{}}}', NOON + 1)
    recording.frame(b'{"account":{"account_id":8}}', NOON + 2)
    recording.frame(b'{"delta":{"market_symbol":"BTCUSD"}}', NOON + 3)
    for senseless in (
        b'{"account":{"account_id":7',
        b"",
        b'{"account":{"account_id":7,"x":"\xff"}}',
    ):
        with pytest.raises(ValueError, match="account"):
            recording.frame(senseless, NOON + 4)
    recording.closed('no "answer"', NOON + 5)
    asyncio.run(ended(recording))
    (recorded,) = recording.accounts()
    assert (recorded.messages, recorded.gaps) == (1, 1)
    assert [json.loads(line) for line in recorded.paths[0].read_text().splitlines()] == [
        {"receipt_ns": NOON, "opened": True},
        {"receipt_ns": NOON + 1, "message": {"account": {"account_id": 7, "fills": {}}}},
        {"receipt_ns": NOON + 5, "closed": 'no "answer"'},
    ]


def quoted(number: int, bid: str, ask: str, size: str = "1.5") -> bytes:
    quote = {"e": "bookTicker", "s": "BTCUSDT", "u": number, "b": bid, "B": size}
    return json.dumps({**quote, "a": ask, "A": "0.0001"}).encode()


def test_quotes_become_a_book_of_two_levels(tmp_path: Path) -> None:
    recording = QuoteRecording("ws://127.0.0.1:1", "BTCUSDT", tmp_path, outside(), guard())
    recording.frame(quoted(5, "100.0", "100.2"), NOON)
    recording.frame(quoted(6, "100.0", "100.2"), NOON + 1)
    # The bid is off the grid and goes down, the ask up; a smaller size than a lot is one.
    recording.frame(quoted(8, "100.17", "100.21", "2"), NOON + 2)
    recording.frame(quoted(7, "90.0", "91.0"), NOON + 3)
    for senseless in (
        quoted(9, "100.3", "100.2"),
        quoted(9, "NaN", "100.2"),
        quoted(9, "0", "100.2"),
        quoted(9, "100.0", "Infinity"),
        quoted(9, "100.0", "100.2", "-1"),
        quoted(9, "1e99", "1e99"),
        b"[]",
    ):
        with pytest.raises(ValueError, match="expected"):
            recording.frame(senseless, NOON + 4)
    recording.closed("gone", NOON + 5)
    asyncio.run(ended(recording))
    (feed,) = open_feeds([tmp_path], "tape", FeedOptions())
    assert (str(feed.market.tick), str(feed.market.lot)) == ("0.1", "0.001")
    rows = [
        (exch_ns - NOON, ticks, lots, flags & 0x3FFFFFFF)
        for chunk in feed.chunks()
        for exch_ns, _, ticks, lots, flags, _ in struct.iter_unpack("<qqqqII", chunk)
    ]
    cleared = [(0, BUY | CLEAR), (1 << 62, SELL | CLEAR)]
    assert rows == [
        *((0, ticks, 0, flags) for ticks, flags in cleared),
        (0, 1000, 1500, BUY | SNAPSHOT),
        (0, 1002, 1, SELL | SNAPSHOT),
        (2, 1000, 0, BUY | DEPTH),
        (2, 1001, 2000, BUY | DEPTH),
        (2, 1002, 0, SELL | DEPTH),
        (2, 1003, 1, SELL | DEPTH),
        *((5, ticks, 0, flags) for ticks, flags in cleared),
    ]


def test_every_market_has_its_outside_name_and_address(tmp_path: Path) -> None:
    symbols = ["BTCUSD", "kPEPEUSD"]
    both = outside_recordings("wss://fstream.example.com", symbols, tmp_path, outside(), guard())
    assert [each.symbol for each in both.markets()] == ["BTCUSDT", "1000PEPEUSDT"]
    with pytest.raises(ValueError, match="outside name"):
        outside_recordings("wss://a.example.com", ["BTCEUR"], tmp_path, outside(), guard())
