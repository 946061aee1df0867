"""Where a secret is looked for, in which order, and that only `reveal` shows it."""

import copy
import pickle
import re
from pathlib import Path

import pytest

from mmbot.errors import SecretError
from mmbot.secrets.params import SecretName, SecretsParams
from mmbot.secrets.redaction import redacted
from mmbot.secrets.resolving import is_set, resolve
from mmbot.secrets.secret import Secret

TOKEN = "unremarkable-words-of-a-token"
WALLET, TELEGRAM = SecretName.WALLET_KEY, SecretName.TELEGRAM_TOKEN


def params(source: str = "auto", name: str | None = None) -> SecretsParams:
    return SecretsParams.model_validate({"telegram_token": {"from": source, "name": name}})


def secret_file(folder: Path, name: str, text: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


def test_a_systemd_credential_comes_before_the_environment(tmp_path: Path) -> None:
    # systemd shows its access list as rights of the group.
    secret_file(tmp_path, "telegram_token", mode=0o440)
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path), "TELEGRAM_TOKEN": "another-token"}
    warnings: list[str] = []
    secret = resolve(params(), TELEGRAM, env, warnings.append)
    assert (secret.reveal(), secret.place) == (TOKEN, "systemd credential telegram_token")
    assert warnings == []
    assert env["TELEGRAM_TOKEN"] == "another-token"


@pytest.mark.parametrize(
    ("name", "variable"), [(WALLET, "PRIVATE_KEY_BASE58"), (TELEGRAM, "TELEGRAM_TOKEN")]
)
def test_the_variables_of_the_notes_are_for_development(name: SecretName, variable: str) -> None:
    env = {variable: f" {TOKEN} ", "HOME": "/"}
    warnings: list[str] = []
    assert resolve(SecretsParams(), name, env, warnings.append).reveal() == TOKEN
    assert env == {"HOME": "/"}
    (warning,) = warnings
    assert variable in warning
    assert "development only" in warning
    assert TOKEN not in warning


def test_a_source_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "telegram_token")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path), "OTHER": "of-the-environment"}
    for source, name, value in (
        ("systemd", None, TOKEN),
        ("file", str(path), TOKEN),
        ("env", "OTHER", "of-the-environment"),
    ):
        assert resolve(params(source, name), TELEGRAM, env, print).reveal() == value
    for source, name in (("systemd", "other"), ("env", "OTHER"), ("file", str(tmp_path / "none"))):
        with pytest.raises(SecretError):
            resolve(params(source, name), TELEGRAM, env, print)
    # A credential is a name, not a way out of the folder.
    with pytest.raises(SecretError):
        resolve(params("systemd", f"../{tmp_path.name}/x/../nothing"), TELEGRAM, env, print)


def test_a_missing_secret_says_where_it_was_looked_for() -> None:
    with pytest.raises(SecretError, match=r"variable PRIVATE_KEY_BASE58; .*give --wallet FILE"):
        resolve(SecretsParams(), WALLET, {}, print)
    with pytest.raises(SecretError, match="credential telegram_token nor a variable TELEGRAM_TOK"):
        resolve(SecretsParams(), TELEGRAM, {}, print)
    with pytest.raises(SecretError, match="there is no variable TELEGRAM_TOKEN"):
        resolve(params("env"), TELEGRAM, {}, print)
    with pytest.raises(SecretError, match="no systemd credential here"):
        resolve(params("systemd"), TELEGRAM, {}, print)
    assert not is_set(SecretsParams(), TELEGRAM, {})
    assert is_set(SecretsParams(), TELEGRAM, {"TELEGRAM_TOKEN": ""})
    assert is_set(params("systemd"), TELEGRAM, {})


def test_a_credential_that_nobody_can_look_for_is_not_taken_for_missing(tmp_path: Path) -> None:
    # A name this long cannot be looked up; neither can one in a folder that is closed to us.
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path / ("x" * 300)), "TELEGRAM_TOKEN": TOKEN}
    with pytest.raises(SecretError, match="File name too long"):
        resolve(params(), TELEGRAM, env, print)
    del env["TELEGRAM_TOKEN"]
    with pytest.raises(SecretError, match="File name too long"):
        is_set(params(), TELEGRAM, env)


@pytest.mark.parametrize(("mode", "text"), [(0o640, TOKEN), (0o604, TOKEN), (0o600, "")])
def test_a_file_that_will_not_do(mode: int, text: str, tmp_path: Path) -> None:
    path = secret_file(tmp_path, "token", text, mode)
    with pytest.raises(SecretError, match=re.escape(str(path))):
        resolve(params("file", str(path)), TELEGRAM, {}, print)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("canary-of-this-very-test", "here")
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{vars_of(secret)}"):
        assert "canary" not in shown
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(secret)
    # Known from its first moment.
    assert redacted("said canary-of-this-very-test aloud") == "said [removed] aloud"


def vars_of(secret: Secret) -> object:
    return [getattr(secret, name) for name in ("place", "path")]
