"""The trading key, from a private file, a descriptor or a systemd credential.

The file says itself which venue it is for, so a key never goes to another place. The wire's modules
take most of the start-up time: they are imported when the first questions are under way.
"""

import json
import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from mmbot.adapters.zo.origin import Origin, allowed_origin
from mmbot.errors import SecretError
from mmbot.secrets.private_files import LIMIT_BYTES, OTHERS, read_private

if TYPE_CHECKING:
    from mmbot.adapters.zo.wire.actions import SessionAction
    from mmbot.adapters.zo.wire.signing import SessionSigner

SCHEMA = "mmbot.session/1"
FROM_DESCRIPTOR = "fd:"
FROM_CREDENTIAL = "credential:"
# systemd gives its credentials to root and the service's user; the group's bits may show.
_CREDENTIAL_OTHERS = 0o007


class Session:
    """A session of a wallet at a venue, until `expiry_s` of engine time."""

    __slots__ = ("_secret", "expiry_s", "origin", "session_id", "user")

    def __init__(
        self, origin: Origin, user: str, session_id: int, expiry_s: int, secret: str
    ) -> None:
        self.origin = origin
        self.user = user
        self.session_id = session_id
        self.expiry_s = expiry_s
        self._secret = secret

    def check(self) -> None:
        """Load what signs; SecretError when the key is not sound."""
        from mmbot.adapters.zo.wire.signing import Keypair

        Keypair.from_text(self._secret)

    def pen(self, account_id: int) -> "Pen":
        """Return what signs for an account; SecretError as in `check`."""
        from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner

        keypair = Keypair.from_text(self._secret)
        return Pen(SessionSigner(keypair, self.session_id, account_id))

    def __repr__(self) -> str:
        return f"Session({self.session_id} at {self.origin})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")


class Pen:
    """Signs with nonces of its own, so that no two actions of two processes are the same."""

    def __init__(self, signer: "SessionSigner") -> None:
        self._signer = signer
        self._nonces = count(int.from_bytes(os.urandom(4)))

    @property
    def account_id(self) -> int:
        """For whom it signs."""
        return self._signer.account_id

    def sign(self, action: "SessionAction", engine_s: int) -> bytes:
        """Return the body to send; the action may run for 60 s from `engine_s`."""
        return self._signer.sign(action, engine_s, next(self._nonces) % 2**32, engine_s)


def read_session(source: str, environment: Mapping[str, str]) -> Session:
    """Read a session from `fd:N`, `credential:NAME` or a file; SecretError says what is wrong."""
    content = _content(source, environment)
    try:
        found = json.loads(content)
        number, venue, user = int(found["session_id"]), found["venue"], found["user"]
        secret, expiry_s = found["session_secret"], int(found["expiry_s"])
        if found["schema"] != SCHEMA or not 0 < number < 2**64:
            raise ValueError("schema or id")
        if not (isinstance(secret, str) and isinstance(user, str) and user.isalnum()):
            raise ValueError("key or user")
        host = urlsplit(venue).hostname or ""
        origin = allowed_origin(venue, (host,), ("https", "http"))
        return Session(origin, user, number, expiry_s, secret)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    # Whatever was wrong with it, no part of a key file belongs into a message.
    raise SecretError(f"{source}: is not a sound session file of mmbot")


def _content(source: str, environment: Mapping[str, str]) -> bytes:
    if source.startswith(FROM_DESCRIPTOR):
        try:
            return _all_of(int(source.removeprefix(FROM_DESCRIPTOR)))
        except (OSError, ValueError):
            raise SecretError(f"{source}: cannot be read") from None
    if source.startswith(FROM_CREDENTIAL):
        folder = environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise SecretError(f"{source}: systemd has given no credentials")
        name = Path(source.removeprefix(FROM_CREDENTIAL)).name
        return read_private(Path(folder) / name, _CREDENTIAL_OTHERS)
    return read_private(Path(source).expanduser(), OTHERS)


def _all_of(descriptor: int) -> bytes:
    content = b""
    while part := os.read(descriptor, LIMIT_BYTES + 1):
        content += part
        if len(content) > LIMIT_BYTES:
            raise ValueError("too long")
    return content
