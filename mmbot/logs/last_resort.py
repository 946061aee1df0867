"""What Python shows where no log is set up, and when an error of ours ends it: no secret."""

import logging
import sys
import traceback
from types import TracebackType

from mmbot.secrets.redaction import redacted


class LastResort(logging.Handler):
    """Takes the place of `logging.lastResort`."""

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        sys.stderr.write(f"{redacted(self.format(record))}\n")


def guard_crash_output() -> None:
    """Have both go through redaction from now on."""
    logging.lastResort = LastResort(logging.WARNING)
    sys.excepthook = _crashed


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))
