"""Same tape, settings and seed: the same actions to the byte, in two processes and for ever."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from mmbot.adapters.sim.flow import MarketType
from mmbot.assemble import SYNTHETIC_MARKET
from mmbot.cli import main
from mmbot.tape import FeedOptions, open_feeds

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples/data/sample.tape"
SETTINGS = ROOT / "examples/sample.yaml"
GOLDEN = Path(__file__).parent / "golden"
LIMIT_BYTES = 2_000_000


def run(folder: Path, *more: str) -> tuple[bytes, dict[str, object]]:
    """Backtest the sample in a process of its own; its actions and its results."""
    actions, results = folder / "actions.jsonl", folder / "results.json"
    argv = ["backtest", "-c", str(SETTINGS), "--data", str(SAMPLE), "--steps", "12000"]
    outputs = ["--actions", str(actions), "--json", str(results)]
    command = [sys.executable, "-m", "mmbot", *argv, *outputs, *more]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return actions.read_bytes(), json.loads(results.read_text())


def test_two_processes_act_alike_and_as_ever(tmp_path: Path) -> None:
    outcomes = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        outcomes.append(run(tmp_path / name))
    assert outcomes[0] == outcomes[1]
    actions, _ = outcomes[0]
    assert actions.count(b"\n") > 1000
    # A change here is a change of behaviour: renew the file only when that is what you wanted.
    golden = (GOLDEN / "sample.actions.sha256").read_text().strip()
    assert sha256(actions).hexdigest() == golden


def test_the_seed_matters_only_where_something_is_drawn(tmp_path: Path) -> None:
    outcomes = {}
    for seed in ("1", "2"):
        for model in ("power3", "probabilistic"):
            folder = tmp_path / f"{model}-{seed}"
            folder.mkdir()
            outcomes[model, seed] = run(folder, "--seed", seed, "--fill-model", model)[0]
    assert outcomes["power3", "1"] == outcomes["power3", "2"]
    assert outcomes["probabilistic", "1"] != outcomes["probabilistic", "2"]


@pytest.mark.parametrize("market_type", [MarketType.TOXIC, MarketType.FLASH_CRASH])
def test_a_simulation_repeats_itself(market_type: MarketType, tmp_path: Path) -> None:
    logs = []
    for name in ("first", "second"):
        path = tmp_path / name
        argv = ["simulate", "--type", market_type, "--steps", "120", "--seed", "3"]
        assert main([*argv, "--actions", str(path), "--json", str(tmp_path / "results")]) == 0
        logs.append(path.read_bytes())
    assert logs[0] == logs[1]
    assert logs[0]


def test_the_sample_is_small_and_made_by_this_version(tmp_path: Path) -> None:
    assert SAMPLE.stat().st_size < LIMIT_BYTES
    again = tmp_path / "again.tape"
    argv = ["simulate", "--type", "normal", "--steps", "5400", "--seed", "1", "--observe"]
    assert main([*argv, "--record", str(again), "--json", str(tmp_path / "results")]) == 0
    (shipped,) = open_feeds([SAMPLE], "tape", FeedOptions())
    (made,) = open_feeds([again], "tape", FeedOptions())
    assert b"".join(shipped.chunks()) == b"".join(made.chunks())
    assert shipped.market.symbol == SYNTHETIC_MARKET.symbol
