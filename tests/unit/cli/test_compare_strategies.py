"""compare-strategies as a user runs it: same seeds, same answer, in one process or in several."""

import json
from pathlib import Path

import pytest

from mmbot.cli import main
from mmbot.cli.compare_strategies import read_seeds
from mmbot.errors import UsageError

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "data" / "sample.tape"
SIZES = [
    "--set",
    "defaults.sizing.fixed_usd=1000",
    "--set",
    "defaults.market_risk.max_position_usd=2e4",
]
RICH = ["--set", "backtest.initial_equity_usd=100000"]
SHORT = ["--type", "normal", "--seeds", "3,4", "--steps", "120"]


def told(capsys: pytest.CaptureFixture[str], *flags: str) -> dict:  # type: ignore[type-arg]
    """The JSON of a comparison."""
    assert main(["compare-strategies", *flags, *SIZES, *RICH, "--json", "-"]) == 0
    found: dict = json.loads(capsys.readouterr().out)  # type: ignore[type-arg]
    return found


def test_processes_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--strategies", "glft,zo", *SHORT]
    alone = told(capsys, *flags, "--jobs", "1")
    assert told(capsys, *flags, "--jobs", "2") == alone
    assert [each["name"] for each in alone["standings"]] == ["glft", "zo"]
    assert alone["standings"][0]["runs_count"] == 2
    assert alone["standings"][0]["fills_count"] > 0
    assert alone["standings"][0]["identity_atoms"] == 0


def test_a_strategy_differs_from_itself_by_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = tmp_path / "wide.py"
    own.write_text((SAMPLE.parents[1] / "contestants" / "zo.py").read_text())
    found = told(capsys, "--strategies", f"zo,{own}", *SHORT, "--jobs", "1")
    (difference,) = found["contrasts"]
    assert difference["per_hour_usd"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_a_recording_and_a_configuration_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wide = tmp_path / "wide.yaml"
    wide.write_text("version: 1\ndefaults:\n  spread: {min_bps: 40, max_bps: 50}\n")
    end = "2026-01-01T00:05:00Z"
    report = tmp_path / "report"
    flags = ["--strategies", f"defaults,{wide}", "--data", str(SAMPLE), "--end", end]
    outputs = ["--jobs", "1", "--report", str(report), "--fail-if", "fills_count>=0"]
    code = main(["compare-strategies", *flags, *outputs])
    assert code == 10
    assert "not significant" in capsys.readouterr().out
    first, second = json.loads((report / "contest.json").read_text())["standings"]
    assert first["quoted_spread_bps"] < 20 < second["quoted_spread_bps"]
    assert "Strategies compared" in (report / "index.html").read_text()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--strategies", "zo,zo"], "expected different strategies"),
        (["--strategies", ","], "expected at least one"),
        (["--strategies", "nobody"], "one of avellaneda, glft, notes, zo"),
        (["--strategies", "zo", "--data", "x", "--type", "toxic"], "without --data"),
        (["--strategies", "zo", "--fail-if", "pnl<0"], "unknown key 'pnl'"),
        (["--strategies", "zo", "--seeds", "x"], "expected something like 1001-1020"),
    ],
)
def test_wrong_flags(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare-strategies", *flags]) == 2
    assert said in capsys.readouterr().err


def test_seeds() -> None:
    assert read_seeds("1001-1003, 7,9-9") == [1001, 1002, 1003, 7, 9]
    for wrong in ("3-1", "1,1", "-3", ""):
        with pytest.raises(UsageError):
            read_seeds(wrong)
