"""Opening a ledger: start-up is recovery.

A file that cannot be trusted is put aside, never repaired and never removed, and the bot starts
with an empty one, halted, until an operator has decided (`reset-halt`).
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from mmbot.errors import DataError
from mmbot.ledger import care
from mmbot.ledger.keeping import LATCH, Memory, epochs_of
from mmbot.ledger.ledger import Ledger, Opened
from mmbot.ledger.lock import Lock
from mmbot.ledger.params import StorageParams
from mmbot.ledger.schema import migrate
from mmbot.ledger.writer import Inline, Store, Threaded, Writer

_SUFFIXES = ("", "-wal", "-shm")


def open_ledger(
    path: Path,
    *,
    inline: bool = False,
    synced: bool | None = None,
    params: StorageParams | None = None,
    writer: Callable[[Store], Writer] | None = None,
    now_ns: int = 0,
) -> Ledger:
    """Open or make a ledger; `now_ns` is when a halt for a damaged one begins.

    `inline`: without a thread, and without syncing unless `synced`; `writer`: another one than
    ours writes, unsynced as well: for simulations. InUse when somebody writes to it, DataError
    when it cannot be opened, or is not ours.
    """
    params = params or StorageParams()
    synced = not inline and writer is None if synced is None else synced
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(path)
    with ExitStack() as undo:
        undo.callback(lock.release)
        try:
            damage = _put_aside(path, lock)
            if not path.exists():
                _make(path, damage, now_ns)
            connection = care.writing_connection(path, synced=synced)
            undo.callback(connection.close)
            migrate(connection)
            memory = Memory(connection)
            lock.remember(_newest(lock.epochs, epochs_of(connection)))
        except (sqlite3.Error, OSError) as error:
            raise DataError(f"{path}: {error}") from error
        undo.pop_all()
    store = Store(connection, partial(care.tidy, params=params), synced=synced)
    if writer is None:
        writer = (
            Inline if inline else partial(Threaded, interval_s=params.commit_interval_ms / 1000)
        )
    return Ledger(Opened(path, lock, writer(store), memory, params, damage))


def _put_aside(path: Path, lock: Lock) -> str | None:
    """Rename what cannot be trusted; return what is wrong with it."""
    problem = _problem(path, lock)
    if problem is None:
        return None
    found = [suffix for suffix in _SUFFIXES if _beside(path, suffix).exists()]
    if not found:
        return f"{path}: {problem}"
    number = 1
    while any(_beside(path, f".damaged-{number}{suffix}").exists() for suffix in _SUFFIXES):
        number += 1
    for suffix in found:
        _beside(path, suffix).rename(_beside(path, f".damaged-{number}{suffix}"))
    care.sync(path.parent)
    return f"{path}: {problem}; it is now {path.name}.damaged-{number}"


def _problem(path: Path, lock: Lock) -> str | None:
    if not path.exists():
        if _beside(path, "-wal").exists():
            return "the ledger is gone, its log is there"
        return "the ledger is gone" if lock.ledger_was_made else None
    if not path.stat().st_size:
        return "is empty"
    try:
        with closing(sqlite3.connect(path, timeout=care.BUSY_S)) as connection:
            connection.execute("PRAGMA query_only = ON")
            problem = care.stranger(connection)
            if problem == care.NOT_OURS and not lock.ledger_was_made:
                raise DataError(f"{path}: {problem}")
            faults = [] if problem else care.faults(connection)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return f"is damaged: {error}"
    return problem or (f"is damaged: {faults[0]}" if faults else None)


def _make(path: Path, damage: str | None, now_ns: int) -> None:
    """Make an empty ledger; it appears under its name when it is whole."""
    partial_path = path.with_name(f".{path.name}.part")
    for suffix in ("", "-journal"):
        _beside(partial_path, suffix).unlink(missing_ok=True)
    os.close(os.open(partial_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(partial_path, isolation_level=None)) as connection:
        migrate(connection)
        if damage is not None:
            connection.execute(LATCH, (f"ledger lost: {damage}", now_ns))
    care.sync(partial_path)
    partial_path.replace(path)
    care.sync(path.parent)


def _newest(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in {*one, *other}}


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
