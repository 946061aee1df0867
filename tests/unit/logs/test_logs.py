"""The logs of a process: levels, forms, files that turn over, and that nothing is lost silently."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mmbot.logs.levels import TRACE, parse_levels
from mmbot.logs.lines import iso_time
from mmbot.logs.logs import Logs, console_form, log_folder, logger
from mmbot.logs.params import LoggingParams

NOBODY: dict[str, str] = {}


def params(**given: Any) -> LoggingParams:
    return LoggingParams.model_validate({"console": "none", **given})


@contextmanager
def logging_to(
    path: Path, given: LoggingParams, env: dict[str, str] | None = None
) -> Iterator[Logs]:
    with Logs(given, NOBODY if env is None else env, path) as logs:
        yield logs


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in path.read_text().splitlines()]


def test_a_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "bot.jsonl"
    before_s = time.time()
    with logging_to(path, params()):
        logger("bot").warning(
            "no book for %.1f s", 2.1, extra={"code": "stale", "market": "BTCUSD"}
        )
    (line,) = lines(path)
    assert iso_time(before_s) <= line.pop("ts") <= iso_time(time.time())
    assert line == {
        "level": "warning",
        "logger": "mmbot.bot",
        "code": "stale",
        "market": "BTCUSD",
        "text": "no book for 2.1 s",
    }
    assert path.stat().st_mode & 0o027 == 0


def test_an_exception_is_told_without_what_was_in_its_variables(tmp_path: Path) -> None:
    def fail(held: str) -> None:
        raise ValueError(f"cannot use {len(held)} characters")

    with logging_to(tmp_path / "l", params()):
        try:
            fail("canary in a variable")
        except ValueError:
            logger("bot").exception("it failed")
    (line,) = lines(tmp_path / "l")
    assert "ValueError: cannot use 20 characters" in line["trace"]
    assert "in fail" in line["trace"]
    assert "canary in a variable" not in line["trace"].replace('fail("canary in a variable")', "")


@pytest.mark.parametrize(
    ("wish", "general", "own"),
    [
        ("debug", logging.DEBUG, {}),
        ("TRACE", TRACE, {}),
        ("mmbot.ws=trace", logging.INFO, {"mmbot.ws": TRACE}),
        (" error , httpx=info,mmbot.ws=debug", logging.ERROR, {"httpx": 20, "mmbot.ws": 10}),
    ],
)
def test_a_wish_for_levels(wish: str, general: int, own: dict[str, int]) -> None:
    assert parse_levels(wish) == (general, own)


@pytest.mark.parametrize(
    "wish", ["", "loud", "mmbot.wss=debug", "mmbot.ws=", "=debug", "info,,debug", "10"]
)
def test_a_wish_that_makes_no_sense(wish: str) -> None:
    with pytest.raises(ValueError, match=r"is no level|names no logger|there is no logger"):
        parse_levels(wish)


def test_levels_change_while_it_runs(tmp_path: Path) -> None:
    def say(word: str) -> None:
        for name in ("bot", "ws"):
            logger(name).log(TRACE, "%s %s trace", name, word)
            logger(name).debug("%s %s debug", name, word)

    path = tmp_path / "l"
    with logging_to(path, params()) as logs:
        say("first")
        assert logs.set_levels("debug") is None
        say("second")
        assert logs.set_levels("mmbot.ws=trace") is None
        say("third")
        assert "'loud' is no level" in str(logs.set_levels("loud"))
        say("fourth")
        # As settings that were applied; a logger without a wish of its own follows again.
        logs.follow(params(level="warning"))
        say("fifth")
        logger("ws").warning("fifth warning")
    assert [each["text"] for each in lines(path)] == [
        "bot second debug",
        "ws second debug",
        "bot third debug",
        "ws third trace",
        "ws third debug",
        "bot fourth debug",
        "ws fourth trace",
        "ws fourth debug",
        "fifth warning",
    ]
    assert logging.getLogger("mmbot").level == logging.NOTSET


def test_the_environment_comes_before_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "l"
    with logging_to(path, params(level="error"), {"LOG_LEVEL": "debug"}) as logs:
        logger("bot").debug("seen")
        logs.follow(params(level="error"))
        logger("bot").debug("seen again")
        # Libraries stay quiet: some show whole addresses, tokens included.
        logging.getLogger("httpx").info("POST https://api.telegram.org/bot123:x/getMe")
        logging.getLogger("anything.else").info("not ours")
        logging.getLogger("anything.else").warning("a warning of theirs")
    assert [each["text"] for each in lines(path)] == ["seen", "seen again", "a warning of theirs"]


def test_files_turn_over_at_their_size_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    given = params(level="debug", queue_max_count=1_000_000, file={"rotate_mib": 0.05})
    with logging_to(path, given):
        for number in range(3_000):
            logger("bot").debug("line %d %s", number, "x" * 40)
    files = sorted(tmp_path.iterdir(), key=lambda each: -int(f"0{each.suffix[1:]}".strip("jsonl")))
    assert len(files) > 5
    assert all(each.stat().st_size <= 0.05 * (1 << 20) for each in files)
    told = [int(each["text"].split()[1]) for file in files for each in lines(file)]
    assert told == list(range(3_000))


def test_ten_mebibytes_are_the_default(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    with logging_to(path, params(level="debug")):
        for _ in range(12):
            logger("bot").debug("%s", "." * (1 << 20))
    assert 9 * (1 << 20) < (tmp_path / "bot.jsonl.1").stat().st_size <= 10 * (1 << 20)
    assert 2 * (1 << 20) < path.stat().st_size < 4 * (1 << 20)


class Slow(io.StringIO):
    """Standard error of somebody who reads nothing for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.go_on.wait(10)
        return super().write(text)


