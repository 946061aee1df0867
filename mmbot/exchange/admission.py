"""Admission: who may act, in this order of checks, before anything is done.

1. Size and framing (166, 33, 34, 219), the message (32, 34, 35; kinds that are not for traders are 501).
2. MAINTENANCE. 3. The timestamp within the window of engine time (177, 178). 4. Identical bytes
taken within the duplicate window (0). 5. The session: known, not expired (7). 6. The signature:
the wallet's over hex text or Solana framing for sessions (217, 218), the session key's over the
raw bytes for everything else (3). Session, owner and account questions of the action follow.
"""

from hashlib import blake2b
from typing import NamedTuple

from mmbot.adapters.zo import codec, signing
from mmbot.adapters.zo.proto import nord_pb2 as pb
from mmbot.errors import WireError
from mmbot.exchange.model import Session, User
from mmbot.exchange.refusals import RefusalError, refuse_unless
from mmbot.exchange.venue import Venue

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
    try:
        raw, signature = codec.split_body(body)
        request = codec.parse_action(raw)
    except WireError as wrong:
        raise RefusalError(wrong.number) from None
    action = request.action
    kind = str(action.WhichOneof("kind"))
    refuse_unless(not venue.rules.maintenance, pb.MAINTENANCE)
    _check_time(venue, action.current_timestamp)
    digest = blake2b(body, digest_size=16).digest()
    _check_seen(venue, digest)
    user, session = _sender(venue, action, kind)
    _check_signature(action, kind, user, session, raw, signature)
    return Admitted(kind, action, request.generation, user, session, raw, digest)
