"""The verb `record` against the product's own exchange."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbot.cli import main
from tests.fakes.exchange import LocalExchange, local_exchange


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    with local_exchange() as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(exchange: LocalExchange) -> None:
    exchange.faults()


def recorded(
    capsys: pytest.CaptureFixture[str], exchange: LocalExchange, folder: Path, *flags: str
) -> list[dict[str, Any]]:
    capsys.readouterr()
    words = ["record", "--url", exchange.url, "--out", str(folder), "--json", *flags]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "mmbot.record/1"
    items: list[dict[str, Any]] = document["items"]
    return items


def verified(capsys: pytest.CaptureFixture[str], folder: Path) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["data", "verify", str(folder), "--json"]) == 0
    items: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["items"]
    return items


def test_a_recording_is_good_and_a_restart_goes_on(
    capsys: pytest.CaptureFixture[str], exchange: LocalExchange, tmp_path: Path
) -> None:
    markets = ("--market", "BTCUSD", "--market", "SOLUSD", "--for", "2s")
    first = recorded(capsys, exchange, tmp_path / "tapes", *markets)
    assert [each["symbol"] for each in first] == ["BTCUSD", "SOLUSD"]
    assert all(each["rows_count"] > 20 and each["gaps_count"] == 0 for each in first)
    again = recorded(capsys, exchange, tmp_path / "tapes", *markets)
    checked = verified(capsys, tmp_path / "tapes")
    for one, other, found in zip(first, again, checked, strict=True):
        assert found["problems"] == []
        assert found["rows_count"] == one["rows_count"] + other["rows_count"]
        assert found["trades_count"] == one["trades_count"] + other["trades_count"]
    assert main(["backtest", "--data", str(tmp_path / "tapes"), "--steps", "3"]) == 0


def test_faults_leave_gaps_and_a_good_tape(
    capsys: pytest.CaptureFixture[str], exchange: LocalExchange, tmp_path: Path
) -> None:
    exchange.faults({"knob": "md.drop", "p": 0.2}, {"knob": "md.malformed", "p": 0.05})
    (item,) = recorded(capsys, exchange, tmp_path, "--for", "3s")
    assert item["symbol"] == "BTCUSD"
    assert item["gaps_count"] > 1
    assert verified(capsys, tmp_path)[0]["problems"] == []


def test_an_interruption_ends_it_with_everything_on_the_tape(
    exchange: LocalExchange, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    argv = ("record", "--url", exchange.url.replace("http", "ws"), "--out", str(tmp_path))
    running = subprocess.Popen(
        [sys.executable, "-m", "mmbot", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=10)
    assert running.returncode == 0
    assert err == b""
    assert b"BTCUSD" in out
    assert verified(capsys, tmp_path)[0]["rows_count"] > 20


@pytest.mark.parametrize("text", ["90", "0s", "1w", "-5s", "1.5h", ""])
def test_a_time_that_is_none_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "--out", str(tmp_path), f"--for={text}"]) == 2
    assert "expected a time" in capsys.readouterr().err


def test_an_unknown_market_and_an_absent_venue_are_told(
    exchange: LocalExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path), "--for", "1s")
    assert main(["record", "--url", exchange.url, "--market", "XRPUSD", *out]) == 1
    assert "XRPUSD is not listed" in capsys.readouterr().err
    assert main(["record", "--url", "http://127.0.0.1:9", *out]) == 5


def test_a_disk_that_refuses_ends_the_recording(
    exchange: LocalExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    (tmp_path / f"BTCUSD_{today}.tape").write_bytes(b"not a tape")
    assert main(["record", "--url", exchange.url, "--out", str(tmp_path), "--for", "20s"]) == 1
    assert "expected the header of a tape" in capsys.readouterr().err
