"""The demonstration as a newcomer runs it: a bot in a process of its own, and what it leaves."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.assemble.demo.local_exchange import local_exchange
from mmbot.assemble.demo.newcomer import newcomer
from mmbot.assemble.demo.other_trader import LIFETIME_S, Habits, OtherTrader
from mmbot.cli import main
from mmbot.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
ENDS_S = 90


def environment(home: Path) -> dict[str, str]:
    """Nothing may be written anywhere but where we say."""
    temporary = home / "tmp"
    temporary.mkdir()
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home), "TMPDIR": str(temporary)}


def test_a_few_seconds_end_clean_with_a_report_that_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmbot", "demo", "--for", "12s", "--json", "--report", "out"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=ENDS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["orders_left"] == []
    assert told["violations"] == []
    assert told["status"]["placed"] > 0
    assert told["results"]["metrics"]["fills_count"] > 0
    assert abs(told["equity_gap_usd"]) < 0.01
    markets = told["results"]["attribution"]["markets"]
    assert [market["identity_error_atoms"] for market in markets] == [0, 0]
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"out", "tmp", ".cache"}
    assert list((tmp_path / "tmp").iterdir()) == []
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "out" / "run"), "--json", "--tolerance", "100"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["live"]["fills_count"] == told["results"]["metrics"]["fills_count"]
    assert compared["latency"]["orders_count"] > 0


def test_ctrl_c_ends_it_clean(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mmbot", "demo", "--for", "0", "--no-report"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("live: "):
                break
        # As a terminal does: to everybody in the foreground.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=ENDS_S)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "the exchange says: 0 orders of the bot left" in out


async def trade() -> None:
    async with (
        local_exchange(["--flow", "normal"]) as exchange,
        open_http(VenueParams(http_url=exchange.ready.http)) as http,
    ):
        catalog = await http.info()
        who = await newcomer(http, exchange.ready.http)
        await exchange.fund(who.account_id, 100_000)
        signer = who.session.signer(who.account_id, LIFETIME_S)
        trader = OtherTrader(http, signer, catalog, Random(1), Habits(actions_per_s=50.0))
        task = asyncio.create_task(trader.run())
        async with asyncio.timeout(ENDS_S):
            while trader.trades < 20:  # noqa: ASYNC110 - it knows no events
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        truth = await exchange.truth(who.account_id)
        assert truth.orders == ()
        assert truth.held
        assert await exchange.violations() == []


async def fail_to_start() -> None:
    with pytest.raises(Unavailable, match=r"did not start: error: .*nowhere"):
        async with local_exchange(["--replay", "/nowhere"]):
            raise AssertionError


def test_the_other_trader_trades_and_leaves_no_order() -> None:
    asyncio.run(trade())


def test_an_exchange_that_cannot_start_says_why() -> None:
    asyncio.run(fail_to_start())


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--for", "soon"], "--for soon"),
        (["--flow", "toxic", "--replay", "x"], "exclude each other"),
        (["-c", "nothing.yaml"], "nothing.yaml"),
    ],
)
def test_wrong_use_is_one_line(
    flags: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["demo", "--report", str(tmp_path / "out"), *flags]) in (2, 3)
    said = capsys.readouterr().err
    assert problem in said
    assert said.count("\n") == 1


def test_a_report_does_not_mix_with_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old").write_text("")
    capsys.readouterr()
    assert main(["demo", "--report", str(tmp_path)]) == 2
    assert "new or empty" in capsys.readouterr().err
