"""Which streams go over which connection, and the address that says so (protocol 4.1)."""

import re
from collections.abc import Iterable, Sequence

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


def plan(
    groups: Iterable[Sequence[str]], most: int = STREAMS_PER_CONNECTION
) -> list[tuple[str, ...]]:
    """Share streams out to as few connections as their order allows, at most `most` on each.

    The streams of a group, one market's as a rule, stay together. ValueError: a group that is too
    large, or a stream that is asked for twice.
    """
    connections: list[list[str]] = []
    seen: set[str] = set()
    for group in groups:
        if len(group) > most:
            raise ValueError(f"expected at most {most} streams together, found {len(group)}")
        for stream in group:
            if stream in seen:
                raise ValueError(f"the stream {stream} is asked for twice")
            seen.add(stream)
        if not connections or len(connections[-1]) + len(group) > most:
            connections.append([])
        connections[-1] += group
    return [tuple(streams) for streams in connections if streams]


def stream_url(origin: str, streams: Sequence[str]) -> str:
    """Return the address of a connection with these streams; `origin` as in ws://host:port."""
    if not streams:
        raise ValueError("expected at least one stream")
    for stream in streams:
        # A symbol comes from the venue; it must not be able to say anything but a name.
        if _STREAM.fullmatch(stream) is None:
            raise ValueError(f"{stream!r} is no name of a stream")
    return f"{origin}/ws/{'&'.join(streams)}"