def test_whoever_logs_never_waits_and_what_is_lost_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(sys, "stderr", slow)
    given = params(console="text", level="debug", queue_max_count=100, file={"enabled": False})
    with logging_to(tmp_path / "l", given) as logs:
        logger("bot").info("the first one, which blocks the writer")
        time.sleep(0.1)
        started_s = time.perf_counter()
        for number in range(500):
            logger("bot").debug("detail %d", number)
        for number in range(50):
            logger("bot").error("trouble %s", chr(ord("A") + number))
        spent_s = time.perf_counter() - started_s
        slow.go_on.set()
    text = slow.getvalue()
    # Details are dropped first: four fifths of the queue are theirs, the rest is kept for more.
    assert text.count("detail") == 80
    assert text.count("trouble") == 20
    assert logs.counts.dropped == {logging.DEBUG: 420, logging.ERROR: 30}
    assert "log_lines_lost: 450 lines lost" in text
    assert spent_s < 1


def test_a_disk_that_refuses_stops_nothing_and_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with logging_to(Path("/dev/full"), params(file={"rotate_mib": 1_000})) as logs:
        for letter in "ABCDE":
            logger("bot").warning("line %s", letter)
    shown = capsys.readouterr().err
    assert shown.count("the log cannot be written") == 1
    assert "No space left" in shown
    assert logs.counts.failed == 5


def test_where_the_console_goes(tmp_path: Path) -> None:
    auto = LoggingParams()
    with (tmp_path / "journal").open("w") as stream:
        found = os.fstat(stream.fileno())
        journal = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert console_form(auto, stream, journal) == "journal"
        assert console_form(auto, stream, {"JOURNAL_STREAM": "8:1"}) is None
        assert console_form(auto, stream, {"JOURNAL_STREAM": "no"}) is None
        assert console_form(auto, stream, {"LOG_LEVEL": "debug"}) == "text"
        assert console_form(params(console="json"), stream, journal) == "json"
        assert console_form(params(), stream, journal) is None
    assert log_folder(auto, {"LOGS_DIRECTORY": "/var/log/mmbot"}, tmp_path) == Path(
        "/var/log/mmbot"
    )
    assert log_folder(auto, {}, tmp_path) == tmp_path / "logs"


IN_THE_JOURNAL = """
import logging, os, pathlib, sys
from mmbot.logs.logs import Logs, logger
from mmbot.logs.params import LoggingParams
found = os.fstat(2)
env = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
with Logs(LoggingParams(file={"enabled": False}, level="debug"), env, pathlib.Path("x")):
    logger("bot").debug("a detail")
    logger("bot").info("two\\nlines")
    logger("bot").warning("a warning", extra={"code": "stale", "market": "BTCUSD"})
    try:
        1 / 0
    except ZeroDivisionError:
        logger("bot").exception("an error")
"""


def test_the_journal_gets_a_priority_on_every_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_JOURNAL], capture_output=True, text=True, check=True
    )
    told = done.stderr.splitlines()
    assert told[:4] == [
        "<7>a detail",
        "<6>two\\x0alines",
        "<4>BTCUSD stale: a warning",
        "<3>an error",
    ]
    assert all(each.startswith("<3>") for each in told[3:])
    assert told[-1] == "<3>ZeroDivisionError: division by zero"


def test_a_peer_cannot_write_lines_or_steer_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with logging_to(tmp_path / "l", params(console="text", file={"enabled": False})):
        logger("bot").warning("%s", "\x1b[2Jbad\n2026-01-01T00:00:00.000Z ERROR mmbot.bot forged")
    (line,) = shown.getvalue().splitlines()
    assert "\\x1b[2Jbad\\x0a2026" in line
