"""A disk that is full, slow or broken, a process that is killed: what was acknowledged is there."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest

from mmbot.domain.order import Side
from mmbot.errors import DataError
from mmbot.ledger import Ledger, open_ledger
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.ledger.rows import Kind
from mmbot.ledger.schema import SCHEMA_VERSION
from mmbot.ledger.writer import QUEUE_COUNT, Inline
from tests.unit.ledger.scene import BTC, START_NS, fill, opened, start

ROOT = Path(__file__).resolve().parents[3]
FOREVER = Window()
# Tells on stdout what is on the disk for sure: the durable call comes back after all before it.
WRITES = """
import sys
from pathlib import Path
from mmbot.ledger import StorageParams, open_ledger
from mmbot.domain.order import Side
from tests.unit.ledger.scene import BTC, fill, start
ledger = open_ledger(Path(sys.argv[1]), params=StorageParams(commit_interval_ms=1))
epoch = ledger.next_epoch(1)
ledger.begin_run(start(epoch=epoch), [BTC])
number = ledger.cursor()
print("epoch", epoch, flush=True)
while True:
    for _ in range(5):
        number += 1
        ledger.fills([fill(number, Side.BID, 10, 1)], number)
        ledger.note(number, "notice", None, None, str(number))
    if ledger.keep("n", str(number).encode()):
        print("kept", number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mmbot.ledger"


def trade_ids(path: Path) -> list[int]:
    with LedgerReader(path) as reader:
        return [found.trade_id for found in reader.fills(FOREVER)]


def until_written(ledger: Ledger) -> None:
    """Wait for the thread."""
    end_s = monotonic() + 30
    while ledger.backlog(0)[0] or ledger.failure:
        assert monotonic() < end_s, ledger.failure
        sleep(0.005)


def killed(path: Path, lines: int) -> list[list[str]]:
    """Run the writer, kill -9 it after so many lines, and return what it had acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            assert writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        # What was in the pipe already was acknowledged, too.
        rest = writer.stdout.read().splitlines()
    return [line.split() for line in rest if len(line.split()) == 2]


def test_kill_9_loses_nothing_acknowledged_and_replay_doubles_nothing(path: Path) -> None:
    epochs = []
    for round_ in range(4):
        told = killed(path, 3 + 20 * round_)
        kept = max((int(number) for word, number in told if word == "kept"), default=0)
        # A look at it repairs nothing and needs nothing.
        assert len(trade_ids(path)) >= kept
        ledger = open_ledger(path, inline=True)
        assert ledger.damage is None
        assert int(ledger.kept("n") or b"0") >= kept
        epochs.append(ledger.next_epoch(1))
        ledger.begin_run(start(), [BTC])
        cursor = ledger.cursor()
        assert cursor >= kept
        # The cursor is in the transaction of its trades: neither is ahead.
        ledger.close(1)
        assert trade_ids(path) == list(range(1, cursor + 1))
        ledger = opened(path)
        ledger.fills([fill(n, Side.BID, 10, 1) for n in range(1, cursor + 1)], cursor)
        ledger.close(1)
        assert trade_ids(path) == list(range(1, cursor + 1))
    # One for the child and one here, each round.
    assert epochs == [2, 4, 6, 8]


def test_a_torn_write_ahead_log_loses_its_tail_only(path: Path, tmp_path: Path) -> None:
    ledger = opened(path)
    for number in range(1, 41):
        ledger.fills([fill(number, Side.BID, 10, 1)], number)
    for cut in (0, 1, 32, 5_000, 40_001):
        copy = tmp_path / f"{cut}" / "mmbot.ledger"
        copy.parent.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
        log = Path(f"{copy}-wal")
        os.truncate(log, max(0, log.stat().st_size - cut))
        again = open_ledger(copy, inline=True)
        assert again.damage is None
        again.begin_run(start(), [BTC])
        cursor = again.cursor()
        assert cursor == 40 if cut == 0 else cursor <= 40
        again.fills([fill(n, Side.BID, 10, 1) for n in range(1, 51)], 50)
        again.close(1)
        assert trade_ids(copy) == list(range(1, 51))
    ledger.close(1)


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "thread"])
def test_a_full_disk_raises_nothing_and_loses_no_trade(path: Path, inline: bool) -> None:
    ledger = opened(path, inline=inline)
    assert ledger.keep("before", b"1")
    ledger.writer.queue.store.limit(1)
    for number in range(1, 401):
        ledger.fills([fill(number, Side.BID, 10, 1)], number)
        ledger.note(START_NS, Kind.NOTICE, None, None, "x" * 500)
    assert not ledger.keep("big", bytes(100_000))
    assert not ledger.latch("disk full", 1)
    assert ledger.halted() is not None
    assert ledger.failure is not None
    assert "full" in ledger.failure
    count, age_ns = ledger.backlog(1_000)
    assert count > 0
    assert age_ns == 0
    assert ledger.backlog(5_000)[1] == 4_000
    ledger.writer.queue.store.limit(None)
    ledger.note(START_NS, Kind.NOTICE, None, None, "room again")
    until_written(ledger)
    assert ledger.backlog(9_000) == (0, 0)
    assert ledger.close(10)
    assert trade_ids(path) == list(range(1, 401))
    ledger = open_ledger(path, inline=True)
    # What was told False about was tried again.
    assert ledger.halted() is not None
    assert ledger.kept("big") == bytes(100_000)
    ledger.close(1)


@contextmanager
def held_up(path: Path) -> Iterator[None]:
    """Another process holds the write lock, so nothing gets written."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_slow_disk_holds_up_nobody(path: Path) -> None:
    ledger = opened(path, inline=False)
    with held_up(path):
        begun_s = monotonic()
        for number in range(1, QUEUE_COUNT + 501):
            ledger.note(START_NS, Kind.NOTICE, None, None, str(number))
        ledger.fills([fill(1, Side.BID, 10, 1)], 1)
        assert monotonic() - begun_s < 1.5
        count, _ = ledger.backlog(10)
        assert QUEUE_COUNT <= count <= QUEUE_COUNT + 1
        while ledger.failure is None:
            sleep(0.01)
        assert "locked" in ledger.failure
        assert ledger.backlog(3_000_000_010) == (count, 3_000_000_000)
    until_written(ledger)
    ledger.note(START_NS, Kind.NOTICE, None, None, "after")
    assert ledger.close(10)
    assert trade_ids(path) == [1]
    with LedgerReader(path) as reader:
        texts = [note.text for note in reader.events(FOREVER, 10_000)]
    # Those that were dropped are counted.
    assert texts[-2:] == ["500 rows were dropped: the disk was too slow", "after"]
    assert len(texts) == QUEUE_COUNT + 2


def test_closing_on_a_slow_disk_ends(path: Path) -> None:
    ledger = opened(path, inline=False)
    with held_up(path):
        ledger.note(START_NS, Kind.NOTICE, None, None, "x")
        assert not ledger.close(0.05)


def test_a_stalled_simulated_disk(path: Path) -> None:
    ledger = opened(path)
    writer = ledger.writer
    assert isinstance(writer, Inline)
    writer.stall(True)
    ledger.fills([fill(1, Side.BID, 10, 1)], 1)
    assert not ledger.latch("x", 1)
    assert ledger.backlog(0)[0] == 2

    async def latched() -> bool:
        waiting = asyncio.create_task(ledger.latch_async("y", 2))
        await asyncio.sleep(0)
        writer.stall(False)
        return await waiting

    assert asyncio.run(latched())
    assert ledger.backlog(0) == (0, 0)
    ledger.close(1)


def test_what_can_never_be_written_holds_up_nothing_and_is_not_forgotten(path: Path) -> None:
    ledger = opened(path, inline=False)
    with held_up(path):
        ledger.fills([fill(1, Side.BID, 10, 1)], 1)
        ledger.note(2**80, Kind.NOTICE, None, None, "in no year")
        ledger.fills([fill(2, Side.BID, 10, 1)], 2)
    assert ledger.keep("a", b"b")
    assert ledger.failure is not None
    assert "too large" in ledger.failure
    assert ledger.close(10)
    assert trade_ids(path) == [1, 2]


def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((DataError, OSError)):
        open_ledger(tmp_path / "file" / "mmbot.ledger")


def damaged(path: Path) -> Ledger:
    """Open a ledger that must be found damaged, and check that it halts, also the next time."""
    ledger = open_ledger(path, inline=True, now_ns=77)
    assert ledger.damage is not None
    halt = ledger.halted()
    assert halt is not None
    assert halt.ts_ns == 77
    assert ledger.damage in halt.reason
    ledger.close(1)
    again = open_ledger(path, inline=True)
    assert again.damage is None
    assert again.halted() == halt
    again.close(1)
    return ledger


def made(path: Path) -> None:
    ledger = opened(path)
    ledger.next_epoch(1)
    for number in range(1, 200):
        ledger.fills([fill(number, Side.BID, 10, 1)], number)
    ledger.close(1)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"x" * 9_000, bytes(4_096)])
