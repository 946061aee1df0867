"""The wallet's key from where the settings say it is; it signs sessions, nothing else needs it."""

from collections.abc import Callable, MutableMapping
from pathlib import Path

from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.errors import SecretError
from mmbot.secrets.params import SecretName, SecretsParams
from mmbot.secrets.resolving import resolve, secret_file
from mmbot.secrets.secret import Secret


def wallet_keypair(
    params: SecretsParams, env: MutableMapping[str, str], warn: Callable[[str], None]
) -> Keypair:
    """Return the wallet's key; SecretError when it is missing, damaged or open to others."""
    return keypair_of(resolve(params, SecretName.WALLET_KEY, env, warn))


def keypair_file(path: Path) -> Keypair:
    """Read the key of a private file; SecretError as above."""
    return keypair_of(secret_file(path))


def keypair_of(secret: Secret) -> Keypair:
    """Read a secret key of 64 bytes: base58, JSON array, or hex behind 0x."""
    try:
        return Keypair.from_text(secret.reveal())
    except SecretError as error:
        raise SecretError(f"{secret.place}: {error}") from None
