"""A record of the log as a line: text for a terminal, JSON for a file, priorities for the journal.

A record's `code` and `market`, where it has them, are fields of their own.
"""

import logging
import os
import time
from typing import TextIO

import msgspec

from mmbot.logs.levels import level_name

# Of syslog: error, warning, info, debug.
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}


def iso_time(seconds: float) -> str:
    """Return a moment as ISO text in UTC, with milliseconds."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{thousandths:03}Z"


class TextLine(logging.Formatter):
    """`2026-11-30T08:47:33.123Z WARNING mmbot.engine BTCUSD stale: no book for 2.1 s`."""

    def format(self, record: logging.LogRecord) -> str:
        """See Formatter."""
        head = f"{iso_time(record.created)} {level_name(record.levelno).upper():<7} {record.name}"
        return f"{head} {_told(record)}"


class JsonLine(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """See Formatter."""
        line: dict[str, object] = {
            "ts": iso_time(record.created),
            "level": level_name(record.levelno),
            "logger": record.name,
        }
        for name in ("code", "market"):
            value = getattr(record, name, None)
            if value is not None:
                line[name] = value
        line["text"] = record.getMessage()
        if record.exc_text:
            line["trace"] = record.exc_text
        return msgspec.json.encode(line).decode()


class JournalLine(logging.Formatter):
    """Every line begins with its priority; the journal knows the time and the unit itself."""

    def format(self, record: logging.LogRecord) -> str:
        """See Formatter."""
        levels = (priority for level, priority in _PRIORITIES if record.levelno >= level)
        mark = f"<{next(levels, _DEBUG)}>"
        return "\n".join(f"{mark}{line}" for line in _told(record).splitlines() or [""])


def _told(record: logging.LogRecord) -> str:
    """What a person reads; what a peer wrote begins no line of its own and steers no terminal."""
    market, code = getattr(record, "market", None), getattr(record, "code", None)
    text = f"{code}: {record.getMessage()}" if code else record.getMessage()
    if market:
        text = f"{market} {text}"
    text = text.translate(_CONTROLS)
    return f"{text}\n{record.exc_text}" if record.exc_text else text


def to_journal(stream: TextIO, journal_stream: str) -> bool:
    """Whether a stream goes to the journal, by what systemd says in JOURNAL_STREAM."""
    device, _, inode = journal_stream.partition(":")
    if not device.isdecimal() or not inode.isdecimal():
        return False
    found = os.fstat(stream.fileno())
    return (found.st_dev, found.st_ino) == (int(device), int(inode))
