"""The verb `exchange` as a process: ready line, end, errors, and its state after kill -9."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.cli import main

ROOT = Path(__file__).resolve().parents[2]
WALLET, SESSION = SigningKey(bytes([11] * 32)), SigningKey(bytes([12] * 32))
Json = Any


class Program:
    """A running exchange."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.ready: dict[str, Any] = json.loads(process.stdout.readline())
        self.address = self.ready["http"].removeprefix("http://")
        self.nonce = 0

    def get(self, path: str) -> Json:
        with urlopen(f"http://{self.address}{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: Json) -> Json:
        data = json.dumps(body).encode()
        return json.loads(self._posted(path, data, "application/json"))

    def _posted(self, path: str, body: bytes, kind: str) -> bytes:
        request = Request(f"http://{self.address}{path}", body, {"Content-Type": kind})
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return bytes(answer.read())

    def act(self, action: pb.Action, by_wallet: bool = False) -> pb.Receipt:
        self.nonce += 1
        action.current_timestamp, action.nonce = self.get("/timestamp"), self.nonce
        payload = action.SerializeToString()
        raw = bytes([len(payload)]) + payload
        key = WALLET if by_wallet else SESSION
        signature = key.sign(raw.hex().encode() if by_wallet else raw).signature
        reply = self._posted("/action", raw + signature, "application/octet-stream")
        receipt = pb.Receipt.FromString(reply[1:])
        assert receipt.WhichOneof("kind") != "err", receipt
        return receipt

    def truth(self) -> Json:
        return self.get("/_ctl/truth")


@contextmanager
def running(*flags: str) -> Iterator[Program]:
    """Start an exchange with stepped time and make sure that it is gone afterwards."""
    command = [sys.executable, "-m", "mmbot", "exchange", "--port", "0", "--control", *flags]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def _ended(program: Program, number: signal.Signals) -> tuple[int, str]:
    program.process.send_signal(number)
    _, errors = program.process.communicate(timeout=10)
    return program.process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_ready_in_one_line_and_ends_cleanly(number: signal.Signals) -> None:
    with running("--virtual-time") as program:
        assert set(program.ready) == {"ready", "http", "ws", "reference"}
        assert program.ready["ready"] is True
        port = program.ready["http"].rpartition(":")[2]
        assert program.ready["http"] == f"http://127.0.0.1:{port}"
        assert program.ready["reference"] == f"ws://127.0.0.1:{port}/reference"
        assert program.get("/timestamp") == 1_767_225_600
        code, errors = _ended(program, number)
        assert code == 0
        assert program.process.stdout is not None
        assert "Traceback" not in errors


def _trade(program: Program, session: int, steps: int) -> None:
    """Quote, take and cancel while time passes; every receipt is good."""
    for number in range(steps):
        program.post("/_ctl/step", {"ms": 400})
        best = program.get("/market/0/orderbook")
        ticks = round(best["bids"][0][0] * 10) - 3
        place = pb.PlaceOrder(session_id=session, price=ticks, size=500 + number, side=pb.BID)
        rests = program.act(pb.Action(place_order=place)).trade_or_place.posted
        if number % 3 == 0:
            cancel = pb.CancelOrderById(session_id=session, order_id=rests.order_id)
            program.act(pb.Action(cancel_order_by_id=cancel))
        if number % 4 == 1:
            take = pb.PlaceOrder(session_id=session, size=200, fill_mode=pb.IMMEDIATE_OR_CANCEL)
            program.act(pb.Action(place_order=take))


def _session(program: Program) -> int:
    wallet = bytes(WALLET.verify_key)
    program.get(f"/user/{base58.encode(wallet)}")
    create = pb.CreateSession(
        user_pubkey=wallet,
        session_pubkey=bytes(SESSION.verify_key),
        expiry_timestamp=program.get("/timestamp") + 9999,
    )
    return program.act(pb.Action(create_session=create), True).create_session_result.session_id


def test_killed_in_the_middle_of_trading_it_goes_on_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "venue.state"
    flags = ("--virtual-time", "--state", str(state), "--seed", "3")
    with running(*flags) as program:
        session = _session(program)
        _trade(program, session, 8)
        before = program.truth()
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait(10)
        nonce = program.nonce
    assert any(account["orders"] for account in before["accounts"].values())
    assert len(before["fills"]) > 3
    assert any(fill["taker_id"] == 1 for fill in before["fills"])
    with running(*flags) as program:
        assert program.truth() == before
        assert program.get("/_ctl/violations") == {"violations": []}
        program.nonce = nonce
        _trade(program, session, 4)
        assert program.get("/_ctl/violations") == {"violations": []}
        assert program.truth()["engineNs"] > before["engineNs"]
        program.post("/_ctl/checkpoint", {})
        after = program.truth()
        assert _ended(program, signal.SIGTERM)[0] == 0
    with state.open("ab") as file:
        file.write(b"\x02\xff\x00torn")
    with running(*flags) as program:
        assert program.truth() == after
        code, errors = _ended(program, signal.SIGTERM)
        assert code == 0
        assert "7 bytes were torn" in errors


def test_the_same_seed_gives_the_same_market() -> None:
    seen = []
    for seed in ("5", "5", "6"):
        with running("--virtual-time", "--seed", seed) as program:
            program.post("/_ctl/step", {"ms": 3000})
            seen.append([program.get(f"/market/{market}/orderbook") for market in range(3)])
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_faults_of_a_file_are_set_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("faults:\n  - {knob: rest.5xx, status: 503, kind: info}\nswarm: {count: 4}\n")
    with running("--virtual-time", "--faults", str(path)) as program:
        faults = program.get("/_ctl/faults")["faults"]
        assert faults[0]["knob"] == "rest.5xx"
        assert len(faults) == 5


def _refused(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """Run the verb here, where it is refused before it serves anything."""
    try:
        code = main(["exchange", "--port", "0", *flags])
    except SystemExit as stopped:
        code = int(str(stopped.code))
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err.strip()


def test_a_port_in_use_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, error = _refused(capsys, "--port", str(port), "--virtual-time")
        assert code == 1
        assert error == f"error: cannot listen on 127.0.0.1 port {port}: address already in use"


TYPO = "markets:\n  - {symbol: BTCUSD, price_decimals: 1, size_decmals: 5}\n"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("-c", TYPO), 3, "markets.0.size_decmals ({path}:2:41): unknown key; possible here: sym"),
        (("-c", TYPO), 3, "markets.0.size_decimals ({path}:2:5): is required"),
        (("-c", "rules:\n  max_atomic: 11\n"), 3, "rules.max_atomic ({path}:2:15): 11 is above 10"),
        (("-c", "tokens: []\n"), 3, "tokens ({path}:1:9): needs at least 1 entries, has 0"),
        (("-c", "markets: [\n"), 3, "{path}:2:1: not valid YAML"),
        (
            ("--faults", "- {knob: act.slow, ms: x}\n"),
            3,
            "0.ms ({path}:1:24): ms is a whole number",
        ),
        (("--faults", "faults:\n  - knob: a\n"), 3, "faults.0.knob ({path}:2:11): unknown knob"),
        (("--faults", "fault: []\n"), 3, "fault ({path}:1:8): unknown key"),
        (("--state", "not a state"), 1, "{path}: not the state of an exchange"),
        (("--replay", "no capture"), 1, "{path}"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, str],
    code: int,
    said: str,
) -> None:
    path = tmp_path / "given"
    path.write_text(given[1])
    got, error = _refused(capsys, given[0], str(path), "--virtual-time")
    assert got == code
    assert said.format(path=path) in error.removeprefix("error: ")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--replay", "/nonexistent/capture"), 1),
        (("-c", "/nonexistent/file.yaml"), 3),
        (("--faults", "/nonexistent/file.yaml"), 3),
        (("--state", "/nonexistent/folder/state"), 1),
        (("--flow", "normal", "--replay", "x"), 2),
        (("--flow", "odd"), 2),
        (("--port", "70000"), 2),
        (("--auto-fund-usd", "-5"), 2),
        (("--speed", "0", "--replay", "examples/data/sample.tape"), 2),
    ],
)
def test_wrong_flags_end_with_the_documented_code(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], code: int
) -> None:
    got, error = _refused(capsys, *flags, "--virtual-time")
    assert got == code, error
    assert "Traceback" not in error
