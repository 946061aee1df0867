"""What a whole HTTP reply of `POST /action` means: the gateway's word first, then the engine's."""

import msgspec

from mmbot.adapters.zo.rest import shapes
from mmbot.adapters.zo.rest.transport import Reply
from mmbot.adapters.zo.wire.actions import SessionAction, WalletAction
from mmbot.adapters.zo.wire.outcomes import Outcome, Rejected, Unknown, read_outcome
from mmbot.adapters.zo.wire.refusals import Group, Refusal

TOO_LARGE = Refusal(413, "HTTP_BODY_TOO_LARGE", Group.G10)
WRONG_TYPE = Refusal(415, "HTTP_WRONG_CONTENT_TYPE", Group.G10)
BAD_REQUEST = Refusal(400, "HTTP_BAD_REQUEST", Group.G10)


def judge(reply: Reply, action: SessionAction | WalletAction, account_id: int) -> Outcome:
    """Return what a reply says about the action that `account_id` sent.

    A 4xx is believed only with the body that the protocol documents for it (protocol 3.1, 5.10).
    """
    if reply.status == 200:
        if reply.content_type == "text/html":
            return Unknown("the answer is a web page")
        return read_outcome(reply.body, action, account_id)
    if reply.status == 413 and _fits(reply.body, shapes.TooManyShape):
        return Rejected(TOO_LARGE)
    if reply.status == 415 and _fits(reply.body, shapes.ExpectedShape):
        return Rejected(WRONG_TYPE)
    if reply.status == 400 and reply.body.strip() == b"null":
        return Rejected(BAD_REQUEST)
    return Unknown(f"HTTP {reply.status}", retry_after_s=retry_after_s(reply.retry_after))


def retry_after_s(text: str) -> float | None:
    """Return the seconds of a Retry-After header, None when it has no plain number."""
    plain = text.isascii() and text.isdecimal() and len(text) < 10
    return float(text) if plain else None


def _fits(body: bytes, shape: type) -> bool:
    try:
        msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
