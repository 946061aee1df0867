"""The verb `compare`, from the folder of a run to the exit code."""

import json
from pathlib import Path

import pytest

from mmbot.cli import main
from tests.unit.assemble.test_comparing import made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs")
    arguments = ["--type", "volatile", "--steps", "60", "--observe", "--record"]
    assert main(["simulate", *arguments, str(path / "market.tape")]) == 0
    return made(path / "run", path / "market.tape")


def without_fills(folder: Path, path: Path) -> Path:
    """Copy a run's folder; its venue gave it no fills."""
    path.mkdir()
    for each in folder.iterdir():
        (path / each.name).write_bytes(each.read_bytes())
    journal = path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"kind":"fill"' not in line))
    return path


def test_equal_runs_end_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["compare", str(folder), "--tolerance", "0"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "all (live - replay) 100.0 % 0 profit +0.000 bps of the live volume" in shown
    assert "SIMUSD 0.000 bps 0.000 bps" in shown


def test_too_great_a_difference_is_told_by_the_exit_code(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = without_fills(folder, tmp_path / "lost")
    capsys.readouterr()
    assert main(["compare", str(lost)]) == 10
    texts = capsys.readouterr()
    shown = " ".join(texts.out.split())
    assert "replay it rested there and was passed over 17" in shown, texts.out
    assert "failed: with the same orders 100.0 % of the volume" in texts.err
    assert main(["compare", str(lost), "--tolerance", "100"]) == 0


def test_json_has_the_parts_of_the_difference(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = without_fills(folder, tmp_path / "lost")
    capsys.readouterr()
    assert main(["compare", str(lost), "--json", "--report", str(tmp_path / "report")]) == 10
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "mmbot.run-comparison/1"
    assert found["within_tolerance"] is False
    usd = sum(part["pnl_usd"] for part in found["parts"])
    assert usd == pytest.approx(found["pnl_difference_usd"])
    assert found["pnl_difference_usd"] == pytest.approx(-found["replayed"]["pnl_usd"])
    assert (tmp_path / "report" / "index.html").stat().st_size > 100_000


def test_no_run_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("share", ["-1", "101", "much"])
def test_a_tolerance_is_a_percentage(share: str, folder: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["compare", str(folder), "--tolerance", share])
    assert stop.value.code == 2
