"""Why quotes were what they were is kept every minute, and found again by its time."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest

from mmbot.assemble.live.explanations import MOST_EXPLAINED, keep_explanations
from mmbot.cli import main
from mmbot.ledger import open_ledger
from tests.simulation.loop import VirtualLoop
from tests.unit.engine.scene import Bench
from tests.unit.ledger.scene import START_NS, start

S = 10**9


def kept(folder: Path, minutes: int, markets: int) -> Path:
    """Let a bot's books be kept for so long; the engine's quotes are those of a bench."""
    path = folder / "mmbot.ledger"
    bench = Bench(markets)
    bench.start()
    ledger = open_ledger(path, inline=True)
    ledger.begin_run(start(), [desk.state.market for desk in bench.engine.desks])
    loop = VirtualLoop(1)

    async def work() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(60 * minutes + 1):
                await keep_explanations(bench.engine, ledger, lambda: START_NS + loop.now_ns)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work())
    ledger.close(1)
    return path


def explained(path: Path, *words: str) -> int:
    return main(["explain", "--ledger", str(path), "--json", *words])


def test_the_latest_one_before_a_moment_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept(tmp_path, minutes=3, markets=2)
    for at, second in (("00:01:00", 60), ("00:02:30", 120), ("00:09:00", 180)):
        assert explained(path, "--at", f"2026-01-01T{at}Z") == 0
        told = json.loads(capsys.readouterr().out)["explain"]
        assert [each["symbol"] for each in told] == ["M0", "M1"]
        assert {each["ts_ns"] for each in told} == {START_NS + second * S}
    assert explained(path, "--at", "2026-01-01T00:02:30Z", "--market", "M1") == 0
    (one,) = json.loads(capsys.readouterr().out)["explain"]
    assert one["gate"] == "own strategy"
    assert main(["explain", "--ledger", str(path), "--at", "2026-01-01T00:02:30Z"]) == 0
    assert "at 2026-01-01T00:02:00.000Z\nM0  gate: own strategy\n" in capsys.readouterr().out


@pytest.mark.parametrize("at", ["00:00:59", "00:14:00"])
def test_what_is_not_kept_is_not_made_up(
    tmp_path: Path, at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept(tmp_path, minutes=3, markets=1)
    assert explained(path, "--at", f"2026-01-01T{at}Z") == 1
    assert "nothing is kept of the ten minutes before" in capsys.readouterr().err


def test_many_markets_take_turns_and_the_journal_shows_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markets = MOST_EXPLAINED + 5
    path = kept(tmp_path, minutes=2, markets=markets)
    assert explained(path, "--at", "2026-01-01T00:01:30Z") == 0
    told = json.loads(capsys.readouterr().out)["explain"]
    assert [each["symbol"] for each in told] == [f"M{n}" for n in range(MOST_EXPLAINED)]
    assert explained(path, "--at", "2026-01-01T00:02:30Z") == 0
    assert len(json.loads(capsys.readouterr().out)["explain"]) == markets
    assert main(["events", "--ledger", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == []
