"""The journal gives back what it was told, and own size leaves the recorded books."""

import struct
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.cext.capture import Sequencer, arrival_rows
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import BookUpdate, Event, Fill, Hindrance, OrderUpdate, Timer
from mmbot.domain.market import Market
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.errors import DataError
from mmbot.tape.feed import HORIZON_NS
from mmbot.tape.journal import Begun, Journal, journalled, read_journal
from mmbot.tape.own_orders import WithoutOwn, own_sizes

BEGUN = Begun(
    ts_ns=1, mode="live", symbols=("BTCUSD",), lots=(0,), equity_uusd=10**10, own_in_book=True
)
BID = Place(0, 11, Side.BID, 100, 7, FillMode.POST_ONLY)
ASK = Place(0, 12, Side.ASK, 103, 5, FillMode.POST_ONLY)
BATCH = Batch(20, (Cancel(0, 3), BID, ASK))
OPEN = OrderUpdate(24, 25, 0, 11, OrderState.OPEN, 7, None)
FILL = Fill(39, 40, 0, 11, 900, Side.BID, 100, 3, 4, True, 12)
GONE = OrderUpdate(59, 60, 0, 11, OrderState.CANCELLED, 0, None)
HELD = Hindrance(70, 70, "account", None, "catching up")


def written(*entries: Batch | Event) -> list[bytes]:
    lines: list[bytes] = []
    journal = Journal(BEGUN, lines.append)
    for entry in entries:
        if isinstance(entry, Batch):
            journal.batch(entry)
        else:
            journal.event(entry)
    return lines


def test_what_is_read_is_what_was_written() -> None:
    lines = written(BATCH, OPEN, FILL, GONE, HELD)
    assert journalled(lines, "it") == (BEGUN, (BATCH, OPEN, FILL, GONE, HELD))


def test_books_and_timers_are_passed_over() -> None:
    assert len(written(BookUpdate(1, 1, 0), Timer(1, 1))) == 1


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(written(BATCH, FILL))[:-10])
    assert read_journal(path).entries == (BATCH,)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "found nothing"),
        ([b'{"kind":"fill","event":{}}\n'], "line 1: expected the line of kind run"),
        ([*written(), b'{"kind":"fill","event":{}}\n'], "line 2: "),
        ([*written(), b'{"kind":"batch","actions":[{}]}\n'], "line 2: expected a place"),
        ([*written(), b"\xff\n"], "line 2: "),
    ],
)
def test_damage_is_named_with_its_line(lines: list[bytes], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        journalled(lines, "it")


def test_a_folder_without_a_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected the journal of a run"):
        read_journal(tmp_path / "journal.jsonl")


def test_own_size_is_there_from_the_request_to_the_end() -> None:
    assert own_sizes((BATCH, OPEN, FILL, GONE), 0) == [
        (20, Side.BID, 100, 7),
        (20, Side.ASK, 103, 5),
        (40, Side.BID, 100, -3),
        (60, Side.BID, 100, -4),
    ]
    assert own_sizes((BATCH,), 1) == []


ROW = struct.Struct("<qqqqII")
DEPTH, TRADE, CLEAR = 1, 2, 3
BUY, SELL = 1 << 29, 1 << 28


class Recorded:
    """A market's rows, as a feed gives them."""

    market = Market("BTCUSD", Decimal(1), Decimal(1))

    def __init__(self, *rows: tuple[int, int, int, int]) -> None:
        sequencer = Sequencer(HORIZON_NS)
        packed = b"".join(
            ROW.pack(ts, ts, ticks, lots, flags, 0) for ts, ticks, lots, flags in rows
        )
        self._rows = sequencer.push(packed) + sequencer.finish()

    def chunks(self) -> Iterator[bytes]:
        yield self._rows

    def notes(self) -> list[str]:
        return []


def test_the_books_lose_what_was_ours_and_nothing_else() -> None:
    recorded = Recorded(
        (10, 100, 50, DEPTH | BUY),
        (22, 100, 57, DEPTH | BUY),  # ours has landed
        (39, 100, 54, DEPTH | BUY),  # a part of it was filled
        (39, 100, 3, TRADE | SELL),
        (45, 100, 44, DEPTH | BUY),  # somebody else left
        (58, 100, 40, DEPTH | BUY),  # ours was cancelled
        (90, 0, 0, CLEAR | BUY),
    )
    rows = b"".join(WithoutOwn(recorded, own_sizes((BATCH, FILL, GONE), 0)).chunks())
    told = [
        (ts, ticks, lots, flags & 0xF)
        for _, ts, ticks, lots, flags, _ in ROW.iter_unpack(arrival_rows(rows))
    ]
    assert told == [
        (10, 100, 50, DEPTH),
        (20, 100, 43, DEPTH),
        (22, 100, 50, DEPTH),
        (39, 100, 47, DEPTH),
        (39, 100, 3, TRADE),
        (40, 100, 50, DEPTH),
        (45, 100, 40, DEPTH),
        (58, 100, 36, DEPTH),
        (60, 100, 40, DEPTH),
        (90, 0, 0, CLEAR),
    ]
