"""The verbs `session ...` against the product's own exchange, which judges every signature."""

import json
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.cli import main
from tests.fakes.exchange import LocalExchange, local_exchange
from tests.fakes.ledger_device import DECLINED, PUBKEY, Device, plugged_in

OK, ERROR, USAGE, CONFIG, SECRET, UNREACHABLE, INCOMPLETE = 0, 1, 2, 3, 4, 5, 8

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    """One exchange for all tests; each has a wallet of its own."""
    with local_exchange(flow="none") as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(exchange: LocalExchange) -> None:
    exchange.faults()


@pytest.fixture
def keypair() -> Keypair:
    return Keypair.generate()


@pytest.fixture
def wallet(tmp_path: Path, keypair: Keypair) -> Path:
    """The wallet's key file."""
    path = tmp_path / "wallet"
    path.write_text(base58.encode(keypair.reveal()))
    path.chmod(0o600)
    return path


@pytest.fixture
def run(exchange: LocalExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb at the exchange, sessions kept in this test's folder."""

    def run(*words: object, kept: str = "kept") -> tuple[int, str, str]:
        flags = ["--url", exchange.url, "--dir", str(tmp_path / kept)]
        capsys.readouterr()
        try:
            code = main(["session", *map(str, words), *flags])
        except SystemExit as stop:
            code = int(stop.code or 0)
        texts = capsys.readouterr()
        return code, texts.out, texts.err

    return run


def sessions(exchange: LocalExchange, keypair: Keypair) -> dict[str, Any]:
    """What the exchange knows of a wallet's sessions."""
    found: dict[str, Any] = exchange.truth()["users"].get(keypair.public.hex(), {})
    return dict(found.get("sessions", {}))


def test_create_stores_and_reuses(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange, tmp_path: Path
) -> None:
    code, out, err = run("create", "--wallet", wallet)
    assert code == OK
    assert err.startswith("stored ")
    assert keypair.address in out
    known = sessions(exchange, keypair)
    assert len(known) == 1
    (path,) = (tmp_path / "kept").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    code, out, _ = run("create", "--wallet", wallet, "--json")
    described = json.loads(out)
    assert (code, described["state"]) == (OK, "kept")
    assert described["session_id"] in known
    assert sessions(exchange, keypair) == known


def test_a_session_lasts_as_long_as_asked(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange
) -> None:
    assert run("create", "--wallet", wallet, "--ttl-h", "100.5")[0] == OK
    (known,) = sessions(exchange, keypair).values()
    engine_s = exchange.truth()["engineNs"] // 10**9
    assert abs(known["expiryS"] - engine_s - 361_800) < 30


def test_the_guard_has_a_session_of_its_own_that_lasts_longest(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange, tmp_path: Path
) -> None:
    assert run("create", "--wallet", wallet)[0] == OK
    assert run("create", "--wallet", wallet, "--role", "guard")[0] == OK
    assert len(list((tmp_path / "kept").iterdir())) == 2
    known = sessions(exchange, keypair)
    bot, guard = sorted(known, key=lambda number: int(known[number]["expiryS"]))
    engine_s = exchange.truth()["engineNs"] // 10**9
    assert abs(known[guard]["expiryS"] - engine_s - 744 * 3600) < 60
    notes = {}
    for role in ("bot", "guard"):
        items = json.loads(run("list", "--role", role, "--json")[1])["items"]
        notes[role] = {each["session_id"]: each["note"] for each in items}
    assert notes["bot"] == {bot: "here", guard: ""}
    assert notes["guard"] == {bot: "", guard: "here"}


def test_refresh_replaces_what_ends_soon(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange
) -> None:
    settings = ("--set", "session.refresh_before_h=1")
    assert run("create", "--wallet", wallet, "--ttl-h", "2", *settings)[0] == OK
    (first,) = sessions(exchange, keypair)
    code, out, _ = run("refresh", "--wallet", wallet, "--json", *settings)
    assert json.loads(out)["state"] == "kept"
    code, out, err = run("refresh", "--wallet", wallet, "--json")
    assert (code, json.loads(out)["state"]) == (OK, "created")
    assert f"session {first} ends in 2.0 h" in err
    assert f"revoked session {first}" in err
    (second,) = sessions(exchange, keypair)
    assert second == json.loads(out)["session_id"] != first
    assert run("refresh", "--wallet", wallet, "--force")[0] == OK
    (third,) = sessions(exchange, keypair)
    assert third != second


def test_list_shows_both_sides(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange
) -> None:
    assert "no session of" in run("list")[2]
    run("create", "--wallet", wallet)
    run("create", "--wallet", wallet, kept="elsewhere")
    ours, other = sorted(sessions(exchange, keypair), key=int)
    code, out, _ = run("list", "--json")
    items = {each["session_id"]: each for each in json.loads(out)["items"]}
    assert code == OK
    assert items[ours]["note"] == "here"
    assert items[other]["note"] == ""
    assert 86_300 < items[ours]["left_s"] <= 86_400
    assert re.search(rf"(?m)^{ours}  {keypair.address}  \S+Z  24\.0 h left  here$", run("list")[1])
    assert json.loads(run("list", "--user", keypair.address, "--json", kept="x")[1])["items"]
    run("revoke", ours, "--wallet", wallet, kept="elsewhere")
    assert "unknown to the venue" in run("list")[1]


def test_revoke(run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange) -> None:
    assert run("revoke", "--wallet", wallet)[0] == USAGE
    run("create", "--wallet", wallet)
    code, out, _ = run("revoke", "--wallet", wallet)
    assert (code, sessions(exchange, keypair)) == (OK, {})
    assert out.endswith("  revoked\n")
    assert "no session of" in run("list")[2]
    assert run("revoke", "12345", "--wallet", wallet)[1] == "12345  was not there\n"
    for kept in ("a", "b", "c"):
        run("create", "--wallet", wallet, kept=kept)
    code, out, _ = run("revoke", "--all", "--wallet", wallet, "--json", kept="a")
    assert len(json.loads(out)["items"]) == 3
    assert sessions(exchange, keypair) == {}
    assert run("revoke", "--all", "5", "--wallet", wallet)[0] == USAGE


def test_a_session_made_on_the_wallets_machine(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange, tmp_path: Path
) -> None:
    carried = tmp_path / "carried"
    assert run("create", "--wallet", wallet, "--out", carried, kept="home")[0] == OK
    assert not (tmp_path / "home").exists()
    assert stat.S_IMODE(carried.stat().st_mode) == 0o600
    wallet.unlink()
    code, out, _ = run("create", "--submit", carried, "--json")
    assert (code, json.loads(out)["session_id"]) == (OK, *sessions(exchange, keypair))
    assert json.loads(run("list", "--json")[1])["items"][0]["note"] == "here"


def test_a_session_signed_without_a_network(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange, tmp_path: Path
) -> None:
    carried, engine_s = tmp_path / "carried", exchange.truth()["engineNs"] // 10**9
    words = ("create", "--wallet", wallet, "--out", carried, "--engine-time", engine_s + 40)
    code = main(["session", *map(str, words)])
    assert code == OK
    assert sessions(exchange, keypair) == {}
    code, out, _ = run("create", "--submit", carried, "--json")
    assert (code, json.loads(out)["session_id"]) == (OK, *sessions(exchange, keypair))
    # Submitted again, it is the session that there is.
    code, out, _ = run("create", "--submit", carried, "--json")
    assert (code, json.loads(out)["session_id"]) == (OK, *sessions(exchange, keypair))


def test_a_request_at_the_wrong_time_is_not_sent(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange, tmp_path: Path
) -> None:
    carried = tmp_path / "carried"
    for shift_s, word in ((-120, "late"), (120, "early")):
        engine_s = exchange.truth()["engineNs"] // 10**9 + shift_s
        run("create", "--wallet", wallet, "--out", carried, "--engine-time", engine_s)
        code, _, err = run("create", "--submit", carried)
        assert code == SECRET
        assert f"s too {word}" in err
    assert sessions(exchange, keypair) == {}


@pytest.mark.parametrize(
    "fault",
    [
        {"knob": "act.drop_resp", "next_n": 1},
        {"knob": "act.drop_req", "next_n": 2},
        {"knob": "act.http_status", "next_n": 1, "status": 502},
        {"knob": "act.truncate", "next_n": 2},
    ],
    ids=lambda fault: str(fault["knob"]),
)
def test_a_lost_answer_makes_no_second_session(
    run: Run, wallet: Path, keypair: Keypair, exchange: LocalExchange, fault: dict[str, Any]
) -> None:
    exchange.faults(fault)
    code, out, _ = run("create", "--wallet", wallet, "--json")
    assert (code, json.loads(out)["session_id"]) == (OK, *sessions(exchange, keypair))


def test_bad_input_is_one_line(run: Run, wallet: Path, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.write_text(wallet.read_text())
    loose.chmod(0o644)
    cases: list[tuple[int, str, list[object]]] = [
        (SECRET, "chmod 600", ["create", "--wallet", loose]),
        (SECRET, "No such file", ["create", "--wallet", tmp_path / "none"]),
        (SECRET, "give --wallet FILE", ["create"]),
        (SECRET, "not a sound session file", ["create", "--submit", wallet]),
        (CONFIG, "session.ttl_h", ["create", "--wallet", wallet, "--ttl-h", "745"]),
        (CONFIG, "expected a number", ["create", "--wallet", wallet, "--ttl-h", "nan"]),
        (USAGE, "needs --out", ["create", "--wallet", wallet, "--engine-time", "5"]),
        (USAGE, "no --out, no --wallet", ["create", "--wallet", wallet, "--submit", loose]),
        (USAGE, "--user", ["list", "--user", "0OIl"]),
        (USAGE, "--user: a public key has 32 bytes", ["list", "--user", "abc"]),
    ]
    for code, words, arguments in cases:
        found, out, err = run(*arguments)
        assert (found, out) == (code, ""), err
        assert words in err
        assert err.startswith("error: ")
        assert err.count("\n") == 1


def test_other_places_are_refused_before_anything_is_read(
    wallet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for url, words in (
        ("https://zo-mainnet.n1.xyz.evil.example", "not in allowed_hosts"),
        ("https://zo-devnet.n1.xyz", "not in allowed_hosts"),
        ("http://zo-mainnet.n1.xyz", "not encrypted"),
        ("https://user:pass@zo-mainnet.n1.xyz", "user name or a password"),
        ("ftp://127.0.0.1", "does not begin with"),
    ):
        assert main(["session", "create", "--wallet", str(wallet), "--url", url]) == CONFIG
        err = capsys.readouterr().err
        assert words in err
        assert "pass@" not in err


def test_nobody_there(wallet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with local_exchange(flow="none") as gone:
        url = gone.url
    assert main(["session", "create", "--wallet", str(wallet), "--url", url]) == UNREACHABLE
    assert capsys.readouterr().err.count("\n") == 1


def test_a_wallet_without_an_account(wallet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with local_exchange(flow="none", funds_usd=0) as poor:
        assert main(["session", "create", "--wallet", str(wallet), "--url", poor.url]) == SECRET
    assert "before its first deposit" in capsys.readouterr().err


def test_the_key_in_the_environment(
    run: Run, keypair: Keypair, exchange: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALLET", base58.encode(keypair.reveal()))
    where = ("--set", "secrets.wallet_key={from: env, name: WALLET}")
    assert run("create", *where)[0] == OK
    assert "WALLET" not in os.environ
    assert len(sessions(exchange, keypair)) == 1


def test_a_hardware_wallet_signs_a_session(run: Run, exchange: LocalExchange) -> None:
    device = Device()
    with plugged_in(device.answer) as port:
        where = ("--set", f"secrets.ledger={{transport: tcp, port: {port}}}")
        code, out, err = run("create", "--ledger", *where)
        assert code == OK, err
        assert "confirm the session on the device" in err
        found = exchange.truth()["users"][PUBKEY.hex()]["sessions"]
        assert len(found) == 1
        assert base58.encode(PUBKEY) in out
        by_default = ("--set", "secrets.wallet_key={from: ledger}")
        assert run("create", *where, *by_default)[0] == OK
        # The venue takes revocations in a form that no device signs.
        for verb in ("refresh", "revoke"):
            assert run(verb, *where, *by_default)[0] == USAGE
        assert run("create", "--ledger", "--wallet", "/dev/null")[0] == USAGE
        device.status = DECLINED
        assert run("create", "--ledger", *where, kept="elsewhere")[0] == SECRET
    assert len(device.seen) == 1
    assert len(exchange.truth()["users"][PUBKEY.hex()]["sessions"]) == 1


def test_no_secret_is_shown_anywhere(
    run: Run,
    wallet: Path,
    exchange: LocalExchange,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    carried = tmp_path / "carried"
    exchange.faults({"knob": "act.drop_resp", "p": 0.3})
    caplog.set_level(logging.DEBUG)
    shown = ""
    for words in (
        ("create", "--wallet", wallet, "--json", "-v"),
        ("create", "--wallet", wallet, "--out", carried),
        ("create", "--submit", carried, "-v"),
        ("refresh", "--force", "--wallet", wallet, "-v"),
        ("list", "--json"),
        ("revoke", "--all", "--wallet", wallet, "-v"),
    ):
        shown += "".join(map(str, run(*words)))
    shown += caplog.text
    secrets = {wallet.read_text(), json.loads(carried.read_text())["session_secret"]}
    for path in (tmp_path / "kept").iterdir():
        secrets.add(json.loads(path.read_text())["session_secret"])
    for secret in secrets:
        raw = base58.decode(secret)
        for form in (secret, raw.hex(), raw[:32].hex(), base58.encode(raw[:32]), str(list(raw))):
            assert form not in shown
