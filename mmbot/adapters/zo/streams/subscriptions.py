"""The names of the streams, and what goes over which connection (protocol 4.1)."""

import re
from collections.abc import Sequence

STREAMS_PER_CONNECTION = 12
_STREAM = re.compile(r"[a-z]+@[A-Za-z0-9._-]+(:[A-Za-z0-9]+)?")


def deltas(symbol: str) -> str:
    """Name the stream of a market's order book changes."""
    return f"deltas@{symbol}"


def trades(symbol: str) -> str:
    """Name the stream of a market's trades."""
    return f"trades@{symbol}"


def account(account_id: int) -> str:
    """Name the stream of an account. ValueError for an id below 1, which the venue may not know."""
    if account_id < 1:
        raise ValueError(f"expected an account id of 1 or more, found {account_id}")
    return f"account@{account_id}"


def shared_out(count: int, streams_each: int) -> list[range]:
    """Share `count` markets out to connections: which of them go over each (protocol 4.1).

    ValueError: one market has more streams than a connection may carry.
    """
    room = STREAMS_PER_CONNECTION // streams_each
    if room < 1:
        raise ValueError(f"expected at most {STREAMS_PER_CONNECTION} streams, found {streams_each}")
    return [range(start, min(start + room, count)) for start in range(0, count, room)]


def stream_url(origin: str, streams: Sequence[str]) -> str:
    """Return the address of a connection with these streams; `origin` as in ws://host:port.

    ValueError: none, too many, one twice, or one that is no name of a stream.
    """
    if not 1 <= len(streams) <= STREAMS_PER_CONNECTION:
        raise ValueError(f"expected 1 to {STREAMS_PER_CONNECTION} streams, found {len(streams)}")
    if len(set(streams)) < len(streams):
        raise ValueError("a stream is asked for twice")
    for stream in streams:
        # A symbol comes from the venue; it must not be able to say anything but a name.
        if _STREAM.fullmatch(stream) is None:
            raise ValueError(f"{stream!r} is no name of a stream")
    return f"{origin}/ws/{'&'.join(streams)}"
