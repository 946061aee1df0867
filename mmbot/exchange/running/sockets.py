"""Fan-out: a message is framed once and written to everybody who subscribed to its stream.

Subscribers of the same set of streams form an audience; what an audience is owed is joined once
per turn of the loop. A reader who does not keep up is cut off, so memory stays bounded.
"""

import asyncio
from collections.abc import Iterator

from mmbot.exchange.running.framing import Opcode, close_frame, frame

MAX_UNSENT_BYTES = 4 * 1024 * 1024
MAX_PENDING_BYTES = 256 * 1024


class Subscriber:
    """One WebSocket connection: what it asked for and the transport it is written to.

    `deaf` is a connection that neither gets nor answers anything (half open); `bytes_per_s`
    above 0 slows it down.
    """

    __slots__ = ("_cut", "_queue", "_queued", "bytes_per_s", "deaf", "gone", "streams", "transport")

    def __init__(self, transport: asyncio.Transport, streams: tuple[str, ...]) -> None:
        self.transport = transport
        self.streams = streams
        self.deaf = False
        self.bytes_per_s = 0
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue: list[bytes] = []
        self._queued = 0
        self._cut: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        """Write frames; a connection that has too much unsent is cut off."""
        if self.deaf or self.gone.done():
            return
        if self.unsent + len(data) > MAX_UNSENT_BYTES:
            self.abort()
        elif self.bytes_per_s or self._queue:
            self._queue.append(data)
            self._queued += len(data)
            self._trickle()
        else:
            self.transport.write(data)

    @property
    def unsent(self) -> int:
        """Bytes waiting for this reader."""
        return self.transport.get_write_buffer_size() + self._queued

    def close(self, code: int) -> None:
        """Say goodbye and end the connection."""
        if not self.gone.done():
            self.transport.write(close_frame(code))
            self.end()

    def abort(self) -> None:
        """End the connection at once, without a word."""
        self.transport.abort()
        self.end()

    def end(self) -> None:
        """Note that the connection is over."""
        if self._cut is not None:
            self._cut.cancel()
        self._queue.clear()
        if not self.gone.done():
            self.gone.set_result(None)

    def _trickle(self) -> None:
        if self._cut is None and self._queue:
            data = self._queue.pop(0)
            self._queued -= len(data)
            self.transport.write(data)
            # A reader that is fast again has what waits for it at once.
            wait_s = len(data) / self.bytes_per_s if self.bytes_per_s else 0.0
            self._cut = asyncio.get_running_loop().call_later(wait_s, self._resume)

    def _resume(self) -> None:
        self._cut = None
        self._trickle()


class _Audience:
    __slots__ = ("members", "pending", "size", "streams")

    def __init__(self, streams: frozenset[str]) -> None:
        self.streams = streams
        self.members: dict[Subscriber, None] = {}
        self.pending: list[bytes] = []
        self.size = 0

    def flush(self) -> None:
        data = b"".join(self.pending)
        self.pending.clear()
        self.size = 0
        for member in list(self.members):
            member.send(data)


class Hub:
    """Who listens to what."""

    def __init__(self) -> None:
        self._audiences: dict[frozenset[str], _Audience] = {}
        self._topics: dict[str, list[_Audience]] = {}
        self._owed: dict[_Audience, None] = {}
        self._scheduled = False

    def __iter__(self) -> Iterator[Subscriber]:
        """Everybody who listens, in order of arrival within an audience."""
        for audience in list(self._audiences.values()):
            yield from list(audience.members)

    def __len__(self) -> int:
        """How many listen."""
        return sum(len(audience.members) for audience in self._audiences.values())

    def __contains__(self, stream: object) -> bool:
        """Tell whether anybody listens to a stream."""
        return stream in self._topics

    @property
    def busiest(self) -> int:
        """The most bytes anybody has unsent."""
        return max((each.unsent for each in self if not each.deaf), default=0)

    def join(self, subscriber: Subscriber) -> None:
        """Let a connection have its streams from now on."""
        self.flush()
        streams = frozenset(subscriber.streams)
        audience = self._audiences.get(streams)
        if audience is None:
            audience = self._audiences[streams] = _Audience(streams)
            for stream in streams:
                self._topics.setdefault(stream, []).append(audience)
        audience.members[subscriber] = None

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a connection."""
        streams = frozenset(subscriber.streams)
        audience = self._audiences.get(streams)
        if audience is None:
            return
        audience.members.pop(subscriber, None)
        if not audience.members:
            del self._audiences[streams]
            self._owed.pop(audience, None)
            for stream in streams:
                self._topics[stream].remove(audience)
                if not self._topics[stream]:
                    del self._topics[stream]

    def publish(self, stream: str, data: bytes) -> None:
        """Owe a message, already framed, to everybody who listens to its stream."""
        for audience in self._topics.get(stream, ()):
            audience.pending.append(data)
            audience.size += len(data)
            if audience.size > MAX_PENDING_BYTES:
                self._owed.pop(audience, None)
                audience.flush()
            else:
                self._owed[audience] = None
        if self._owed and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self.flush()

    def flush(self) -> None:
        """Write what is owed."""
        owed, self._owed = self._owed, {}
        for audience in owed:
            audience.flush()


def pong(subscriber: Subscriber, payload: bytes) -> None:
    """Answer a ping."""
    subscriber.send(frame(payload, Opcode.PONG))