def test_a_file_that_is_none_is_put_aside(path: Path, content: bytes) -> None:
    made(path)
    path.write_bytes(content)
    damaged(path)
    assert (path.parent / "mmbot.ledger.damaged-1").read_bytes() == content
    path.write_bytes(content)
    damaged(path)
    assert (path.parent / "mmbot.ledger.damaged-2").read_bytes() == content


def test_a_log_without_its_ledger_is_put_aside(path: Path) -> None:
    ledger = opened(path)
    ledger.fills([fill(1, Side.BID, 10, 1)], 1)
    log = Path(f"{path}-wal").read_bytes()
    ledger.close(1)
    path.unlink()
    Path(f"{path}-wal").write_bytes(log)
    damaged(path)
    assert (path.parent / "mmbot.ledger.damaged-1-wal").read_bytes() == log


def test_a_ledger_that_is_gone_is_missed(path: Path) -> None:
    made(path)
    path.unlink()
    ledger = damaged(path)
    assert ledger.damage == f"{path}: the ledger is gone"
    ledger = open_ledger(path, inline=True)
    assert ledger.next_epoch(1) == 2
    ledger.close(1)


def test_a_newer_ledger_is_put_aside_unless_it_says_that_it_can_be_read(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    ledger = open_ledger(path, inline=True)
    assert ledger.damage is None
    ledger.close(1)
    with closing(sqlite3.connect(path)) as connection:
        values = (str(SCHEMA_VERSION + 1).encode(),)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'readable_from'", values)
        connection.commit()
    with pytest.raises(DataError, match="made by a newer mmbot"), LedgerReader(path):
        pass
    damaged(path)


def test_a_file_of_another_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")
    content = path.read_bytes()
    with pytest.raises(DataError, match="is no ledger of mmbot"):
        open_ledger(path)
    with pytest.raises(DataError, match="is no ledger of mmbot"), LedgerReader(path):
        pass
    assert path.read_bytes() == content


def test_flipped_bytes_never_end_in_anything_but_a_sound_ledger(path: Path, tmp_path: Path) -> None:
    made(path)
    content, random = path.read_bytes(), Random(1)
    found = 0
    for number in range(40):
        copy = tmp_path / f"{number}" / "mmbot.ledger"
        copy.parent.mkdir()
        hurt = bytearray(content)
        if number % 4 == 0:
            del hurt[random.randrange(len(hurt)) :]
        else:
            at = random.randrange(len(hurt) - 64)
            hurt[at : at + 64] = random.randbytes(64)
        copy.write_bytes(hurt)
        # It was made here, so it is ours whatever its first page says now.
        shutil.copy(f"{path}.lock", f"{copy}.lock")
        ledger = open_ledger(copy, inline=True)
        found += ledger.damage is not None
        assert (ledger.damage is None) == (ledger.halted() is None)
        assert ledger.verify() == []
        ledger.close(1)
    assert found >= 15
