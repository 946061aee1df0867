"""Reads log files back: the last lines of a level or with a word, and what is added later."""

import logging
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from msgspec import Struct

from mmbot.logs.levels import LEVELS

LOOK_EVERY_S = 0.3


class Line(Struct, frozen=True):
    """A line of a file."""

    ts: str
    level: str
    logger: str
    text: str
    code: str | None = None
    market: str | None = None
    trace: str | None = None


_DECODER = msgspec.json.Decoder(Line)


class Filter(NamedTuple):
    """Which lines: of this level or above, with this word, not older than this moment."""

    level: str = "trace"
    word: str = ""
    since: str = ""

    def wants(self, line: Line) -> bool:
        """Whether it is one of them."""
        if LEVELS.get(line.level, logging.INFO) < LEVELS[self.level] or line.ts < self.since:
            return False
        return self.word.lower() in f"{line.market} {line.code} {line.text} {line.trace}".lower()


def files_of(path: Path) -> list[Path]:
    """Return a log and what was put aside of it, oldest first."""
    aside = [each for each in path.parent.glob(f"{path.name}.*") if each.suffix[1:].isdecimal()]
    aside.sort(key=lambda each: -int(each.suffix[1:]))
    return [*aside, *([path] if path.exists() else [])]


def last_lines(path: Path, wanted: Filter, most: int) -> list[Line]:
    """Return the last lines that are wanted; what is not a whole line is left out."""
    found: deque[Line] = deque(maxlen=most)
    for each in files_of(path):
        with each.open("rb") as file:
            found.extend(_parsed(file, wanted))
    return list(found)


def added_lines(path: Path, wanted: Filter) -> Iterator[Line]:
    """Yield what is written from now on, for ever."""
    file = path.open("rb")
    file.seek(0, 2)
    rest = b""
    try:
        while True:
            rest += file.read()
            *whole, rest = rest.split(b"\n")
            yield from _parsed(iter(whole), wanted)
            if path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                # Put aside: what was still written there first.
                yield from _parsed(iter(file.read().splitlines()), wanted)
                file.close()
                file, rest = path.open("rb"), b""
                continue
            time.sleep(LOOK_EVERY_S)
    finally:
        file.close()


def _parsed(lines: Iterator[bytes] | BinaryIO, wanted: Filter) -> Iterator[Line]:
    for raw in lines:
        try:
            line = _DECODER.decode(raw)
        except msgspec.MsgspecError:
            # The end of a file after a power loss.
            continue
        if wanted.wants(line):
            yield line


def text_of(line: Line) -> str:
    """Return a line as people read it."""
    told = f"{line.code}: {line.text}" if line.code else line.text
    where = f"{line.market} " if line.market else ""
    trace = f"\n{line.trace}" if line.trace else ""
    return f"{line.ts} {line.level.upper():<7} {line.logger} {where}{told}{trace}"
