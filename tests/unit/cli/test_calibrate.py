"""calibrate and shadow-report on the sample: settings that load, JSON that is complete."""

import json
from pathlib import Path

import pytest

from mmbot.cli import main
from mmbot.config.loader import load

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "data" / "sample.tape"
SHORT = [str(SAMPLE), "--end", "2026-01-01T00:10:00Z"]


def test_what_it_suggests_is_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "suggested.yaml"
    assert main(["calibrate", *SHORT, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "! less than an hour: the intervals know nothing of other hours" in told
    config = load([out]).config
    assert 1 < config.markets["SIMUSD"].spread.min_bps <= config.markets["SIMUSD"].spread.max_bps
    assert 0.1 < config.backtest.probabilistic.arrivals_per_s < 5


def test_json_has_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", *SHORT, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "mmbot.calibration/1"
    (market,) = found["markets"]
    # A normal synthetic market: 1 s volatility about 1.1 bps (docs/simulate.md).
    assert 0.8 < market["volatility_bps"]["1 s"]["value"] < 1.5
    assert market["imbalance"]["slope_bps"]["low"] > 0


def test_later_orders_fare_worse(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "shadow.json"
    flags = ["--latency-ms", "400", "--latency-ms", "100", "--json", str(out)]
    assert main(["shadow-report", *SHORT, *flags]) == 0
    told = capsys.readouterr().out
    assert "virtual quotes, 400 ms late" in told
    assert "what the past foretells, 100 ms late" in told
    document = json.loads(out.read_text())
    early, late = document["markets"]["SIMUSD"]
    assert (early["latency_s"], late["latency_s"]) == (0.1, 0.4)
    means = [[depth["means_bps"][0] for depth in each["depths"][:4]] for each in (early, late)]
    assert all(soon > later for soon, later in zip(*means, strict=True))
    foretold = document["foretold"]["SIMUSD"]
    # Ten minutes are not enough to learn from, and it says so.
    assert foretold["usable"] is False
    scores = {name: each["brier"] for name, each in foretold["scores"].items()}
    gain = scores[foretold["best_simple"]] - scores["learned"]
    assert foretold["gains"][foretold["best_simple"]]["value"] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--latency-ms", "-1"], "expected no less than 0"),
        (["--end", "2026-01-01T00:00:30Z"], "expected a minute of market at least"),
    ],
)
def test_wrong_flags(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(SAMPLE), *flags]) == 2
    assert said in capsys.readouterr().err
