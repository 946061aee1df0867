"""The wallet's key from each of its sources, and that no refusal shows any of it."""

import json
from pathlib import Path

import pytest

from mmbot.adapters.zo.keys.wallet_key import keypair_file, wallet_keypair
from mmbot.adapters.zo.wire import base58
from mmbot.errors import SecretError
from mmbot.secrets.params import SecretsParams
from tests.keys import keypair

KEY = keypair(203)
SECRET = base58.encode(KEY.reveal())
FORMS = [SECRET, f"  {SECRET}\n", json.dumps(list(KEY.reveal())), f"0x{KEY.reveal().hex()}"]


def key_file(folder: Path, content: str) -> Path:
    path = folder / "wallet"
    path.write_text(content)
    path.chmod(0o600)
    return path


def params(source: str, name: str | None) -> SecretsParams:
    return SecretsParams.model_validate({"wallet_key": {"from": source, "name": name}})


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_wallets(form: str, tmp_path: Path) -> None:
    assert keypair_file(key_file(tmp_path, form)).public == KEY.public


def test_each_source(tmp_path: Path) -> None:
    path = key_file(tmp_path, SECRET)
    env = {"WALLET": SECRET, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    warnings: list[str] = []
    for source, name in (("file", str(path)), ("env", "WALLET"), ("systemd", "wallet")):
        assert wallet_keypair(params(source, name), env, warnings.append).public == KEY.public
    # What is in the environment is inherited by every program that is started.
    assert "WALLET" not in env
    assert len(warnings) == 1


MIXED = keypair(204).reveal()[:32] + KEY.public


@pytest.mark.parametrize(
    "content",
    [
        "",
        SECRET[:-1],
        SECRET + "1",
        SECRET.replace(SECRET[5], "0"),
        base58.encode(KEY.reveal()[:32]),
        base58.encode(MIXED),
        json.dumps(list(MIXED)),
        json.dumps([*KEY.reveal(), 1]),
        json.dumps([str(each) for each in KEY.reveal()]),
        "[" * 4000,
        f"0x{KEY.reveal().hex()}zz",
        f"{SECRET} {SECRET}",
        "\u00e9" + SECRET,
    ],
)
def test_a_damaged_key_is_refused_without_a_trace_of_it(content: str, tmp_path: Path) -> None:
    path = key_file(tmp_path, content)
    with pytest.raises(SecretError) as caught:
        keypair_file(path)
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert str(path) in shown
    for part in (SECRET[10:20], KEY.reveal().hex()[10:30], json.dumps(list(KEY.reveal()))[20:40]):
        assert part not in shown
