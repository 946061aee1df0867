"""The one way to a secret: from where the settings say it is, or the usual places."""

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import NamedTuple

from mmbot.errors import SecretError
from mmbot.secrets.params import SecretName, SecretParams, SecretsParams
from mmbot.secrets.private_files import OTHERS, read_private
from mmbot.secrets.secret import Secret

CREDENTIALS = "CREDENTIALS_DIRECTORY"
# systemd opens a credential to the unit's user by an access list, which shows as group rights.
OUTSIDERS = 0o027


class _Usual(NamedTuple):
    """What a secret is called where the settings do not say."""

    credential: str
    variable: str


_USUAL = {
    SecretName.WALLET_KEY: _Usual("wallet_key", "PRIVATE_KEY_BASE58"),
    SecretName.TELEGRAM_TOKEN: _Usual("telegram_token", "TELEGRAM_TOKEN"),
    SecretName.API_TOKEN: _Usual("api_token", "MMBOT_API_TOKEN"),
    SecretName.REDIS_PASSWORD: _Usual("redis_password", "REDIS_PASSWORD"),
}


def resolve(
    params: SecretsParams,
    name: SecretName,
    env: MutableMapping[str, str],
    warn: Callable[[str], None],
) -> Secret:
    """Return a secret; SecretError when it is missing or open to others.

    One that stands in the environment is taken out of it, with a warning: other programs of this
    user can read the environment a program was started with.
    """
    wanted: SecretParams = getattr(params, name)
    usual = _USUAL[name]
    if wanted.source == "aws":
        return _from_aws(params, wanted.name or name)
    if wanted.source == "file":
        return secret_file(Path(wanted.name or "").expanduser())
    if wanted.source == "ledger":
        raise SecretError(f"secrets.{name}: a hardware wallet shows its key to nobody")
    credential, variable = wanted.name or usual.credential, wanted.name or usual.variable
    folder = env.get(CREDENTIALS)
    if wanted.source == "systemd":
        if folder is None:
            raise SecretError(
                f"secrets.{name}: no systemd credential here; set secrets.{name}.from to file, env "
                f"or aws{_by_hand(name)}"
            )
        return _from_systemd(folder, credential)
    if wanted.source == "env":
        if variable not in env:
            raise SecretError(f"secrets.{name}: there is no variable {variable}")
        return _from_env(name, variable, env, warn)
    if _is_there(folder, credential):
        return _from_systemd(str(folder), credential)
    if variable in env:
        return _from_env(name, variable, env, warn)
    raise SecretError(
        f"secrets.{name}: neither a systemd credential {credential} nor a variable {variable}; set "
        f"secrets.{name}.from to file or aws{_by_hand(name)}"
    )


def usual_credential(name: SecretName) -> str:
    """Return what the systemd credential of a secret is called where the settings do not say."""
    return _USUAL[name].credential


def is_set(params: SecretsParams, name: SecretName, env: MutableMapping[str, str]) -> bool:
    """Whether there is, or has to be, a secret: the settings name a source, or it is there."""
    wanted: SecretParams = getattr(params, name)
    usual, folder = _USUAL[name], env.get(CREDENTIALS)
    if wanted.source != "auto" or (wanted.name or usual.variable) in env:
        return True
    return _is_there(folder, wanted.name or usual.credential)


def secret_file(path: Path, forbidden: int = OTHERS, place: str | None = None) -> Secret:
    """Read a private file; SecretError when others could have read or changed it."""
    content = read_private(path, forbidden)
    try:
        text = content.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise SecretError(f"{path}: is not a text file with a secret")
    return Secret(text, place or f"file {path}", path)


def _is_there(folder: str | None, credential: str) -> bool:
    """Whether there is such a credential; SecretError when nobody can say."""
    if folder is None:
        return False
    path = Path(folder) / Path(credential).name
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from None
    return True


def _from_systemd(folder: str, credential: str) -> Secret:
    path = Path(folder) / Path(credential).name
    return secret_file(path, OUTSIDERS, f"systemd credential {path.name}")


def _from_env(
    name: SecretName, variable: str, env: MutableMapping[str, str], warn: Callable[[str], None]
) -> Secret:
    warn(
        f"secrets.{name} comes from the variable {variable}, which other programs of this user can "
        "read: for development only"
    )
    return Secret(env.pop(variable).strip(), f"variable {variable}")


def _from_aws(params: SecretsParams, secret_id: str) -> Secret:
    from mmbot.secrets.aws import read_secret

    text, version = read_secret(params.aws, secret_id)
    return Secret(text.strip(), f"AWS secret {secret_id} in {params.aws.region}, version {version}")


def _by_hand(name: SecretName) -> str:
    return ", or give --wallet FILE" if name is SecretName.WALLET_KEY else ""
