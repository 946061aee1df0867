"""Admission: who may act, in this order of checks, before anything is done.

1. Size and framing (166, 33, 34, 219), the message (32, 34, 35; 501 for kinds not for traders).
2. MAINTENANCE. 3. The timestamp within the window of engine time (177, 178). 4. Identical bytes
taken within the duplicate window (0). 5. The session: known, not expired (7). 6. The signature:
the wallet's over hex text or Solana framing for sessions (217, 218), the session key's over the
raw bytes for everything else (3). Session, owner and account questions of the action follow.
"""

from hashlib import blake2b
from typing import NamedTuple

from google.protobuf.unknown_fields import UnknownFieldSet

from mmbot.adapters.zo.wire import codec, signing
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.errors import WireError
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import Session, User

PUBKEY_BYTES = 32
# Replays are remembered for a minute of engine time, and never more of them than this.
MOST_SEEN = 1_000_000


class Admitted(NamedTuple):
    """An action whose sender is known; `session` is None for what a wallet signs."""

    kind: str
    action: pb.Action
    generation: codec.Generation
    user: User | None
    session: Session | None
    raw: bytes
    digest: bytes


def admit(venue: Venue, body: bytes) -> Admitted:
    """Check a body as far as its signature; RefusalError names the first thing wrong."""
    raw, signature, request = _read(body)
    action = request.action
    kind = str(action.WhichOneof("kind"))
    refuse_unless(not venue.rules.maintenance, pb.MAINTENANCE)
    _check_time(venue, action.current_timestamp)
    digest = blake2b(body, digest_size=16).digest()
    _check_seen(venue, digest)
    who = _sender(venue, action, kind)
    _check_signature(action, who, raw, signature)
    return Admitted(kind, action, request.generation, *who, raw, digest)


def _read(body: bytes) -> tuple[bytes, bytes, codec.Request]:
    try:
        raw, signature = codec.split_body(body)
        return raw, signature, codec.parse_action(raw)
    except WireError as wrong:
        number = wrong.number
    if number == pb.DECODE_FAILURE_DOMAIN and _is_administration(raw):
        number = pb.ACTION_NOT_ALLOWED
    raise RefusalError(number)


def _is_administration(raw: bytes) -> bool:
    # Kinds of the protocol that this schema leaves out (5.5) are unknown fields of the action.
    payload = raw[len(raw) - _payload_bytes(raw) :]
    fields = UnknownFieldSet(pb.Action.FromString(payload))
    return any(fields[at].field_number > 2 for at in range(len(fields)))


def _payload_bytes(raw: bytes) -> int:
    # The length prefix of bytes that the codec has taken apart before.
    prefix = next(at for at, byte in enumerate(raw, 1) if byte < 0x80)
    return len(raw) - prefix


def _check_time(venue: Venue, timestamp_s: int) -> None:
    age, rules = venue.state.now_s - timestamp_s, venue.rules
    refuse_unless(abs(age) <= rules.ts_window_s, pb.TIMESTAMP_OUT_OF_THRESHOLD)
    if rules.stale_window_s is not None:
        refuse_unless(age <= rules.stale_window_s, pb.TIMESTAMP_STALE)


def _check_seen(venue: Venue, digest: bytes) -> None:
    seen_s = venue.state.seen.get(digest)
    fresh = seen_s is None or venue.state.now_s - seen_s > venue.rules.dup_window_s
    refuse_unless(fresh, pb.DUPLICATE)


def remember(venue: Venue, digest: bytes) -> None:
    """Refuse these bytes as DUPLICATE from now on."""
    seen = venue.state.seen
    seen.pop(digest, None)
    seen[digest] = venue.state.now_s
    if len(seen) > MOST_SEEN:
        del seen[next(iter(seen))]


def forget_seen(venue: Venue) -> None:
    """Drop what is too old to matter."""
    state, window = venue.state, venue.rules.dup_window_s
    old = []
    for digest, seen_s in state.seen.items():
        if state.now_s - seen_s <= window:
            break
        old.append(digest)
    for digest in old:
        del state.seen[digest]


def _sender(venue: Venue, action: pb.Action, kind: str) -> tuple[User | None, Session | None]:
    if kind == "create_session":
        return venue.state.users.get(action.create_session.user_pubkey), None
    session_id = getattr(action, kind).session_id
    owner = venue.state.session_owners.get(session_id)
    if owner is None:
        raise RefusalError(pb.SESSION_NOT_FOUND)
    user = venue.state.users[owner]
    session = user.sessions[session_id]
    refuse_unless(session.expiry_s > venue.state.now_s, pb.SESSION_NOT_FOUND)
    return user, session


def _check_signature(
    action: pb.Action, who: tuple[User | None, Session | None], raw: bytes, signature: bytes
) -> None:
    user, session = who
    scheme = signing.scheme_of(action)
    if scheme is signing.Scheme.RAW:
        good = session is not None and signing.verify(scheme, session.pubkey, raw, signature)
        refuse_unless(good, pb.INVALID_SIGNATURE)
        return
    wallet = user.pubkey if session and user else action.create_session.user_pubkey
    sized = len(wallet) == PUBKEY_BYTES
    refuse_unless(sized, pb.SIGNATURE_VERIFICATION_MALFORMED_PUBLIC_KEY)
    good = signing.verify(scheme, wallet, raw, signature)
    refuse_unless(good, pb.SIGNATURE_VERIFICATION)
