"""One writer for a ledger: a lock that ends with the process, however it ends.

The file of the lock keeps a copy of the epochs. A ledger that is lost is missed by it, and no epoch
is ever used twice.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from mmbot.errors import InUse


class _Copy(msgspec.Struct, frozen=True):
    epochs: dict[int, int] = {}


class Lock:
    """Held from the constructor to `release`; `epochs` are those used last, by instance."""

    def __init__(self, ledger: Path) -> None:
        """InUse when another process, or this one, holds the ledger already."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(ledger.with_name(f"{ledger.name}.lock"), flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise InUse(f"{ledger}: a running bot is writing to this ledger") from None
        content = os.pread(self._file, 1 << 16, 0)
        self.ledger_was_made = bool(content)
        try:
            self.epochs = dict(msgspec.json.decode(content, type=_Copy).epochs)
        except msgspec.DecodeError:
            self.epochs = {}

    def remember(self, epochs: dict[int, int]) -> None:
        """Keep a copy of epochs, on the disk when the call returns; OSError when it cannot be."""
        self.epochs |= epochs
        content = msgspec.json.encode(_Copy(self.epochs))
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))
        os.fsync(self._file)

    def release(self) -> None:
        """Let others write."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
