"""The language of the control socket: one JSON object a line, each with its version.

A request is answered by one reply, `follow` by replies until the caller hangs up.
"""

from enum import StrEnum

import msgspec
from msgspec import Struct

from mmbot.domain.control import Answer, Verb
from mmbot.domain.events import Fill
from mmbot.domain.explained import Explanation
from mmbot.domain.notices import Notice
from mmbot.domain.status import StatusView
from mmbot.errors import UsageError

VERSION = 1
MOST_BYTES = 64 * 1024


class Ask(StrEnum):
    """What a request wants."""

    STATUS = "status"
    EXPLAIN = "explain"
    SUBMIT = "submit"
    FOLLOW = "follow"


class Wish(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A command without the one who gives it: that the socket itself says."""

    verb: Verb
    issued_ns: int
    reason: str = ""
    market: str | None = None
    key: str | None = None
    value: str | None = None
    for_s: float | None = None
    dry_run: bool = False


class Request(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A request; `market` is of EXPLAIN, `wish` of SUBMIT."""

    v: int
    ask: Ask
    market: str | None = None
    wish: Wish | None = None


class Reply(Struct, frozen=True, omit_defaults=True):
    """A reply: the one field that was asked for, or `error`."""

    v: int = VERSION
    error: str | None = None
    status: StatusView | None = None
    explained: tuple[Explanation, ...] | None = None
    answer: Answer | None = None
    notice: Notice | None = None
    fill: Fill | None = None
    dropped: int = 0


def encode(message: Request | Reply) -> bytes:
    """Return a message as its line."""
    return msgspec.json.encode(message) + b"\n"


def read_request(line: bytes) -> Request:
    """Return the request of a line; UsageError when it is none."""
    try:
        # Whoever speaks another version is told that before anything else.
        version = msgspec.json.decode(line, type=_Versioned).v
        if version != VERSION:
            raise UsageError(f"version {version} is not spoken here, only {VERSION}")
        return msgspec.json.decode(line, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a request: {error}") from None


def read_reply(line: bytes) -> Reply:
    """Return the reply of a line; UsageError when it is none that this program knows."""
    try:
        return msgspec.json.decode(line, type=Reply)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"the bot's reply is not understood, it may be of another version: {error}"
        ) from None


class _Versioned(Struct, frozen=True):
    v: int
