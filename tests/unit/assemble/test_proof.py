"""The report's runs: the quick form end to end, and what is measured beside the runs."""

import json
from pathlib import Path

import pytest

from mmbot.assemble import proof
from mmbot.cli import main
from mmbot.quoting import markout
from mmbot.research.contest import goals


def test_the_quick_report_judges_every_goal_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["strategy-report", "--quick", "--jobs", "1", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "| G18 |" in told
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["schema"] == "mmbot.strategy-report/1"
    found = {each["number"]: each for each in document["goals"]}
    assert len(found) == 18
    assert set(document["contests"]) == set(proof.KINDS)
    # What no minute of luck can change: the books balance, and only the literal rule adds.
    assert found["G14"]["met"] is True
    assert found["G18"]["met"] is True
    assert found["G13"]["met"] is not None
    shares = {name: float(share.split()[0]) for name, share in found["G18"]["values"].items()}
    assert shares.pop("notes literal") < 10
    assert set(shares.values()) == {100.0}
    for each in document["contests"].values():
        assert each["standings"][0]["name"] == "mmbot"
        assert len(each["standings"]) == 7
    assert (tmp_path / "report.md").read_text().startswith("# Strategy report")
    assert "<h1>toxic</h1>" in (tmp_path / "index.html").read_text()


def test_the_gate_is_the_one_of_the_markout_control() -> None:
    assert goals.GATE == markout.NO_DEPTH


def test_flow_that_turns_toxic_is_gated_within_five_minutes() -> None:
    plan = proof.Plan(recordings=(), seeds=(8,), steps=10, switches=3, switch_s=1200)
    delays = [proof.gate_delay_s(switch) for switch in proof.switches(plan)]
    assert all(delay is not None and delay <= 300 for delay in delays), delays


def test_everybody_runs_on_the_same_terms() -> None:
    plan = proof.Plan(recordings=(), seeds=(7,), steps=10)
    jobs = proof.field_jobs(plan)
    assert len(jobs) == 7 * len(proof.KINDS)
    assert {job.market.words for _, job in jobs} == {
        f"synthetic {kind}, 10 s, seed 7" for kind in proof.KINDS
    }
    assert {job.sets for _, job in jobs} == {proof.SETTINGS}
