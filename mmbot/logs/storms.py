"""Storm limits: a line that comes again and again is written once, then counted (fault D04)."""

import logging
import re
from collections import OrderedDict
from collections.abc import Iterator

_NUMBERS = re.compile(r"\d+")
# The same line again within so long is counted; what is only for information has longer.
WARNING_S, INFO_S = 60.0, 600.0
MOST_LINES = 1_000

Signature = tuple[str, int, str]


class _Line:
    """A line that was written, and how often it came since."""

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.count = 0
        self.last: logging.LogRecord | None = None


class Storms:
    """Decides what is written. Lines are the same when only their numbers differ.

    What is below info, or marked `steady`, is never held back. suppressed: lines that are in the
    count of a later one only.
    """

    def __init__(self) -> None:
        self.suppressed = 0
        self._lines: OrderedDict[Signature, _Line] = OrderedDict()

    def passed(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        """Yield what is to be written now that this record has come."""
        yield from self.ended(record.created)
        if record.levelno < logging.INFO or getattr(record, "steady", False):
            yield record
            return
        text = _NUMBERS.sub("#", f"{getattr(record, 'market', '')} {record.getMessage()}")
        signature = (record.name, record.levelno, text)
        line = self._lines.get(signature)
        if line is not None:
            line.count += 1
            self.suppressed += line.last is not None
            line.last = record
            return
        if len(self._lines) == MOST_LINES:
            _, oldest = self._lines.popitem(last=False)
            yield from _counted(oldest)
        window_s = INFO_S if record.levelno == logging.INFO else WARNING_S
        self._lines[signature] = _Line(record.created + window_s)
        yield record

    def ended(self, now_s: float) -> Iterator[logging.LogRecord]:
        """Yield the counts of the lines whose time is over."""
        for signature in [each for each, line in self._lines.items() if line.until_s <= now_s]:
            yield from _counted(self._lines.pop(signature))

    def rest(self) -> Iterator[logging.LogRecord]:
        """Yield all counts, at the end."""
        while self._lines:
            _, line = self._lines.popitem(last=False)
            yield from _counted(line)


def _counted(line: _Line) -> Iterator[logging.LogRecord]:
    last = line.last
    if last is None:
        return
    if line.count > 1:
        last.msg = f"{last.getMessage()} ({line.count} times since it was told)"
        last.args = None
    yield last
