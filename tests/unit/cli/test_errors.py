"""Bad input on the command line: one clear line, the documented code, nothing half-written."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbot.cli import main

LINE = (
    b'1723161255030000000 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate",'
    b'"E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":%d,"u":%d,"pu":%d,'
    b'"b":[["61800.10","%s"]],"a":[["61800.20","1.000"]]}}\n'
)

Files = Callable[[Path], list[str]]


def _lines(count: int) -> bytes:
    return b"".join(LINE % (10 * n + 1, 10 * n + 10, 10 * n, b"2.500") for n in range(count))


def _missing(folder: Path) -> list[str]:
    return ["backtest", "--data", str(folder / "nowhere.gz")]


def _truncated(folder: Path) -> list[str]:
    path = folder / "cut.gz"
    whole = gzip.compress(_lines(2000), mtime=0)
    path.write_bytes(whole[: len(whole) // 2])
    return ["backtest", "--data", str(path)]


def _garbage(folder: Path) -> list[str]:
    path = folder / "garbage.gz"
    path.write_bytes(gzip.compress(_lines(3) + b"1723161255030000000 {not json\n" + _lines(1)))
    return ["backtest", "--data", str(path)]


def _not_a_number(folder: Path) -> list[str]:
    path = folder / "nan.gz"
    path.write_bytes(gzip.compress(_lines(3) + LINE % (31, 40, 30, b"NaN")))
    return ["backtest", "--data", str(path)]


def _backwards(folder: Path) -> list[str]:
    path = folder / "backwards.gz"
    late = (LINE % (31, 40, 30, b"1.000")).replace(b"1723161255030000000", b"1723161250000000000")
    path.write_bytes(gzip.compress(_lines(3) + late))
    return ["backtest", "--data", str(path)]


def _empty(folder: Path) -> list[str]:
    path = folder / "empty.gz"
    path.write_bytes(b"")
    return ["backtest", "--data", str(path)]


def _empty_folder(folder: Path) -> list[str]:
    return ["backtest", "--data", str(folder)]


def _bad_bars(folder: Path) -> list[str]:
    path = folder / "bars.csv"
    path.write_text("timestamp,open,high,low,close,volume,bid_depth,ask_depth\n1,2,3,4,nan,1,1,1\n")
    return ["backtest", "--data", str(path)]


def _wrong_format(folder: Path) -> list[str]:
    path = folder / "some.tape"
    path.write_bytes(b"this is no tape at all, whatever its name says")
    return ["backtest", "--data", str(path), "--format", "tape"]


DATA_FAULTS: list[Files] = [
    _missing,
    _truncated,
    _garbage,
    _not_a_number,
    _backwards,
    _empty,
    _empty_folder,
    _bad_bars,
    _wrong_format,
]


@pytest.mark.parametrize("fault", DATA_FAULTS, ids=[fault.__name__ for fault in DATA_FAULTS])
def test_bad_data_is_one_line_that_names_the_file(
    fault: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = fault(tmp_path)
    before = set(tmp_path.iterdir())
    report, results = tmp_path / "report", tmp_path / "results.json"
    actions = tmp_path / "actions.jsonl"
    outputs = ["--report", str(report), "--json", str(results), "--actions", str(actions)]
    assert main([*argv, *outputs]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert argv[2] in line
    assert set(tmp_path.iterdir()) == before


def test_a_gap_in_ids_is_told_and_survived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gap.gz"
    path.write_bytes(gzip.compress(_lines(3) + LINE % (91, 99, 90, b"1.000")))
    assert main(["backtest", "--data", str(path)]) == 0
    assert "gap" in capsys.readouterr().out


MISTAKES = """\
version: 2
instance: {name: Not A Name, id: 300}
defaults:
  spread: {min_bps: -1, max_bsp: 3}
  levels: {count: 0}
  sizing: {mode: huge, fixed_usd: -5}
  inventory: {direction: up}
risk: {min_margin_fraction_pct: 0.18}
riks: {}
"""


def test_ten_mistakes_are_ten_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MISTAKES)
    assert main(["backtest", "-c", str(path), "--report", str(tmp_path / "report")]) == 3
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert printed.out == ""
    assert all(line.startswith("error: ") and "config.yaml:" in line for line in lines)
    assert len(lines) == 11
    for key in ("version", "name", "id", "min_bps", "max_bsp", "count", "mode", "fixed_usd"):
        assert any(key in line for line in lines), key
    assert any("max_bps" in line for line in lines if "max_bsp" in line)
    assert any("risk" in line for line in lines if "riks" in line)
    assert any("18 %" in line for line in lines if "min_margin_fraction_pct" in line)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    "argv",
    [
        ["backtest", "--fill-model", "hope"],
        ["backtest", "--fail-if", "profit is nice"],
        ["backtest", "--data", "x", "--start", "yesterday"],
    ],
)
def test_arguments_that_make_no_sense(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert argv[-1].split()[0] in line


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_who_reads_no_further_is_no_mistake(unbuffered: str) -> None:
    # The reader has gone before the first line, as behind `| true`.
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "mmbot", "version"],
        stdout=writes,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "argv", [[], ["fly"], ["backtest", "--steps", "0"], ["backtest", "--steps", "many"]]
)
def test_argparse_refuses_with_its_own_code(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "argv",
    [
        ["--json", "nowhere/results.json"],
        ["--actions", "nowhere/actions.jsonl"],
        ["--start", "2026-02-01", "--end", "2026-01-01", "--data", "x"],
    ],
)
def test_what_cannot_work_is_said_before_the_run(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", *argv]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert argv[1] in line


def test_a_window_without_events_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture, bars = tmp_path / "capture.gz", tmp_path / "bars.csv"
    capture.write_bytes(gzip.compress(_lines(3)))
    bars.write_text("timestamp,open,high,low,close,volume,bid_depth,ask_depth\n1,2,3,1,2,1,1,1\n")
    for path in (capture, bars):
        assert main(["backtest", "--data", str(path), "--start", "2030-01-01"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "expected" in line
        assert "found n" in line
