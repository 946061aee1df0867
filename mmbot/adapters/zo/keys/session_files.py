"""Sessions on disk: one private file for each venue and wallet, and files to carry over."""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner
from mmbot.errors import SecretError
from mmbot.secrets.private_files import private_folder, read_private, write_private

SESSION = "mmbot.session/1"
REQUEST = "mmbot.session-request/1"
_PUBKEY_BYTES = 32


class Role(StrEnum):
    """Who acts with a session: each has one of its own, so that none ends the other's."""

    BOT = "bot"
    GUARD = "guard"


class StoredSession(Struct, frozen=True):
    """A trading key and what it is good for; `venue` is the origin of its REST interface."""

    venue: str
    user: str
    session_id: int
    keypair: Keypair
    expiry_s: EngineSeconds
    created_s: EngineSeconds

    @property
    def pubkey(self) -> bytes:
        """The wallet's public key."""
        return base58.decode(self.user)

    def signer(self, account_id: int, lifetime_s: int) -> SessionSigner:
        """Return what signs for an account; `lifetime_s` is how long its actions may live."""
        return SessionSigner(self.keypair, self.session_id, account_id, lifetime_s)


class SessionRequest(Struct, frozen=True):
    """A session that the wallet has signed and the venue has not seen yet.

    `body` may be sent within 60 s of engine time `stamp_s`, before or after.
    """

    user: str
    keypair: Keypair
    expiry_s: EngineSeconds
    stamp_s: EngineSeconds
    body: bytes

    def __repr__(self) -> str:
        return f"SessionRequest({self.user}, {self.keypair.address})"


class _SessionFile(Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    venue: str
    user: str
    session_id: str
    session_secret: str
    expiry_s: int
    created_s: int


class _RequestFile(Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    user: str
    session_secret: str
    expiry_s: int
    stamp_s: int
    body: bytes


class _AnyFile(Struct, frozen=True):
    schema: str = ""


class SessionFolder:
    """The sessions of this machine for one role."""

    def __init__(self, folder: Path, role: Role = Role.BOT) -> None:
        """Take the folder; it is made, open to this user alone, when something is stored."""
        self._folder = folder
        self._ending = ".json" if role is Role.BOT else f".{role}.json"

    def path(self, venue: str, user: str) -> Path:
        """Return the file of a wallet's session at a venue."""
        place = venue.partition("://")[2].replace(":", "_").replace("[", "").replace("]", "")
        return self._folder / f"{place}-{user}{self._ending}"

    def load(self, venue: str, user: str) -> StoredSession | None:
        """Return a stored session, None when there is none; SecretError when it is not sound."""
        path = self.path(venue, user)
        if not path.is_symlink() and not path.exists():
            return None
        private_folder(self._folder)
        stored = read_session(path)
        if (stored.venue, stored.user) != (venue, user):
            raise SecretError(f"{path}: is the session of another venue or wallet")
        return stored

    def save(self, session: StoredSession) -> Path:
        """Store a session in place of the wallet's older one; returns the file."""
        private_folder(self._folder)
        path = self.path(session.venue, session.user)
        write_session(path, session)
        return path

    def remove(self, session: StoredSession) -> None:
        """Forget a session."""
        self.path(session.venue, session.user).unlink(missing_ok=True)

    def of_venue(self, venue: str) -> Iterator[StoredSession]:
        """Yield the stored sessions of a venue by wallet."""
        place = self.path(venue, "").name.removesuffix(self._ending)
        for path in sorted(self._folder.glob(f"{place}*{self._ending}")):
            user = path.name.removeprefix(place).removesuffix(self._ending)
            # A name with a point is that of another role.
            stored = None if "." in user else self.load(venue, user)
            if stored is not None:
                yield stored


def session_folder(
    configured: str | None, env: Mapping[str, str], role: Role = Role.BOT
) -> SessionFolder:
    """Return the folder of the settings, or the one in the state folder of service or user."""
    if configured is not None:
        return SessionFolder(Path(configured).expanduser(), role)
    return SessionFolder(state_folder(env) / "sessions", role)


def state_folder(env: Mapping[str, str]) -> Path:
    """Return where a service, else a user's programs, keep what must outlast them."""
    service = env.get("STATE_DIRECTORY", "").partition(os.pathsep)[0]
    if service:
        return Path(service)
    state = env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mmbot"


def write_session(path: Path, session: StoredSession) -> None:
    """Write a session to a private file."""
    content = _SessionFile(
        SESSION,
        session.venue,
        session.user,
        str(session.session_id),
        _text(session.keypair),
        session.expiry_s,
        session.created_s,
    )
    write_private(path, msgspec.json.encode(content) + b"\n")


def write_request(path: Path, request: SessionRequest) -> None:
    """Write a signed request to a private file."""
    secret = _text(request.keypair)
    content = _RequestFile(
        REQUEST, request.user, secret, request.expiry_s, request.stamp_s, request.body
    )
    write_private(path, msgspec.json.encode(content) + b"\n")


def read_session(path: Path) -> StoredSession:
    """Read a session's file; SecretError when it is open to others or not sound."""
    found = read_carried(path)
    if isinstance(found, SessionRequest):
        raise SecretError(f"{path}: is a request that was never submitted")
    return found


def read_carried(path: Path) -> StoredSession | SessionRequest:
    """Read a session or a request from its file; SecretError as in `read_session`."""
    content = read_private(path)
    try:
        schema = msgspec.json.decode(content, type=_AnyFile).schema
        if schema == REQUEST:
            return _request(msgspec.json.decode(content, type=_RequestFile))
        if schema == SESSION:
            return _session(msgspec.json.decode(content, type=_SessionFile))
    except (msgspec.DecodeError, RecursionError, ValueError, SecretError):
        pass
    # Whatever was wrong with it, no part of a key file belongs into a message.
    raise SecretError(f"{path}: is not a sound session file of mmbot")


def _session(found: _SessionFile) -> StoredSession:
    _check_user(found.user)
    session_id = int(found.session_id) if found.session_id.isdecimal() else 0
    if not 0 < session_id < 2**64:
        raise ValueError("session id")
    return StoredSession(
        found.venue,
        found.user,
        session_id,
        Keypair.from_text(found.session_secret),
        EngineSeconds(found.expiry_s),
        EngineSeconds(found.created_s),
    )


def _request(found: _RequestFile) -> SessionRequest:
    _check_user(found.user)
    return SessionRequest(
        found.user,
        Keypair.from_text(found.session_secret),
        EngineSeconds(found.expiry_s),
        EngineSeconds(found.stamp_s),
        found.body,
    )


def _check_user(text: str) -> None:
    if len(base58.decode(text)) != _PUBKEY_BYTES:
        raise ValueError("user")


def _text(keypair: Keypair) -> str:
    return base58.encode(keypair.reveal())
