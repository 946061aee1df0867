"""The verbs that run the bot, from flags to files."""

import csv
import json
import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mmbot.cli import main
from mmbot.runtime.replay import replay

FLOW = ["simulate", "--type", "normal", "--steps", "300", "--seed", "5"]
TIGHT = ["--set", "defaults.spread.min_bps=3", "--set", "defaults.spread.max_bps=6"]


def test_simulate_writes_everything_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, results = tmp_path / "report", tmp_path / "results.json"
    actions, tape = tmp_path / "actions.jsonl", tmp_path / "market.tape"
    outputs = ["--report", str(report), "--json", str(results), "--actions", str(actions)]
    assert main([*FLOW, *TIGHT, *outputs, "--record", str(tape)]) == 0
    assert "net profit" in capsys.readouterr().out
    assert sorted(path.name for path in report.iterdir()) == [
        "equity.csv",
        "fills.csv",
        "index.html",
        "quotes.csv",
        "results.json",
    ]
    content = json.loads(results.read_text())
    assert content["schema"] == "mmbot.results/1"
    with (report / "fills.csv").open() as source:
        fills = list(csv.DictReader(source))
    assert len(fills) == content["metrics"]["fills_count"] > 0
    sent = [json.loads(line) for line in actions.read_text().splitlines()]
    placed = {line["place"]["order_id"] for line in sent if "place" in line}
    assert len(placed) == content["metrics"]["placed_count"]
    assert {int(fill["order_id"]) for fill in fills} <= placed
    # The recording of the run is a market that can be replayed.
    assert main(["data", "verify", str(tape), "--json"]) == 0
    (verified,) = json.loads(capsys.readouterr().out)["items"]
    assert verified["problems"] == []
    assert main(["backtest", "--data", str(tape), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["header"]["source"] == str(tape)


def test_observing_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FLOW, "--observe", "--json", "-"]) == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert metrics["placed_count"] == metrics["fills_count"] == 0


def test_backtest_without_data_is_a_synthetic_market(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "--steps", "60", "--seed", "5", "--json", "-"]) == 0
    header = json.loads(capsys.readouterr().out)["header"]
    assert header["source"] == "synthetic normal, 60 s, seed 5"


def test_fail_if_decides_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FLOW, "--fail-if", "placed_count > 0"]) == 10
    assert main([*FLOW, "--fail-if", "placed_count > 1000000"]) == 0
    assert "placed_count" in capsys.readouterr().err


def test_ctrl_c_in_the_first_of_two_runs_leaves_out_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("version: 1\n")
    begun = []

    def interrupted(*args: Any, **options: Any) -> int:
        begun.append(args)
        os.kill(os.getpid(), signal.SIGINT)
        return replay(*args, **options)

    monkeypatch.setattr("mmbot.cli.running.replay", interrupted)
    argv = ["backtest", "--steps", "300", "--seed", "5", "--compare", str(other), "--json", "-"]
    assert main(argv) == 0
    output = capsys.readouterr()
    assert len(begun) == 1
    assert "stopped early" in output.err
    assert "comparison" not in json.loads(output.out)


def test_compare_runs_both_on_the_same_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "literal.yaml"
    other.write_text("defaults: {inventory: {direction: literal}}\n")
    argv = ["backtest", "--steps", "300", "--compare", str(other), *TIGHT, "--json", "-"]
    assert main(argv) == 0
    content = json.loads(capsys.readouterr().out)
    (difference,) = content["comparison"]["differences"]
    assert (difference["baseline"], difference["name"]) == ("defaults", "literal")
    assert difference["verdict"].startswith("not significant")


