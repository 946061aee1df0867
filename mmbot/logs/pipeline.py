"""From whoever logs to files and console: a queue that never waits, one thread that writes.

The thread that logs pays for a queue entry. Everything else is done by the other: secrets are
removed, storms are counted, lines are formatted and written. What is lost is counted and told.
"""

import logging
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence

from mmbot.logs.storms import Storms
from mmbot.secrets.redaction import redacted

# Above this share of the queue, what is below info is no longer taken.
DETAILS_SHARE = 0.8
IDLE_S = 0.5
RETRY_S = 10.0
LOGGER = "mmbot.logs"
LOST = "log_lines_lost"


class Counts:
    """Lines by level, as written, and as lost because the queue was full or the disk refused.

    suppressed: stand in no line of their own, but in the count of a later one.
    """

    def __init__(self) -> None:
        self.written: dict[int, int] = {}
        self.dropped: dict[int, int] = {}
        self.failed = 0
        self.suppressed = 0

    @property
    def lost(self) -> int:
        """All lines that nobody will read."""
        return sum(dict(self.dropped).values()) + self.failed

    def fail(self) -> None:
        """Count a line that a stream refused; the first one is told on standard error."""
        self.failed += 1
        if self.failed == 1:
            _, error, _ = sys.exc_info()
            sys.stderr.write(f"the log cannot be written: {redacted(str(error))}\n")


class Outlet(logging.Handler):
    """Handler of all loggers: puts a record into the queue, or counts it as lost."""

    def __init__(self, most: int, counts: Counts) -> None:
        super().__init__()
        self.waiting: deque[logging.LogRecord] = deque()
        self.some = threading.Event()
        self._most, self._counts = most, counts
        self._most_details = int(most * DETAILS_SHARE)

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record, without a lock: appending to a deque is safe."""
        details = record.levelno < logging.INFO
        if len(self.waiting) >= (self._most_details if details else self._most):
            dropped = self._counts.dropped
            dropped[record.levelno] = dropped.get(record.levelno, 0) + 1
            return False
        # Arguments may change later, and frames keep what they hold alive.
        record.msg, record.args = record.getMessage(), None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        record.exc_info = None
        self.waiting.append(record)
        if not self.some.is_set():
            self.some.set()
        return True


class Writing:
    """The thread behind an outlet; `close` writes what is left and ends it."""

    def __init__(self, outlet: Outlet, handlers: Sequence[logging.Handler], counts: Counts) -> None:
        self._outlet, self._handlers, self._counts = outlet, handlers, counts
        self._storms = Storms()
        self._told_lost = 0
        self._tell_from_s = 0.0
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Write everything, then end."""
        self._ending = True
        self._outlet.some.set()
        self._thread.join()
        for handler in self._handlers:
            handler.close()

    def _run(self) -> None:
        while True:
            ending = self._ending
            self._outlet.some.clear()
            while self._outlet.waiting:
                for record in self._storms.passed(self._outlet.waiting.popleft()):
                    self._write(record)
            self._counts.suppressed = self._storms.suppressed
            now_s = time.time()
            for record in self._storms.rest() if ending else self._storms.ended(now_s):
                self._write(record)
            self._tell_lost(now_s)
            if ending:
                return
            self._outlet.some.wait(IDLE_S)

    def _tell_lost(self, now_s: float) -> None:
        lost, failed = self._counts.lost, self._counts.failed
        if lost == self._told_lost or now_s < self._tell_from_s:
            return
        text = f"{lost - self._told_lost} lines lost: the queue was full, or the disk refused them"
        fields = {"name": LOGGER, "levelno": logging.WARNING, "msg": text, "code": LOST}
        self._write(logging.makeLogRecord(fields))
        if self._counts.failed == failed:
            self._told_lost = lost
        else:
            # The disk still refuses; this line is not one that was lost.
            self._counts.failed = failed
            self._tell_from_s = now_s + RETRY_S

    def _write(self, record: logging.LogRecord) -> None:
        record.msg = redacted(record.getMessage())
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        written = self._counts.written
        written[record.levelno] = written.get(record.levelno, 0) + 1
        for handler in self._handlers:
            handler.handle(record)
