"""The wallet's key from where the settings say it is; it signs sessions, nothing else needs it."""

from collections.abc import MutableMapping
from pathlib import Path

from mmbot.adapters.zo.keys.private_files import OTHERS, read_private
from mmbot.adapters.zo.params import WalletKeyParams
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.errors import SecretError

CREDENTIALS = "CREDENTIALS_DIRECTORY"
# systemd opens a credential to the unit's user by an access list, which shows as group rights.
_OUTSIDERS = 0o027


def wallet_keypair(params: WalletKeyParams, env: MutableMapping[str, str]) -> Keypair:
    """Return the wallet's key; SecretError when it is missing, damaged or open to others.

    A key that stands in the environment is taken out of it (for development: other programs of
    this user can read the environment a program was started with).
    """
    if params.source == "env":
        text = env.pop(params.name, None)
        if text is None:
            raise SecretError(f"secrets.wallet_key: there is no variable {params.name}")
        return Keypair.from_text(text)
    if params.source == "file":
        return keypair_file(Path(params.name))
    folder = env.get(CREDENTIALS)
    if folder is None:
        raise SecretError(
            "secrets.wallet_key: no systemd credential here; give --wallet FILE, or set "
            "secrets.wallet_key.from to file or env"
        )
    return keypair_file(Path(folder) / params.name, _OUTSIDERS)


def keypair_file(path: Path, forbidden: int = OTHERS) -> Keypair:
    """Read a secret key of 64 bytes: base58, JSON array, or hex behind 0x."""
    content = read_private(path, forbidden)
    try:
        return Keypair.from_text(content.decode("ascii"))
    except UnicodeDecodeError:
        raise SecretError(f"{path}: is not a text file") from None
    except SecretError as error:
        raise SecretError(f"{path}: {error}") from None
