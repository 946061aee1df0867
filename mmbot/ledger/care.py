"""Connections to a ledger, and looking after the file: check, copy, tidy up."""

import csv
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mmbot.errors import DataError
from mmbot.ledger.params import StorageParams
from mmbot.ledger.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES, readable_from, version_of

BUSY_S = 2.0
NOT_OURS = "is no ledger of mmbot"
DAY_NS = 86_400_000_000_000
_ROTATED_COUNT = 10_000
_MIB = 1 << 20


def writing_connection(path: Path, *, synced: bool) -> sqlite3.Connection:
    """Open a ledger to write to it, from whatever thread; sqlite3.Error when it cannot be."""
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "journal_mode = WAL",
        f"synchronous = {'NORMAL' if synced else 'OFF'}",
        "foreign_keys = ON",
        "wal_autocheckpoint = 1000",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger to read it, also while a bot is writing to it; DataError when it cannot be."""
    if not path.is_file():
        raise DataError(f"{path}: there is no ledger; a bot that runs makes one")
    try:
        uri = f"file:{quote(str(path.absolute()))}?mode=ro"
        with closing(
            sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
        ) as connection:
            # One moment for all that is read.
            connection.execute("BEGIN")
            problem = stranger(connection)
            if problem is not None:
                raise DataError(f"{path}: {problem}")
            yield connection
    except sqlite3.Error as error:
        raise DataError(f"{path}: {error}") from error


def stranger(connection: sqlite3.Connection) -> str | None:
    """Say why this program cannot use the tables of a file, None when it can."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return NOT_OURS
    version = version_of(connection)
    if version > SCHEMA_VERSION and readable_from(connection) > SCHEMA_VERSION:
        return f"is of version {version}, made by a newer mmbot; this one knows {SCHEMA_VERSION}"
    return None


def faults(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with a file, nothing when it is sound."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    if found == ["ok"]:
        found = []
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        found.append(f"{table}, row {row}: there is no such row in {parent}")
    return found


def verify(path: Path) -> list[str]:
    """Return what is wrong with a ledger; DataError when it cannot be read at all."""
    with reading(path) as connection:
        return faults(connection)


def backup(path: Path, target: Path) -> None:
    """Write a compact copy, also of a ledger in use; it appears under its name when it is whole."""
    if target.exists():
        raise DataError(f"{target}: is there already")
    partial = target.with_name(f".{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        with reading(path) as connection:
            connection.execute("COMMIT")
            connection.execute("VACUUM INTO ?", (str(partial),))
        partial.chmod(0o600)
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def dated_copy(folder: Path, path: Path, now_ns: int) -> Path:
    """Return what a copy made now is called, beside others of this ledger and of others."""
    now = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    return folder / f"{path.stem}-{now:%Y%m%dT%H%M%SZ}{path.suffix}"


def older_copies(folder: Path, path: Path, keep: int) -> list[Path]:
    """Return the dated copies of a ledger that are not among its newest ones."""
    dated = re.compile(rf"{re.escape(path.stem)}-\d{{8}}T\d{{6}}Z{re.escape(path.suffix)}")
    return sorted(each for each in folder.iterdir() if dated.fullmatch(each.name))[:-keep]


def export(path: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Write every table as CSV of raw values; yields each file's name and its rows."""
    with reading(path) as connection:
        for table in TABLES:
            cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
            partial = folder / f".{table}.csv.part"
            count = 0
            try:
                with partial.open("w", newline="", encoding="utf-8") as file:
                    writer = csv.writer(file, lineterminator="\n")
                    writer.writerow(column[0] for column in cursor.description)
                    for row in cursor:
                        writer.writerow(row)
                        count += 1
                partial.replace(folder / f"{table}.csv")
            finally:
                partial.unlink(missing_ok=True)
            yield f"{table}.csv", count


def vacuum(path: Path) -> tuple[int, int]:
    """Make the file of a ledger that nobody uses as small as it can be; bytes before and after."""
    try:
        with closing(writing_connection(path, synced=True)) as connection:
            # What stands beside the file belongs to it.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            before = path.stat().st_size
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise DataError(f"{path}: {error}") from error
    return before, path.stat().st_size


def tidy(connection: sqlite3.Connection, params: StorageParams) -> None:
    """Remove events and orders that are too old or too many, a part each time; shorten the log."""
    (newest,) = connection.execute("SELECT max(ts_ns) FROM journal").fetchone()
    if newest is not None:
        before = newest - params.journal_days * DAY_NS
        connection.execute(_OLD_NOTES, (before, _ROTATED_COUNT))
        connection.execute(_OLD_ORDERS, (before, _ROTATED_COUNT))
    used, most = used_bytes(connection), params.journal_mib * _MIB
    if used > most:
        first, last = connection.execute("SELECT min(id), max(id) FROM journal").fetchone()
        # A tenth more than there is too much, so that it does not come back at once.
        count = 0 if first is None else (last - first + 1) * (used - most * 9 // 10) // used
        connection.execute(_FIRST_NOTES, (min(count, _ROTATED_COUNT),))
    # Without waiting for those who read.
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}")


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return how much of the file is in use."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def sync(path: Path) -> None:
    """Have a file or folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_OLD_NOTES = (
    "DELETE FROM journal WHERE id IN"
    " (SELECT id FROM journal WHERE ts_ns < ? ORDER BY ts_ns LIMIT ?)"
)
_FIRST_NOTES = "DELETE FROM journal WHERE id IN (SELECT id FROM journal ORDER BY id LIMIT ?)"
_OLD_ORDERS = (
    "DELETE FROM orders WHERE (market, order_id) IN"
    " (SELECT market, order_id FROM orders WHERE first_ns < ? ORDER BY first_ns LIMIT ?)"
)
