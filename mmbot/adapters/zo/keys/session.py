"""Trading sessions at the venue: create, find, judge, revoke (protocol 5.4).

A wallet's signature is sent until its fate is known: the same bytes again, never new ones.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from mmbot.adapters.zo.engine_time import WINDOW_S, EngineClock, EngineSeconds
from mmbot.adapters.zo.keys.session_files import SessionRequest, StoredSession
from mmbot.adapters.zo.rest.answers import User, VenueSession
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.actions import CreateSession, Framing, RevokeSession, WalletAction
from mmbot.adapters.zo.wire.outcomes import Accepted, Outcome, Rejected, SessionCreated
from mmbot.adapters.zo.wire.refusals import Group, Refusal
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.errors import OutcomeUnknown, SecretError, SessionExpired, Unavailable, VenueError

READINGS_COUNT = 3
# Before each further attempt: within what is left of the 60 s, patient with a venue that restarts.
_PAUSES_S = (0.0, 0.3, 0.8, 1.5, 3.0)

Found = TypeVar("Found")


class Wallet(Protocol):
    """What signs for a wallet: its key, or a device; `framing` is what it signs of a session."""

    @property
    def framing(self) -> Framing | None:
        """None is the venue's usual one."""
        ...

    @property
    def pubkey(self) -> bytes:
        """The wallet."""
        ...

    def sign(self, action: WalletAction, timestamp_s: int, nonce: int, now_s: int) -> bytes:
        """Return the body of the POST; see WalletSigner."""
        ...


async def read_engine_time(http: ZoHttp, clock: EngineClock) -> EngineSeconds:
    """Read the engine's time a few times; returns a second that it has shown."""
    for _ in range(READINGS_COUNT):
        sample = await http.timestamp()
        clock.observe(sample.engine_s, sample.sent_ns, sample.received_ns)
    return clock.stamp(WINDOW_S, time.monotonic_ns())


def session_request(wallet: Wallet, stamp_s: EngineSeconds, ttl_s: int) -> SessionRequest:
    """Make a session key and have the wallet sign for it; ActionError unless 0 < ttl <= 31 days."""
    keypair = Keypair.generate()
    expiry_s = EngineSeconds(stamp_s + ttl_s)
    action = CreateSession(wallet.pubkey, keypair.public, expiry_s, wallet.framing)
    body = wallet.sign(action, stamp_s, secrets.randbits(32), stamp_s)
    return SessionRequest(base58.encode(wallet.pubkey), keypair, expiry_s, stamp_s, body)


async def submit(http: ZoHttp, venue: str, request: SessionRequest) -> StoredSession:
    """Send a signed request; returns the session.

    Raises SecretError when the venue refuses the wallet or the key, OutcomeUnknown when nobody can
    say whether the session exists, a VenueError otherwise.
    """
    pubkey = base58.decode(request.user)
    action = CreateSession(pubkey, request.keypair.public, request.expiry_s)

    async def found() -> int | None:
        return _id_of(await http.user(pubkey), request.keypair.address)

    session_id = await _settled(http, (request.body, action), _created_id, found)
    return StoredSession(
        venue, request.user, session_id, request.keypair, request.expiry_s, request.stamp_s
    )


async def revoke(http: ZoHttp, wallet: Wallet, stamp_s: EngineSeconds, session_id: int) -> bool:
    """End a session; returns whether there was one to end. Raises as `submit` does."""
    action = RevokeSession(session_id)
    body = wallet.sign(action, stamp_s, secrets.randbits(32), stamp_s)

    async def gone() -> bool | None:
        user = await http.user(wallet.pubkey)
        listed = user is not None and any(each.session_id == session_id for each in user.sessions)
        return None if listed else True

    return await _settled(http, (body, action), _revoked, gone)


async def known_user(http: ZoHttp, pubkey: bytes) -> User:
    """Return what the venue knows of a wallet; SecretError when that is nothing."""
    user = await http.user(pubkey)
    if user is None:
        raise SecretError(
            f"the venue does not know the wallet {base58.encode(pubkey)}: it has no account before "
            "its first deposit"
        )
    return user


def listed_session(stored: StoredSession, user: User | None) -> VenueSession | None:
    """Return the venue's entry of a session, None when it has none or shows another key there."""
    for each in user.sessions if user is not None else ():
        if each.session_id == stored.session_id:
            return each if each.pubkey in (None, stored.keypair.address) else None
    return None


def check_usable(
    stored: StoredSession, user: User | None, now_s: EngineSeconds, refresh_before_s: float
) -> None:
    """Raise SessionExpired when a stored session is not worth using any more, saying why."""
    left_s = stored.expiry_s - now_s
    if left_s <= 0:
        raise SessionExpired(f"session {stored.session_id} has expired")
    if left_s <= refresh_before_s:
        raise SessionExpired(f"session {stored.session_id} ends in {left_s / 3600:.1f} h")
    if listed_session(stored, user) is None:
        raise SessionExpired(f"the venue does not know session {stored.session_id} any more")


async def _settled(
    http: ZoHttp,
    signed: tuple[bytes, WalletAction],
    read: Callable[[Outcome], Found | None],
    look_up: Callable[[], Awaitable[Found | None]],
) -> Found:
    """Send, and when the answer settles nothing look the effect up and send the same again."""
    reason = ""
    for pause_s in _PAUSES_S:
        await asyncio.sleep(pause_s)
        try:
            outcome = await http.act(*signed, 0)
        except Unavailable as error:
            if not reason:
                raise
            outcome = None
            reason = str(error)
        if outcome is not None:
            result = read(outcome)
            if result is not None:
                return result
            reason = getattr(outcome, "reason", "") or "an earlier copy was taken"
        result = await _looked_up(look_up)
        if result is not None:
            return result
    raise OutcomeUnknown(f"nobody can say whether it took effect ({reason}); see `session list`")


async def _looked_up(look_up: Callable[[], Awaitable[Found | None]]) -> Found | None:
    try:
        return await look_up()
    except VenueError:
        # The next attempt looks again.
        return None


def _created_id(outcome: Outcome) -> int | None:
    """Return the id when accepted, None when unsettled; raise when refused."""
    if isinstance(outcome, Rejected) and outcome.refusal.group is not Group.G2:
        raise _refused(outcome.refusal)
    if isinstance(outcome, Accepted) and isinstance(outcome.results[0], SessionCreated):
        return outcome.results[0].session_id
    return None


def _revoked(outcome: Outcome) -> bool | None:
    if isinstance(outcome, Rejected) and outcome.refusal.group is not Group.G2:
        if outcome.refusal.name == "SESSION_NOT_FOUND":
            return False
        raise _refused(outcome.refusal)
    return True if isinstance(outcome, Accepted) else None


def _refused(found: Refusal) -> VenueError | SecretError:
    text = f"the venue refused the wallet's request: {found.name} ({found.number})"
    if found.name == "USER_NOT_FOUND":
        return SecretError(f"{text}; a wallet has no account before its first deposit")
    return SecretError(text) if found.group is Group.G3 else VenueError(text)


def _id_of(user: User | None, address: str) -> int | None:
    for each in user.sessions if user is not None else ():
        if each.pubkey == address:
            return each.session_id
    return None
