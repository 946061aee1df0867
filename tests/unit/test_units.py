"""The systemd units: their commands exist, and what they wait for fits together."""

import re
import shlex
from pathlib import Path

import pytest

from mmbot.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted(ROOT.glob("systemd/*.service"))
PROGRAM = "/opt/mmbot/venv/bin/mmbot"


def settings(unit: Path) -> dict[str, list[str]]:
    """Values of a unit by key, comments left out."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def commands(unit: Path) -> list[list[str]]:
    """Commands of a unit, as words."""
    lines = [each for key, each in settings(unit).items() if key.startswith("Exec")]
    return [shlex.split(text.removeprefix("-")) for texts in lines for text in texts]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_every_command_is_one_that_mmbot_takes(unit: Path) -> None:
    assert commands(unit)
    for program, *words in commands(unit):
        assert program == PROGRAM
        if words[0] != "run":
            assert build_parser().parse_args(words).verb


def test_what_is_stopped_has_the_time_it_needs() -> None:
    bot = settings(ROOT / "systemd/mmbot@.service")
    (words,) = [
        each[1:] for each in commands(ROOT / "systemd/mmbot@.service") if "--direct" in each
    ]
    args = build_parser().parse_args(words)
    longest_life_s = 60
    assert int(bot["TimeoutStopSec"][0]) > args.timeout + longest_life_s
    assert args.if_unclean
    assert args.yes


def test_the_bot_wants_its_guard_and_they_share_a_folder() -> None:
    bot, guard = (settings(ROOT / f"systemd/{name}@.service") for name in ("mmbot", "mmbot-guard"))
    assert "mmbot-guard@%i.service" in bot["Wants"][0].split()
    for key in ("User", "StateDirectory", "UMask"):
        assert bot[key] == guard[key]
    assert guard["Restart"] == ["always"]
    assert re.fullmatch(r"2 3 4 6", bot["RestartPreventExitStatus"][0])
