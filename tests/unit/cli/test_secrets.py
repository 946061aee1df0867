"""`secrets check` from the command line, and a hardware wallet's session at the exchange."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import SessionFolder, StoredSession
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.cli import main
from tests.keys import keypair

KEY = keypair(205)
SECRET = base58.encode(KEY.reveal())
TOKEN = "1234567890:AAF-canary_0123456789abcdefghijklmno"
OK, CONFIG, SECRET_CODE = 0, 3, 4


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PRIVATE_KEY_BASE58", "TELEGRAM_TOKEN", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def checked(
    capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, dict[str, dict[str, Any]]]:
    code = main(["secrets", "check", "--json", *words])
    shown = capsys.readouterr()
    for part in (SECRET[:12], SECRET[40:52], TOKEN[11:20]):
        assert part not in shown.out + shown.err
    return code, {each["name"]: each for each in json.loads(shown.out)["items"]}


def test_nothing_is_set_and_nothing_has_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = checked(capsys)
    assert code == OK
    assert {name: each["ok"] for name, each in found.items()} == {
        "wallet_key": None,
        "telegram_token": None,
        "api_token": None,
        "redis_password": None,
    }


def test_each_secret_with_its_place_and_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    private(tmp_path / "wallet_key", SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    times = EngineSeconds(2_000_000_000), EngineSeconds(1_900_000_000)
    stored = StoredSession("https://zo-mainnet.n1.xyz", KEY.address, 5, Keypair.generate(), *times)
    path = SessionFolder(tmp_path / "state" / "mmbot" / "sessions").save(stored)
    code, found = checked(capsys)
    assert code == OK
    wallet, token, session = (
        found[name] for name in ("wallet_key", "telegram_token", "bot session")
    )
    assert [each["ok"] for each in (wallet, token, session)] == [True, True, True]
    assert wallet["place"] == "systemd credential wallet_key"
    assert wallet["mode"] == "0600"
    assert KEY.address in wallet["text"]
    assert token["place"] == "variable TELEGRAM_TOKEN"
    assert session["place"] == f"file {path}"
    assert "2033-05-18T03:33:20Z" in session["text"]
    # Looking takes nothing away.
    assert os.environ["TELEGRAM_TOKEN"] == TOKEN


def test_what_is_wrong_is_said_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loose = private(tmp_path / "wallet", SECRET)
    loose.chmod(0o644)
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN.replace(":", "-"))
    code, found = checked(capsys, "--set", f"secrets.wallet_key={{from: file, name: {loose}}}")
    assert code == SECRET_CODE
    assert "others may read or change it; chmod 600 it" in found["wallet_key"]["text"]
    assert "no token of a Telegram bot" in found["telegram_token"]["text"]
    loose.chmod(0o600)
    loose.write_text(SECRET[:-3])
    code, found = checked(capsys, "--set", f"secrets.wallet_key={{from: file, name: {loose}}}")
    assert (code, found["wallet_key"]["ok"]) == (SECRET_CODE, False)


@pytest.mark.parametrize(
    "value",
    [SECRET, TOKEN, json.dumps(list(KEY.reveal())), f"0x{KEY.reveal()[:32].hex()}"],
)
@pytest.mark.parametrize("key", ["name", "instance.name", "secrets.wallet_key.name"])
def test_a_secret_in_the_configuration_stops_the_start(
    key: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section, _, last = key.rpartition(".")
    names = section.split(".") if section else []
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(names)]
    quoted = value if value.startswith("[") else f'"{value}"'
    path = tmp_path / "config.yaml"
    path.write_text("\n".join([*lines, f"{'  ' * len(names)}{last}: {quoted}", ""]))
    assert main(["check-config", "-c", str(path)]) == CONFIG
    shown = capsys.readouterr()
    place = f"config.yaml:{len(names) + 1}:"
    assert any(
        place in line and "no secret stands in a configuration" in line
        for line in shown.err.splitlines()
    )
    for part in (value[:12], value[20:32], value[-12:]):
        assert part not in shown.err + shown.out


def test_what_cannot_be_asked_hides_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    # Nothing listens at the port of the null service.
    wallet = ("from=aws", "name=w")
    words = [f"--set=secrets.wallet_key.{each}" for each in wallet]
    code, found = checked(capsys, *words, "--set=secrets.aws.endpoint_url=http://127.0.0.1:9")
    assert code == SECRET_CODE
    assert (found["wallet_key"]["ok"], found["telegram_token"]["ok"]) == (False, True)
    assert "does not answer" in found["wallet_key"]["text"]
