"""`version`, `doctor` and `bundle`: what they say, and what they must not."""

import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot import __version__
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.cli import main
from mmbot.ledger import open_ledger
from mmbot.ledger.rows import Kind
from mmbot.secrets.redaction import REMOVED, redacted

SETTINGS = "version: 1\nmarkets: {BTCUSD: {}}\n"
NOW_NS = 1_900_000_000 * 10**9


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    path = tmp_path / "c.yaml"
    path.write_text(SETTINGS)
    return path


def checks(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, bool | None]]:
    code = main(["doctor", "-c", str(config), "--json"])
    told = json.loads(capsys.readouterr().out)["checks"]
    return code, {each["name"]: each["good"] for each in told}


def test_version_is_told_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["mmbot"]) == ("mmbot.version/1", __version__)
    assert "orderbook" in told["kernels"]


def test_a_sound_place_passes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = checks(config, capsys)
    assert code == 0
    assert (told["config"], told["state"], told["disk"]) == (True, True, True)
    assert (told["ledger"], told["session"], told["bot"]) == (None, None, None)


def test_what_is_wrong_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "mmbot.ledger").write_bytes(b"no database" * 100)
    (config.parent / "sessions").mkdir()
    key = config.parent / "sessions" / "a.json"
    key.write_text("{}")
    key.chmod(0o644)
    code, told = checks(config, capsys)
    assert (code, told["ledger"], told["state"]) == (10, False, False)
    config.write_text("version: 1\nmarkts: {}\n")
    code, told = checks(config, capsys)
    assert (code, told["config"]) == (10, False)


def test_a_bundle_has_the_story_and_no_secret(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Canaries of every kind that a key or a token can look like, in what the journal says."""
    pair = Keypair.generate()
    secrets = [
        pair.reveal().hex(),
        "0x" + pair.reveal().hex(),
        "123456789:AAH9x_tg-token-of-a-bot-0123456789ab",
        "AKIAABCDEFGHIJKLMNOP",
    ]
    ledger = open_ledger(config.parent / "mmbot.ledger", inline=True, now_ns=NOW_NS)
    for number, secret in enumerate(secrets):
        ledger.note(NOW_NS + number, Kind.NOTICE, None, None, f"oops {secret} was here")
    ledger.close(1)
    out = config.parent / "b.tar.gz"
    monkeypatch.chdir(config.parent)
    words = ["bundle", "-c", str(config), "--since", "2000-01-01", "--out", str(out)]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["file"]) == ("mmbot.bundle/1", str(out))
    assert main(words) == main(["bundle", "-c", str(config), "--out", "nowhere/b.tar.gz"]) == 2
    assert "give --out FILE" in capsys.readouterr().err.splitlines()[-1]
    assert out.stat().st_mode & 0o077 == 0
    with tarfile.open(out) as archive:
        parts = {name: archive.extractfile(name) for name in archive.getnames()}
        texts = {name: each.read().decode() for name, each in parts.items() if each is not None}
    assert list(parts) == said["parts"]
    assert {"version.json", "config.yaml", "events.jsonl", "orders.jsonl", "fills.jsonl"} <= set(
        texts
    )
    assert texts["events.jsonl"].count(REMOVED) == len(secrets)
    whole = "\n".join(texts.values())
    assert not [secret for secret in secrets if secret in whole]
    assert "oops" in whole
    assert main(words) == 2


@given(st.binary(min_size=64, max_size=64))
def test_no_key_survives_in_any_spelling(raw: bytes) -> None:
    from mmbot.adapters.zo.wire import base58

    for text in (raw.hex(), f"0x{raw.hex()}", raw[:32].hex()):
        assert redacted(f"key={text};") == f"key={REMOVED};"
    encoded = base58.encode(raw)
    if len(encoded) >= 85:
        assert redacted(f"[{encoded}]") == f"[{REMOVED}]"


@pytest.mark.parametrize(
    "text",
    [
        "order 18446744073709551615 at 59,990.1",
        "7zm5YJuUsB4MYCtw6fAuxfTayLx5vQWHAAGCg2TfvjJh",
        "2026-11-30T06:09:24.123456Z",
        "http://127.0.0.1:8787/status?a=1",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_command_without_a_bot_is_exit_9(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["status"],
        ["pause", "--reason", "x"],
        ["set", "spread.min_bps", "4"],
        ["orders", "--now"],
        ["positions", "--now"],
        ["config", "diff"],
    ):
        assert main([*words, "-c", str(config)]) == 9
        assert "no bot answers" in capsys.readouterr().err
    assert not os.path.lexists(config.parent / "control-mmbot.sock")
