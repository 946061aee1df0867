"""Lines of JSON in a file for each UTC day, only ever appended to; a torn last line is cut off."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

NS_PER_S = 1_000_000_000
_DAY_S = 86_400
_STEP = 1 << 16


class DailyLines:
    """Writes NAME_YYYY-MM-DD.jsonl into a folder, behind what is there already.

    Times are receipts in Unix ns; they choose the file, and a line is never put into an earlier
    one. OSError when the disk refuses.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.paths: list[Path] = []
        self._folder = folder
        self._name = name
        self._day = -1
        self._file: BinaryIO | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of the files written to."""
        return sum(path.stat().st_size for path in self.paths)

    def add(self, line: bytes, now_ns: int) -> None:
        """Append a line, given without its end; it is on the disk after `flush`."""
        day = max(now_ns // (_DAY_S * NS_PER_S), self._day)
        file = self._file
        if file is None or day != self._day:
            file = self._open(day)
        file.write(line + b"\n")

    def flush(self) -> None:
        """Have all lines on the disk."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write what is left and end the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, day: int) -> BinaryIO:
        self.close()
        date = datetime.fromtimestamp(day * _DAY_S, tz=UTC)
        path = self._folder / f"{self._name}_{date:%Y-%m-%d}.jsonl"
        cut_torn_line(path)
        self._file = path.open("ab")
        self._day = day
        if path not in self.paths:
            self.paths.append(path)
        return self._file


def cut_torn_line(path: Path) -> None:
    """Cut a file off behind its last whole line; one that is not there stays so."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        at = file.seek(0, os.SEEK_END)
        while at:
            start = max(0, at - _STEP)
            file.seek(start)
            end = file.read(at - start).rfind(b"\n")
            if end >= 0:
                file.truncate(start + end + 1)
                return
            at = start
        file.truncate(0)
