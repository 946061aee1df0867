"""Sets the logs up and changes their levels while they run."""

import logging
import logging.handlers
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from mmbot.logs.levels import OURS, Levels, apply_levels, drop_levels, parse_levels
from mmbot.logs.lines import JournalLine, JsonLine, TextLine, to_journal
from mmbot.logs.params import LogFileParams, LoggingParams
from mmbot.logs.pipeline import Counts, Outlet, Writing

ENV_LEVEL = ("MMBOT_LOG_LEVEL", "LOG_LEVEL")
JOURNAL = "JOURNAL_STREAM"
MIB = 1 << 20
_FORMS = {"text": TextLine, "json": JsonLine, "journal": JournalLine}


class PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file that others cannot read; a disk that is full must not stop anything."""

    def __init__(self, path: Path, params: LogFileParams, counts: Counts) -> None:
        self._counts = counts
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        size, kept = int(params.rotate_mib * MIB), params.keep_count
        super().__init__(path, maxBytes=size, backupCount=kept, encoding="utf-8", delay=True)
        self.setFormatter(JsonLine())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - see Handler
        """See Handler."""
        self._counts.fail()

    def close(self) -> None:
        """See Handler; what was lost is counted already."""
        with suppress(OSError):
            super().close()

    def _open(self) -> Any:
        def opened(path: str, flags: int) -> int:
            return os.open(path, flags | os.O_CLOEXEC, 0o640)

        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=opened)


class StandardError(logging.Handler):
    """Writes to whatever standard error is now: a live screen may have taken it."""

    def __init__(self, form: str, counts: Counts) -> None:
        super().__init__()
        self._counts = counts
        self.setFormatter(_FORMS[form]())

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            # Nobody reads it any more, or it is closed: there is nowhere to tell of it.
            self._counts.failed += 1


class Logs:
    """The logs of a process: set up on entering, written to the end on leaving.

    ValueError when the environment's wish for levels makes no sense, OSError when there is no place
    for the files.
    """

    def __init__(self, params: LoggingParams, env: Mapping[str, str], path: Path) -> None:
        self.counts = Counts()
        self.path = path if params.file.enabled else None
        wished = next((env[name] for name in ENV_LEVEL if env.get(name)), None)
        self._levels = parse_levels(wished or params.wish)
        self._held = wished is not None
        form = console_form(params, sys.stderr, env)
        self.on_console = form is not None
        self._outlet = Outlet(params.queue_max_count, self.counts)
        handlers: list[logging.Handler] = []
        if self.path is not None:
            handlers.append(PrivateFile(self.path, params.file, self.counts))
        if form is not None:
            handlers.append(StandardError(form, self.counts))
        self._writing = Writing(self._outlet, handlers, self.counts)

    def __enter__(self) -> "Logs":
        self._root_level = logging.getLogger().level
        logging.captureWarnings(True)
        logging.getLogger().addHandler(self._outlet)
        logging.getLogger().setLevel(logging.WARNING)
        apply_levels(self._levels)
        self._writing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self._outlet)
        logging.getLogger().setLevel(self._root_level)
        drop_levels(self._levels)
        logging.captureWarnings(False)
        self._writing.close()

    def set_levels(self, text: str) -> str | None:
        """Change levels now; returns what is wrong with the wish, None when it is in force.

        `LOGGER=LEVEL` changes that one only.
        """
        try:
            wished = parse_levels(text)
        except ValueError as error:
            return str(error)
        if all("=" in part for part in text.split(",")):
            wished = Levels(self._levels.general, {**self._levels.own, **wished.own})
        apply_levels(wished, self._levels.own)
        self._levels = wished
        return None

    def follow(self, params: LoggingParams) -> None:
        """Take on the levels of settings that were applied, unless the environment has a wish."""
        if not self._held:
            self.set_levels(params.wish)


def console_form(params: LoggingParams, stream: TextIO, env: Mapping[str, str]) -> str | None:
    """Return how lines are written to standard error, None when they are not."""
    if params.console == "none":
        return None
    if params.console != "auto":
        return params.console
    if JOURNAL in env and to_journal(stream, env[JOURNAL]):
        return "journal"
    return "text" if any(env.get(name) for name in ENV_LEVEL) else None


def log_folder(params: LoggingParams, env: Mapping[str, str], state: Path) -> Path:
    """Return the folder of the settings, else of the service's logs, else the one of the state."""
    if params.file.dir is not None:
        return Path(params.file.dir).expanduser()
    service = env.get("LOGS_DIRECTORY", "").partition(os.pathsep)[0]
    return Path(service) if service else state / "logs"


def logger(name: str) -> logging.Logger:
    """Return a logger of ours."""
    return logging.getLogger(f"{OURS}.{name}")
