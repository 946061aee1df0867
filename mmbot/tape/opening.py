"""Which format a file has, by its content, and the feeds of any of them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from mmbot.errors import DataError
from mmbot.tape.binance import open_captures
from mmbot.tape.events import NPY_MAGIC, ZIP_MAGIC, open_events
from mmbot.tape.feed import Feed, FeedOptions
from mmbot.tape.format import MAGIC
from mmbot.tape.reader import open_tapes
from mmbot.tape.source import Source

Format = Literal["auto", "binance", "events", "bars", "tape"]
_CAPTURE_LINE = re.compile(rb"\d{19} ")
_BAR_COLUMNS = re.compile(rb"\bopen\b.*\bclose\b", re.IGNORECASE | re.DOTALL)
_OPENERS: dict[Format, Callable[[Sequence[Path], FeedOptions], list[Feed]]] = {
    "binance": open_captures,
    "events": open_events,
    "tape": open_tapes,
}


def recognise(path: Path) -> Format:
    """Return the format that a file's first bytes show; DataError when they show none."""
    start = next(Source(path).blocks(), b"")
    if start.startswith(MAGIC):
        return "tape"
    if start.startswith((ZIP_MAGIC, NPY_MAGIC)):
        return "events"
    if _CAPTURE_LINE.match(start):
        return "binance"
    if _BAR_COLUMNS.search(start[:4096]):
        return "bars"
    raise DataError(
        f"{path}, byte 0: expected a raw Binance capture, an events file, bars or a tape,"
        f" found {start[:16]!r}"
    )


def listed(paths: Sequence[Path]) -> list[Path]:
    """Replace every folder by the files of a known format in it, sorted by name.

    DataError: a path is missing, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [child for child in sorted(path.iterdir()) if child.is_file() and _known(child)]
        if not inside:
            raise DataError(f"{path}: expected market data in this folder, found none")
        found += inside
    return found


def open_feeds(paths: Sequence[Path], fmt: Format, options: FeedOptions) -> list[Feed]:
    """Return the feeds of files or folders, one per symbol, numbered as they first appear.

    Files of one symbol follow one another in time, in whatever order they are named.
    DataError: the first fault, with file, place and what was expected.
    """
    files = listed(paths)
    if not files:
        raise DataError("expected at least one file of market data, found none")
    formats = {recognise(path): path for path in files} if fmt == "auto" else {fmt: files[0]}
    if len(formats) > 1:
        told = ", ".join(f"{name} in {path}" for name, path in formats.items())
        raise DataError(f"expected files of one format, found {told}")
    (only,) = formats
    if only not in _OPENERS:
        raise DataError(f"{files[0]}: expected an order book's events, found bars")
    return _OPENERS[only](files, options)


def _known(path: Path) -> bool:
    try:
        recognise(path)
    except DataError:
        return False
    return True
