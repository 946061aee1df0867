"""The state file: a snapshot, then every input since; a killed exchange starts where it was.

The engine is deterministic: the snapshot and the inputs in their order give the same state again.
A record is its kind (u8), the size of its content (u32), a CRC-32 of both and of the content, and
the content. It is with the operating system before an input is answered, so it survives the process
(not the machine: only a snapshot is synced). A tail torn by a kill is cut off. A thread
writes the next snapshot beside the old file, which goes on until the new one is whole.
"""

import os
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from struct import Struct
from threading import Thread
from typing import NamedTuple
from zlib import crc32

from mmbot.errors import DataError

MAGIC = b"mmbotex1"
SMALLEST_ROTATION = 16 * 1024 * 1024
ROTATION_FACTOR = 4
_HEAD = Struct("<BI")
_CHECK = Struct("<I")
_OVERHEAD = _HEAD.size + _CHECK.size


class Kind(IntEnum):
    """What a record holds."""

    SNAPSHOT = 1
    ACT = 2
    TIME = 3
    ROWS = 4
    INDEX = 5
    FUND = 6
    USER = 7
    RULES = 8
    FORCED = 9


_KINDS = frozenset(Kind)


class Record(NamedTuple):
    """One input, or the snapshot."""

    kind: Kind
    content: bytes


class Contents(NamedTuple):
    """What a state file holds: its records and how many bytes at its end are torn."""

    records: list[Record]
    torn_bytes: int


def packed(record: Record) -> bytes:
    """Return a record as it stands in the file."""
    return _header(record) + record.content


def _header(record: Record) -> bytes:
    head = _HEAD.pack(record.kind, len(record.content))
    return head + _CHECK.pack(crc32(record.content, crc32(head)))


def read(path: Path) -> Contents | None:
    """Return what a state file holds, None when there is no file.

    DataError when it is no state file, or its snapshot is damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if data[: len(MAGIC)] != MAGIC:
        raise DataError(f"{path}: not the state of an exchange")
    records = []
    at = len(MAGIC)
    for record in _records(data):
        records.append(record)
        at += _OVERHEAD + len(record.content)
    if not records or records[0].kind is not Kind.SNAPSHOT:
        raise DataError(f"{path}: its snapshot is damaged; restore a copy or remove the file")
    return Contents(records, len(data) - at)


def _records(data: bytes) -> Iterator[Record]:
    """Read up to the first record that is not whole."""
    at = len(MAGIC)
    while at + _OVERHEAD <= len(data):
        kind, size = _HEAD.unpack_from(data, at)
        (check,) = _CHECK.unpack_from(data, at + _HEAD.size)
        head = data[at : at + _HEAD.size]
        at += _OVERHEAD
        content = data[at : at + size]
        if len(content) < size or crc32(content, crc32(head)) != check or kind not in _KINDS:
            return
        at += size
        yield Record(Kind(kind), content)


class _Successor:
    """A new file with a snapshot, written and synced by a thread; `tail` is what came since."""

    def __init__(self, path: Path, snapshot: bytes) -> None:
        self.tail: list[bytes] = []
        self.path = path.with_name(f".{path.name}.part")
        self.limit = max(SMALLEST_ROTATION, ROTATION_FACTOR * len(snapshot))
        self._file = -1
        self._error: OSError | None = None
        self._thread = Thread(target=self._make, args=(snapshot,), name="snapshot", daemon=True)
        self._thread.start()

    @property
    def is_made(self) -> bool:
        """The thread has ended, well or not."""
        return not self._thread.is_alive()

    def file(self) -> int:
        """Wait for the thread; return the file, behind its snapshot. OSError when there is none."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._file

    def drop(self) -> None:
        """Wait for the thread and leave nothing of it."""
        self._thread.join()
        if self._error is None:
            os.close(self._file)
            self.path.unlink(missing_ok=True)

    def _make(self, snapshot: bytes) -> None:
        try:
            self._file = _made(self.path, snapshot)
        except OSError as error:
            self._error = error


def _made(path: Path, snapshot: bytes) -> int:
    """Write and sync a file with a snapshot; return it open, for the rest."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write(file, MAGIC + _header(Record(Kind.SNAPSHOT, snapshot)))
        _write(file, snapshot)
        os.fsync(file)
    except OSError:
        os.close(file)
        raise
    return file


class Journal:
    """A state file being written; it starts anew from the snapshot it is opened with."""

    def __init__(self, path: Path, snapshot: bytes) -> None:
        """Write the snapshot to `path` at once, in place of what was there."""
        self.path = path
        self._file = -1
        self._size = 0
        self._limit = 0
        self._unwritten: list[bytes] = []
        self._successor: _Successor | None = None
        self.rotate(snapshot)

    @property
    def is_long(self) -> bool:
        """So much was appended that a new snapshot is due, and none is being written."""
        return self._size > self._limit and self._successor is None

    def append(self, kind: Kind, content: bytes) -> None:
        """Add a record; it is safe after the next `flush`."""
        self._unwritten.append(packed(Record(kind, content)))

    def flush(self) -> None:
        """Hand what was added to the operating system; OSError when it cannot take it."""
        if self._unwritten:
            data = b"".join(self._unwritten)
            self._unwritten.clear()
            self._size += len(data)
            _write(self._file, data)
            if self._successor is not None:
                self._successor.tail.append(data)
        if self._successor is not None and self._successor.is_made:
            self._succeed(self._successor)

    def rotate(self, snapshot: bytes) -> None:
        """Put a new file with this snapshot in the place of the old one, all or nothing."""
        self._drop_successor()
        self._unwritten.clear()
        self._succeed(_Successor(self.path, snapshot))

    def begin_rotation(self, snapshot: bytes) -> None:
        """Do the same without waiting: a later `flush` ends it, or raises what went wrong."""
        self.flush()
        self._drop_successor()
        self._successor = _Successor(self.path, snapshot)

    def close(self) -> None:
        """Stop writing."""
        self._drop_successor()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _succeed(self, successor: _Successor) -> None:
        self._successor = None
        file = successor.file()
        tail = b"".join(successor.tail)
        try:
            _write(file, tail)
            successor.path.replace(self.path)
        except OSError:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size, self._limit = file, len(tail), successor.limit

    def _drop_successor(self) -> None:
        successor, self._successor = self._successor, None
        if successor is not None:
            successor.drop()


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
