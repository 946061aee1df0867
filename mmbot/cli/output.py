"""Where results go: a summary on the terminal, JSON, CSV and the page, and the exit code."""

import argparse
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import msgspec

from mmbot.domain.actions import Batch, Place
from mmbot.errors import ConfigError, UsageError
from mmbot.research.compare import Comparison, compare, comparison_document
from mmbot.research.condition import Condition, parse_condition
from mmbot.research.export import write_csv, write_json
from mmbot.research.page import write_page
from mmbot.research.record import HORIZONS_NS
from mmbot.research.results import Json, Results, document, value_keys
from mmbot.research.summary import comparison_summary, summary
from mmbot.secrets.redaction import redacted

EXIT_CHECK_FAILED = 10
STDOUT = "-"


def say(text: str) -> None:
    """Tell a person something that is not a result."""
    sys.stderr.write(f"{redacted(text)}\n")


def show(lines: list[str]) -> None:
    """Print results to standard output."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def show_json(content: Any) -> None:
    """Print one JSON object, or an array, on a line of standard output."""
    show([msgspec.json.encode(content).decode()])


def read_condition(text: str | None, keys: Collection[str]) -> Condition | None:
    """Read what --fail-if says of these keys, if it was given; UsageError when it cannot be."""
    if text is None:
        return None
    try:
        return parse_condition(text, keys)
    except ConfigError as error:
        raise UsageError(f"--fail-if: {error}") from error


def write_report(folder: Path, results: Results, comparison: Comparison | None = None) -> Path:
    """Write page, JSON and CSV of a run into a folder; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    content: Json = document(results)
    if comparison is not None:
        content["comparison"] = comparison_document(comparison)
    write_csv(folder, results.record)
    write_json(folder / "results.json", content)
    page = folder / "index.html"
    write_page(page, results, comparison)
    return page


class ActionLog:
    """Every action of a run, one JSON object a line, in the order sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.part")
        self._file = self._partial.open("wb")

    def write(self, batch: Batch) -> None:
        """Write the actions of a batch."""
        for action in batch.actions:
            kind = "place" if isinstance(action, Place) else "cancel"
            line = msgspec.json.encode({"ts_ns": batch.ts_ns, kind: action})
            self._file.write(line + b"\n")

    def close(self, complete: bool) -> None:
        """Give the file its name, or remove it when the run failed."""
        self._file.close()
        if complete:
            self._partial.replace(self.path)
        else:
            self._partial.unlink()


def printed(results: Results) -> list[str]:
    """Return the summary of a run as fits standard output: colours and widths are a terminal's."""
    if not sys.stdout.isatty():
        return summary(results)
    return summary(results, "NO_COLOR" not in os.environ, get_terminal_size().columns)


class Outputs:
    """What the flags of a run ask for; checked before the run starts, delivered after it."""

    def __init__(self, args: argparse.Namespace) -> None:
        """UsageError when --fail-if cannot be read or a file to write has no folder to be in."""
        self._report: Path | None = args.report
        self._json: str | None = args.json
        self._actions: Path | None = args.actions
        for path in (self._actions, None if self._json in (None, STDOUT) else Path(self._json)):
            if path is not None and not path.absolute().parent.is_dir():
                raise UsageError(f"{path}: there is no folder {path.parent} to write it to")
        if self._report is not None and self._report.exists() and not self._report.is_dir():
            raise UsageError(f"{self._report}: expected a folder, found a file")
        self._condition = read_condition(args.fail_if, value_keys(HORIZONS_NS))

    @contextmanager
    def action_log(self) -> Iterator[ActionLog | None]:
        """Open the action log, if one is wanted; it appears under its name when all went well."""
        if self._actions is None:
            yield None
            return
        log = ActionLog(self._actions)
        complete = False
        try:
            yield log
            complete = True
        finally:
            log.close(complete)

    def deliver(self, runs: Sequence[Results], seed: int) -> int:
        """Write and print everything asked for of the first run; return the exit code.

        More runs are compared with it; the seed is that of the comparison's resampling.
        """
        results = runs[0]
        comparison = compare(runs, seed) if len(runs) > 1 else None
        content: Json = document(results)
        if comparison is not None:
            content["comparison"] = comparison_document(comparison)
        if self._json == STDOUT:
            sys.stdout.write(msgspec.json.encode(content).decode() + "\n")
        else:
            show(printed(results))
            if comparison is not None:
                show(["", *comparison_summary(comparison)])
        if self._json is not None and self._json != STDOUT:
            write_json(Path(self._json), content)
        if self._report is not None:
            say(f"report: {write_report(self._report, results, comparison)}")
        return self._judge(results)

    def _judge(self, results: Results) -> int:
        if self._condition is None or not self._condition.holds(results.values()):
            return 0
        say(f"failed: {self._condition.text} is true")
        return EXIT_CHECK_FAILED
