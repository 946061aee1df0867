"""The verb `record` against the product's own exchange."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.zo.wire import base58
from mmbot.cli import main
from mmbot.tape.folder_lock import locked_folder
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
    items: list[dict[str, Any]] = document["items"] + document["accounts"]
    return items


def account_of(exchange: LocalExchange, number: int) -> int:
    """Make a wallet known and return its account; funding it is what its stream tells of."""
    wallet = base58.encode(bytes([number]) * 32)
    with urllib.request.urlopen(f"{exchange.url}/user/{wallet}", timeout=5) as answer:  # noqa: S310
        numbers: list[int] = json.load(answer)["accountIds"]
    return numbers[0]


def lines_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        json.loads(line) for path in item["paths"] for line in Path(path).read_text().splitlines()
    ]


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


def test_accounts_and_the_outside_price_are_recorded_too(
    capsys: pytest.CaptureFixture[str], exchange: LocalExchange, tmp_path: Path
) -> None:
    account, other = account_of(exchange, 1), account_of(exchange, 2)
    pay = [threading.Timer(s, exchange.fund, (account, 5)) for s in (1.5, 1.8, 2.1)]
    for each in pay:
        each.start()
    reference = ("--reference", f"{exchange.url.replace('http', 'ws')}/reference")
    accounts = ("--account", str(account), "--account", str(other))
    found = recorded(capsys, exchange, tmp_path, *accounts, *reference, "--for", "3s")
    market, outside, mine, theirs = found
    assert [market["symbol"], outside["symbol"]] == ["BTCUSD", "BTCUSDT"]
    assert outside["rows_count"] > 10
    assert outside["gaps_count"] == mine["gaps_count"] == 0
    assert (mine["messages_count"], theirs["messages_count"]) == (3, 0)
    opened, *messages, closed = lines_of(mine)
    assert opened["opened"] is True
    assert closed["closed"] == "cancelled"
    told = [each["message"]["account"] for each in messages]
    assert [each["account_id"] for each in told] == [account] * 3
    assert [each["last_update_id"] for each in told[1:]] == [each["update_id"] for each in told[:2]]
    assert [each.keys() for each in lines_of(theirs)] == [opened.keys(), closed.keys()]
    (checked,) = verified(capsys, tmp_path / "reference")
    assert checked["problems"] == []
    assert (checked["symbol"], checked["rows_count"]) == ("BTCUSDT", outside["rows_count"])
    # The folder itself still holds the venue's markets and no others.
    assert [each["symbol"] for each in verified(capsys, tmp_path)] == ["BTCUSD"]
    outside_tape = str(tmp_path / "reference")
    assert main(["backtest", "--data", outside_tape, "--steps", "2"]) == 0


def test_a_loss_of_the_streams_is_marked_and_they_come_back(
    capsys: pytest.CaptureFixture[str], exchange: LocalExchange, tmp_path: Path
) -> None:
    account = account_of(exchange, 3)
    cut = threading.Timer(2.0, exchange.faults, ({"knob": "ws.close"},))
    pay = threading.Timer(4.5, exchange.fund, (account, 5))
    for each in (cut, pay):
        each.start()
    reference = ("--reference", f"{exchange.url.replace('http', 'ws')}/reference")
    flags = ("--account", str(account), *reference, "--for", "6s")
    *_, outside, mine = recorded(capsys, exchange, tmp_path, *flags)
    assert mine["gaps_count"] >= 1
    kinds = [next(name for name in each if name != "receipt_ns") for each in lines_of(mine)]
    assert kinds[:3] == ["opened", "closed", "opened"]
    assert "message" in kinds[3:]
    assert outside["snapshots_count"] >= 1
    assert verified(capsys, tmp_path / "reference")[0]["problems"] == []


def test_a_folder_has_one_recorder(
    exchange: LocalExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["record", "--url", exchange.url, "--out", str(tmp_path), "--for", "1s"]
    with locked_folder(tmp_path):
        assert main(words) == 1
        assert capsys.readouterr().err == (
            f"error: {tmp_path}: another recording is writing to this folder\n"
        )
    assert main(words) == 0


@pytest.mark.parametrize(
    "flags",
    [
        ("--reference", "ws://example.com"),
        ("--reference", "https://example.com"),
        ("--reference", "nonsense"),
        ("--account", "1", "--account", "1"),
    ],
)
def test_places_and_accounts_that_make_no_sense_are_refused(
    exchange: LocalExchange, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    assert main(["record", "--url", exchange.url, "--out", str(tmp_path), *flags]) == 2
