"""What a WebSocket's path asks for (protocol 4.1): streams, or a reason to refuse it."""

import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import unquote

MAX_STREAMS = 12
RESOLUTIONS = frozenset(("1", "5", "15", "30", "60", "240", "4H", "1D", "1W", "1M"))
_ACCOUNT = re.compile(r"\d{1,10}")
_MAX_ACCOUNT = 2**32
_KNOWN = "trades@SYMBOL, deltas@SYMBOL, account@ID, candle@SYMBOL:RESOLUTION"


class Refused(NamedTuple):
    """Why a handshake is refused, and with which status."""

    status: int
    reason: str


def asked(path: str, symbols: Collection[str]) -> tuple[str, ...] | Refused:
    """Read `{stream}&{stream}...`, the path behind `/ws/`."""
    names = unquote(path).split("&")
    if len(names) > MAX_STREAMS:
        return Refused(400, f"{len(names)} streams; at most {MAX_STREAMS} a connection")
    for name in names:
        refused = _refused(name, symbols)
        if refused is not None:
            return refused
    return tuple(dict.fromkeys(names))


def _refused(name: str, symbols: Collection[str]) -> Refused | None:
    kind, _, rest = name.partition("@")
    if kind == "account":
        good = _ACCOUNT.fullmatch(rest) is not None and int(rest) < _MAX_ACCOUNT
        return None if good else Refused(400, f"account@ takes a number, not {rest[:32]!r}")
    symbol, _, resolution = rest.partition(":")
    if kind not in ("trades", "deltas", "candle") or (resolution and kind != "candle"):
        return Refused(400, f"unknown stream {name[:64]!r}; known: {_KNOWN}")
    if symbol not in symbols:
        return Refused(404, f"unknown market {symbol[:32]!r}; known: {', '.join(symbols)}")
    if kind == "candle" and resolution not in RESOLUTIONS:
        known = ", ".join(sorted(RESOLUTIONS))
        return Refused(400, f"unknown resolution {resolution[:16]!r}; known: {known}")
    return None
