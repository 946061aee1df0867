"""The verb `test-live` against the product's own exchange, healthy and not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.cli import main
from tests.fakes.exchange import LocalExchange, local_exchange

FAILED = 10
STEPS = ["connect", "time", "markets", "session", "book", "account"]

Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    """One busy exchange for all tests; each has a wallet of its own."""
    with local_exchange() as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(exchange: LocalExchange) -> Iterator[None]:
    exchange.faults()
    yield
    exchange.faults()


@pytest.fixture
def keypair(exchange: LocalExchange, tmp_path: Path) -> Keypair:
    """A wallet with a session kept here."""
    keypair, path = Keypair.generate(), tmp_path / "wallet"
    path.write_text(base58.encode(keypair.reveal()))
    path.chmod(0o600)
    flags = ["--url", exchange.url, "--dir", str(tmp_path / "kept"), "--wallet", str(path)]
    assert main(["session", "create", *flags]) == 0
    return keypair


@pytest.fixture
def check(exchange: LocalExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the verb; what it found, by step."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        flags = ["--url", exchange.url, "--dir", str(tmp_path / "kept"), "--json"]
        code = main(["test-live", *words, *flags])
        found = json.loads(capsys.readouterr().out)
        assert found["ok"] == (code == 0)
        return code, {each["name"]: each for each in found["checks"]}

    return run


def account_of(exchange: LocalExchange, keypair: Keypair) -> Any:
    truth = exchange.truth()
    (number,) = truth["users"][keypair.public.hex()]["accounts"]
    return truth["accounts"][str(number)]


def test_all_is_well(check: Check, keypair: Keypair, exchange: LocalExchange) -> None:
    code, found = check("--place", "--market", "BTCUSD", "--market", "SOLUSD")
    assert code == 0, found
    assert list(found) == [*STEPS, "order"]
    assert {each["state"] for each in found.values()} == {"ok"}
    assert "BTCUSD tick 0.1 lot 0.00001, SOLUSD tick 0.001 lot 0.001" in found["markets"]["text"]
    assert "SOLUSD" in found["book"]["text"]
    assert keypair.address in found["session"]["text"]
    assert "equity 10,000.00 USD, free 10,000.00 USD" in found["account"]["text"]
    assert "was cancelled and is gone" in found["order"]["text"]
    account = account_of(exchange, keypair)
    assert account["orders"] == {}
    assert account["balanceAtoms"]["0"] == 10_000 * 10**12


def test_a_line_for_each_step(
    keypair: Keypair,  # noqa: ARG001 - its session is kept
    exchange: LocalExchange,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    flags = ["--url", exchange.url, "--dir", str(tmp_path / "kept")]
    assert main(["test-live", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", step] for step in STEPS]
    assert all(line.split()[3] == "s" for line in lines)


def test_without_a_session_the_rest_is_still_looked_at(check: Check, keypair: Keypair) -> None:
    del keypair
    code, found = check("--user", Keypair.generate().address, "--place")
    assert code == FAILED
    states = {name: each["state"] for name, each in found.items()}
    assert states["session"] == "FAIL"
    assert states["order"] == "skip"
    assert {states[name] for name in ("connect", "time", "markets", "book", "account")} == {"ok"}
    assert "session create" in found["session"]["text"]


def test_a_market_that_is_not_there(check: Check) -> None:
    code, found = check("--market", "BTCUSDT")
    assert code == FAILED
    assert "BTCUSDT is not listed; there are: BTCUSD, ETHUSD, SOLUSD" in found["markets"]["text"]
    assert found["book"]["state"] == "skip"


def test_decimals_that_are_not_those_of_the_settings(check: Check) -> None:
    grid = "backtest.instruments.BTCUSD={tick: 0.01, lot: 0.00001}"
    code, found = check("--set", grid, "--set", "markets.BTCUSD.enabled=true")
    assert code == FAILED
    assert found["markets"]["state"] == "FAIL"
    assert "settings say tick 0.01" in found["markets"]["text"]
    assert check("--set", grid.replace("0.01", "0.1", 1))[1]["markets"]["state"] == "ok"


def test_a_clock_that_stands_still(capsys: pytest.CaptureFixture[str]) -> None:
    with local_exchange(flow="none") as still:
        still.faults({"knob": "eng.clock_stall"})
        assert main(["test-live", "--url", still.url]) == FAILED
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("the engine's clock stands still")


def test_a_stream_that_says_nothing_new_is_found_out(check: Check, exchange: LocalExchange) -> None:
    exchange.faults({"knob": "md.drop", "p": 1.0})
    code, found = check()
    assert code == FAILED
    assert found["book"]["state"] == "FAIL"


@pytest.mark.parametrize("knob", ["act.drop_resp", "act.truncate"])
def test_a_lost_receipt_leaves_no_order(
    check: Check, keypair: Keypair, exchange: LocalExchange, knob: str
) -> None:
    exchange.faults({"knob": knob, "next_n": 1})
    code, found = check("--place")
    assert code == FAILED
    assert "which is gone now" in found["order"]["text"]
    assert account_of(exchange, keypair)["orders"] == {}


def test_a_refused_order_is_named(check: Check, keypair: Keypair, exchange: LocalExchange) -> None:
    exchange.faults({"knob": "eng.err_next", "code": 226, "next_n": 1})
    code, found = check("--place")
    assert code == FAILED
    assert "RISK_OMF_LESS_THAN_OR_EQUAL_IMF (226)" in found["order"]["text"]
    assert account_of(exchange, keypair)["orders"] == {}


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test-live", "--url", "http://127.0.0.1:9"]) == FAILED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAIL  connect")
    assert all(line.startswith("skip  ") for line in lines[1:])
