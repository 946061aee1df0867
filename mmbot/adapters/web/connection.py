"""One WebSocket connection kept alive for ever: connect, read, judge, close, wait, again.

It sends nothing, not even pings (protocol 4.4): life is judged by what arrives. What arrives is
handed on at once; a frame of an earlier connection can therefore never follow one of a later.
"""

import asyncio
import logging
import ssl
from collections import deque
from random import Random
from typing import Protocol, TypeAlias, cast

from msgspec import Struct
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from mmbot.adapters.web.backoff import BackoffParams, Retry
from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.adapters.web.direct_socket import DirectSocket
from mmbot.logs.levels import TRACE

_LOG = logging.getLogger("mmbot.ws")


class ConnectionParams(Struct, frozen=True, kw_only=True):
    """Limits of a connection; times in seconds.

    `malformed` frames within `malformed_s` end it (reliability P09). A frame above `most_bytes`
    ends it too. `silent_s`: without any frame for so long it is given up; None for never.
    """

    open_s: float = 10.0
    close_s: float = 1.0
    most_bytes: int = 1 << 20
    malformed: int = 3
    malformed_s: float = 10.0
    silent_s: float | None = None
    backoff: BackoffParams = BackoffParams()


class Listener(Protocol):
    """What a connection tells; every call returns at once and raises nothing but as said."""

    def opened(self, now_ns: int) -> None:
        """A new connection stands; nothing of an earlier one follows."""
        ...

    def frame(self, frame: bytes, now_ns: int) -> None:
        """A message has come. ValueError: it makes no sense."""
        ...

    def closed(self, reason: str, now_ns: int) -> None:
        """The connection is gone; what it kept current is no longer."""
        ...


class _Connect(connect):
    """The library's connect without redirects: a venue has one address (reliability H03)."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


# What a network does. Anything else is our mistake and ends the program.
_TROUBLE: TypeAlias = OSError | TimeoutError | InvalidHandshake | InvalidMessage | ConnectionClosed
_TROUBLES = (OSError, TimeoutError, InvalidHandshake, InvalidMessage, ConnectionClosed)


class Malformed:
    """Counts frames that make no sense; tells when there are too many in too short a time."""

    def __init__(self, most: int, within_s: float) -> None:
        self._within_ns = round(within_s * NS_PER_S)
        self._times: deque[int] = deque(maxlen=most)

    def add(self, now_ns: int) -> bool:
        """Note one; True when that is the last straw."""
        self._times.append(now_ns)
        full = len(self._times) == self._times.maxlen
        return full and now_ns - self._times[0] <= self._within_ns


class Connection:
    """Keeps one WebSocket open. `run` ends only by cancellation, and leaves no socket behind.

    `url` must have been checked by the caller. `generation` counts the connections that stood,
    `frames` what came over all of them.
    """

    def __init__(
        self, url: str, listener: Listener, params: ConnectionParams, clock: Clock, rng: Random
    ) -> None:
        self.url = url
        self.generation = 0
        self.frames = 0
        self.reason = "not connected yet"
        self._listener = listener
        self._params = params
        self._clock = clock
        self._retry = Retry(params.backoff, clock, rng)
        self._socket: DirectSocket | None = None
        self._malformed = Malformed(params.malformed, params.malformed_s)
        # Why the connection that stands is at its end; nothing is handed on after that.
        self._over: asyncio.Future[str] | None = None
        self._heard_s = 0.0

    @property
    def connected(self) -> bool:
        """Whether a connection stands."""
        return self._socket is not None

    async def run(self) -> None:
        """Keep connecting; delays grow while it fails, attempts never stop."""
        while True:
            self._retry.begin()
            opened_ns = None
            try:
                async with self._connect() as socket:
                    opened_ns = self._clock()
                    reason = await self._attend(cast(DirectSocket, socket), opened_ns)
            except _TROUBLES as error:
                reason = trouble(error)
            self.reason = reason
            _LOG.debug("%s: %s", self.url, reason)
            held_s = 0.0 if opened_ns is None else (self._clock() - opened_ns) / NS_PER_S
            await self._retry.pause(held_s)

    def hurry(self) -> None:
        """There is a reason to hope that connecting works again: try now, if not too often."""
        self._retry.hurry()

    def give_up(self, reason: str) -> None:
        """End the connection that stands, if one does; the next is made as after any loss."""
        if self._socket is not None and self._end(reason):
            # Aborting is at once and needs nothing of the peer, who may be dead.
            self._socket.transport.abort()

    def _connect(self) -> _Connect:
        params = self._params
        return _Connect(
            self.url,
            create_connection=DirectSocket,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=params.open_s,
            close_timeout=params.close_s,
            max_size=params.most_bytes,
            user_agent_header="mmbot",
        )

    async def _attend(self, socket: DirectSocket, opened_ns: int) -> str:
        self.generation += 1
        self._socket = socket
        self._over = over = asyncio.get_running_loop().create_future()
        self._malformed = Malformed(self._params.malformed, self._params.malformed_s)
        self.reason = ""
        reason = "cancelled"
        try:
            _LOG.debug("%s: connected", self.url)
            self._listener.opened(opened_ns)
            self._heard_s = asyncio.get_running_loop().time()
            socket.tell(self._message, self._lost)
            reason = await self._until(over)
        finally:
            self._socket = self._over = None
            self._listener.closed(reason, self._clock())
        return reason

    async def _until(self, over: asyncio.Future[str]) -> str:
        silent_s = self._params.silent_s
        if silent_s is None:
            return await over
        loop = asyncio.get_running_loop()
        while not over.done():
            left_s = self._heard_s + silent_s - loop.time()
            if left_s <= 0:
                self._end(f"nothing came for {silent_s:g} s")
            else:
                await asyncio.wait((over,), timeout=left_s)
        return over.result()

    def _end(self, reason: str) -> bool:
        if self._over is None or self._over.done():
            return False
        self._over.set_result(reason)
        return True

    def _lost(self, closed: ConnectionClosed) -> None:
        self._end(trouble(closed))

    def _message(self, frame: bytes) -> None:
        over = self._over
        if over is None or over.done():
            return
        self.frames += 1
        self._heard_s = asyncio.get_running_loop().time()
        now_ns = self._clock()
        if _LOG.isEnabledFor(TRACE):
            _LOG.log(TRACE, "%s %s", self.url, frame.decode(errors="backslashreplace"))
        try:
            self._listener.frame(frame, now_ns)
        except ValueError as error:
            if self._malformed.add(now_ns):
                self._end(f"malformed frames, the last: {error}")
        except Exception as error:  # noqa: BLE001 - our mistake: it ends the program in `run`
            if not over.done():
                over.set_exception(error)


def trouble(error: _TROUBLE) -> str:
    """Say in a few words what went wrong; never what the peer wrote."""
    if isinstance(error, ConnectionClosed):
        received = error.rcvd
        sent = error.sent
        if received is not None and (sent is None or error.rcvd_then_sent):
            return f"closed by the venue with code {received.code}"
        return f"closed with code {sent.code}" if sent is not None else "connection lost"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return f"cannot connect: {error.strerror or type(error).__name__}"
    return f"handshake refused: {type(error).__name__}"