@pytest.mark.parametrize("bar_s", [1, 60, 3600])
def test_bars_run_to_a_report(
    bar_s: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = tmp_path / "ETHUSD.csv"
    rows = ["timestamp,open,high,low,close,volume,bid_depth,ask_depth"]
    for bar in range(60):
        low = 3000 - 5 * (bar % 3)
        rows.append(f"{1_700_000_000 + bar * bar_s},3000.0,3005.5,{low}.0,3000.5,10.251,2.5,2.5")
    bars.write_text("\n".join(rows) + "\n")
    assert main(["backtest", "--data", str(bars), "--json", "-", *TIGHT]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["header"]["fill_model"].startswith("bars")
    assert content["metrics"]["fills_count"] > 0
    assert any("bars" in warning for warning in content["warnings"]) == (bar_s > 1)


def test_steps_end_a_recorded_run_early(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape = tmp_path / "market.tape"
    assert main([*FLOW, "--observe", "--record", str(tape)]) == 0
    capsys.readouterr()
    lengths = []
    for steps in ([], ["--steps", "100"]):
        assert main(["backtest", "--data", str(tape), "--json", "-", *steps]) == 0
        header = json.loads(capsys.readouterr().out)["header"]
        start, end = (datetime.fromisoformat(header[key]) for key in ("start", "end"))
        lengths.append((end - start).total_seconds())
    assert lengths[0] > 290
    # 100 decisions, 100 ms apart.
    assert 9 < lengths[1] < 11


def test_a_market_that_is_not_enabled_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    for setting, quoted in (("defaults.enabled=false", False), ("defaults.enabled=true", True)):
        assert main([*FLOW, "--set", setting, "--json", "-"]) == 0
        metrics = json.loads(capsys.readouterr().out)["metrics"]
        assert (metrics["placed_count"] > 0) is quoted


def test_the_reference_can_be_switched_off(capsys: pytest.CaptureFixture[str]) -> None:
    source = ["--set", "defaults.fair_price.source=reference"]
    placed = []
    for switch in ("true", "false"):
        argv = [*FLOW, *source, "--set", f"simulate.reference={switch}", "--json", "-"]
        assert main(argv) == 0
        placed.append(json.loads(capsys.readouterr().out)["metrics"]["placed_count"])
    # Without a reference there is no fair price, so there are no quotes.
    assert placed[0] > 0
    assert placed[1] == 0


def test_bars_outside_the_window_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = tmp_path / "ETHUSD.csv"
    rows = ["timestamp,open,high,low,close,volume,bid_depth,ask_depth"]
    rows += [f"{1_700_000_000 + bar},3000.0,3005.5,2995,3000.5,10.251,2.5,2.5" for bar in range(60)]
    bars.write_text("\n".join(rows) + "\n")
    # 1,700,000,000 is 2023-11-14 22:13:20 UTC.
    window = ["--start", "2023-11-14T22:13:30Z", "--end", "2023-11-14T22:13:50Z"]
    assert main(["backtest", "--data", str(bars), "--json", "-", *window]) == 0
    header = json.loads(capsys.readouterr().out)["header"]
    assert header["start"].startswith("2023-11-14T22:13:31")
    assert header["end"].startswith("2023-11-14T22:13:50")


def test_sampled_delays_are_drawn_and_a_table_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape, table = tmp_path / "market.tape", tmp_path / "delays.csv"
    assert main([*FLOW, "--observe", "--record", str(tape), "--json", str(tmp_path / "x")]) == 0
    # From a millisecond to a second, one after the other.
    sent = [(n * 10**10, 10**6 if n % 2 else 10**9) for n in range(10)]
    rows = [f"{ns},{ns + entry},{ns + 2 * entry}" for ns, entry in sent]
    table.write_text("\n".join(["req_ts,exch_ts,resp_ts", *rows]) + "\n")
    actions = tmp_path / "actions.jsonl"
    logs = {}
    for model in ("table", "sampled"):
        for seed in ("1", "2"):
            setting = f"backtest.latency={{model: {model}, file: {table}}}"
            argv = ["backtest", "--data", str(tape), *TIGHT, "--set", setting, "--seed", seed]
            assert main([*argv, "--actions", str(actions)]) == 0
            logs[model, seed] = actions.read_bytes()
            capsys.readouterr()
    assert logs["table", "1"] == logs["table", "2"]
    assert logs["sampled", "1"] != logs["sampled", "2"]
    assert logs["sampled", "1"] != logs["table", "1"]


def test_what_virtual_quotes_came_to_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    learning = ["simulate", "--steps", "200", "--set", "defaults.preset=recommended"]
    assert main([*learning, "--json", "-", "--report", str(report)]) == 0
    (told,) = json.loads(capsys.readouterr().out)["shadows"]
    depths = told["depths"]
    # Multiples of the first, and the nearer the likelier.
    away = [row["depth_bps"] / depths[0]["depth_bps"] for row in depths]
    assert away == pytest.approx([1, 2, 3, 4, 6, 8, 12, 18])
    counts = [row["fills_count"] for row in depths]
    assert counts[0] > 10
    assert counts == sorted(counts, reverse=True)
    page = (report / "index.html").read_text()
    assert f"<td>{depths[0]['mean_bps']:+.2f}</td>" in page.split("shadow quotes")[1]
    assert main([*FLOW, "--json", "-"]) == 0
    assert "shadows" not in json.loads(capsys.readouterr().out)
