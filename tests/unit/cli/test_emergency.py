"""What `cancel-all --direct` needs to start: little, and it refuses what makes no sense."""

import fcntl
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import SessionFolder, StoredSession
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.cli import main

ROOT = Path(__file__).resolve().parents[3]
# Nothing listens at the port of the null service.
NOWHERE = "http://127.0.0.1:9"
ALLOWED = (
    "mmbot.adapters",
    "mmbot.adapters.zo",
    "mmbot.adapters.zo.origin",
    "mmbot.cli",
    "mmbot.cli.control_parser",
    "mmbot.cli.demo_parser",
    "mmbot.cli.emergency",
    "mmbot.cli.ledger_parser",
    "mmbot.cli.parser",
    "mmbot.cli.rescue_parser",
    "mmbot.cli.research_parser",
    "mmbot.cli.unit_parser",
    "mmbot.domain",
    "mmbot.domain.order",
    "mmbot.errors",
    "mmbot.logs",
    "mmbot.logs.last_resort",
    "mmbot.secrets",
    "mmbot.secrets.private_files",
    "mmbot.secrets.redaction",
)
ALLOWED_BELOW = ("mmbot.adapters.zo.wire", "mmbot.cext", "mmbot.rescue")
FOREIGN = ("aiohttp", "websockets", "pydantic", "yaml", "rich", "uvloop", "asyncio", "sqlite3")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    times = EngineSeconds(2_000_000_000), EngineSeconds(1_900_000_000)
    stored = StoredSession(NOWHERE, Keypair.generate().address, 5, Keypair.generate(), *times)
    return SessionFolder(tmp_path / "sessions").save(stored)


def child(code: str, *words: str) -> Any:
    """Run code in a process of its own; returns what it prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


WHAT_IS_LOADED = """
import json, sys
from mmbot.cli import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def test_the_rest_of_the_bot_is_not_loaded(session: Path) -> None:
    flags = ("--direct", "--session-file", str(session), "--timeout", "0.2", "--landing-s", "0")
    code, loaded = child(WHAT_IS_LOADED, "cancel-all", *flags)
    assert code == 5
    ours = [name for name in loaded if name.startswith("mmbot.")]
    strangers = [
        name for name in ours if name not in ALLOWED and not name.startswith(ALLOWED_BELOW)
    ]
    assert strangers == []
    assert [name for name in loaded if name.partition(".")[0] in FOREIGN] == []


def test_it_is_there_at_once() -> None:
    words = [sys.executable, "-m", "mmbot", "cancel-all", "--direct", "--session-file", "/none"]
    spent_s = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 4
        spent_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # Of the processor, so that a busy machine does not matter much; 0.1 s where this was written.
    assert min(spent_s) < 0.3


def test_what_makes_no_sense_is_refused(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ("--session-file", str(session))

    def told(*words: str) -> tuple[int, str]:
        code = main([*words])
        return code, capsys.readouterr().err

    assert told("cancel-all", "--direct", *key, "--url", "https://zo-mainnet.n1.xyz")[0] == 4
    assert told("cancel-all", "--direct", *key, "--instance", "256")[0] == 2
    assert told("guard", *key) == (2, "error: without -c, --socket says where to listen\n")
    long = str(tmp_path / ("x" * 120))
    assert told("guard", *key, "--socket", long)[0] == 2
    empty = ("--dir", str(tmp_path / "empty"), "--url", NOWHERE)
    code, text = told("cancel-all", "--direct", *empty)
    assert (code, "none: make one" in text) == (4, True)
    code, text = told("guard", *empty)
    assert (code, "--role guard" in text) == (4, True)


def test_the_kept_session_and_the_configuration_are_found(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bot.yaml"
    config.write_text(
        f"version: 1\nvenue: {{http_url: '{NOWHERE}', action_lifetime_s: 2}}\n"
        f"session: {{dir: '{session.parent}'}}\n"
    )
    code = main(["cancel-all", "--direct", "-c", str(config), "--timeout", "0.2", "--json"])
    texts = capsys.readouterr()
    assert code == 5
    found = json.loads(texts.out)
    assert (found["schema"], found["proven"], found["left"]) == ("mmbot.cancel-all/1", False, [])
    assert "no connection" in texts.err


def test_without_direct_somebody_must_agree(
    session: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(session.parent))
    lock = session.parent / "account-127.0.0.1_9-1.lock"
    lock.touch()
    told = []
    with open(os.devnull) as nobody, lock.open() as bot:
        monkeypatch.setattr(sys, "stdin", nobody)
        for _ in range(2):
            assert main(["cancel-all", "--session-file", str(session)]) == 2
            told.append(capsys.readouterr().err)
            fcntl.flock(bot, fcntl.LOCK_EX)
    assert "give --direct or --yes" in told[0]
    assert ["a bot is running" in each for each in told] == [False, True]


def test_after_a_clean_end_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("SERVICE_RESULT", "success"),
        ("EXIT_CODE", "exited"),
        ("EXIT_STATUS", "0"),
    ):
        monkeypatch.setenv(name, value)
    words = ["cancel-all", "--direct", "--if-unclean", "--session-file", "/none"]
    assert main(words) == 0
    monkeypatch.setenv("SERVICE_RESULT", "watchdog")
    assert main(words) == 4
