"""Warm connections for `POST /action`: bytes are written the moment they are handed over.

One connection more than asked for is kept for urgent posts, which are cancels: they find a way out
when every other is busy or descriptors have run out (reliability M02). Same rules as
`rest.transport`: caps, deadlines, no redirects, no retries, and whether a request may have arrived.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple, cast

import h11
from msgspec import Struct

from mmbot.adapters.zo.origin import Origin, is_loopback
from mmbot.adapters.zo.rest.transport import (
    ACTION_TIMEOUT_S,
    MAX_HEADERS_COUNT,
    MAX_RECEIPT_BYTES,
    Reply,
    tls_context,
)
from mmbot.adapters.zo.wire.outcomes import NotSent

_MOST_HEAD_BYTES = 32_768
_SLOWEST_S = 8.0
# Timers may come a little early.
_EARLY_S = 0.002


class Lost(NamedTuple):
    """There is no acceptable answer; the request may have arrived."""

    reason: str


Answer = Reply | NotSent | Lost
Done = Callable[[Answer], None]


class LineParams(Struct, frozen=True, kw_only=True):
    """`connections` are kept warm, up to `most` opened in a rush; times in seconds.

    What has found no connection after `wait_s` is not sent: it was meant for then, not for later.
    One that was idle for `idle_s` is replaced before the venue's own patience ends.
    """

    connections: int = 6
    most: int = 24
    wait_s: float = 0.15
    connect_s: float = 3.0
    answer_s: float = ACTION_TIMEOUT_S
    idle_s: float = 30.0
    retry_s: float = 0.5


class _Waits(NamedTuple):
    """A request that no connection has taken yet."""

    request: bytes
    done: Done
    until: float


class _Refused(Exception):  # noqa: N818 - not an error of the program
    """The answer has a form that is refused."""


class _Wire(asyncio.Protocol):
    """One connection: at most one request at a time; the answer is read by h11."""

    def __init__(self, line: "ActionLine", urgent: bool) -> None:
        self.urgent = urgent
        self.idle_since = 0.0
        self._line = line
        self._transport: asyncio.Transport | None = None
        self._done: Done | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD_BYTES)
        self._head: h11.Response | None = None
        self._body = bytearray()

    @property
    def ready(self) -> bool:
        """Whether a request can be written now."""
        return self._done is None and self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, done: Done, answer_s: float) -> None:
        """Write a whole request; `done` is called once."""
        assert self._transport is not None  # noqa: S101 - `ready` was asked
        self._transport.write(request)
        self._line.sent += 1
        self._done = done
        self._timer = asyncio.get_running_loop().call_later(answer_s, self._late)

    def data_received(self, data: bytes) -> None:
        if self._done is None:
            self.end("bytes that nobody asked for")
            return
        self._read(data)

    def eof_received(self) -> bool:
        if self._done is not None:
            self._read(b"")
        self.end("the venue closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"the connection broke ({type(exc).__name__})" if exc else "connection closed")

    def end(self, reason: str) -> None:
        """Give the connection up, and what was asked on it."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
            self._line.gone(self)
        self._finish(Lost(reason))

    def _late(self) -> None:
        self._timer = None
        self.end("no answer in time")

    def _finish(self, answer: Answer) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        done, self._done = self._done, None
        if done is not None:
            done(answer)

    def _read(self, data: bytes) -> None:
        http = self._http
        try:
            if http.our_state is h11.IDLE:
                # The bytes left long ago; the parser only has to know what kind of request it was.
                http.send(_ASKED)
                http.send(h11.EndOfMessage())
            http.receive_data(data)
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return
                if isinstance(event, h11.Response):
                    _check_form(event)
                    self._head = event
                elif isinstance(event, h11.Data):
                    self._take(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    self._complete()
                    return
                elif isinstance(event, h11.ConnectionClosed):
                    self.end("the venue closed the connection")
                    return
        except _Refused as refused:
            self.end(str(refused))
        except h11.ProtocolError:
            self.end("no HTTP")

    def _take(self, more: bytes | bytearray) -> None:
        self._body += more
        if len(self._body) > MAX_RECEIPT_BYTES:
            raise _Refused(f"an answer of more than {MAX_RECEIPT_BYTES} bytes")

    def _complete(self) -> None:
        head, body = self._head, bytes(self._body)
        assert head is not None  # noqa: S101 - the parser saw it first
        self._head = None
        self._body.clear()
        fields = {name.lower(): value for name, value in head.headers}
        kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        retry = fields.get(b"retry-after", b"")
        reply = Reply(head.status_code, kind.decode("latin-1"), retry.decode("latin-1"), body)
        again = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if again and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
            self.idle_since = asyncio.get_running_loop().time()
            self._finish(reply)
            self._line.free(self)
            return
        self._finish(reply)
        self.end("the venue wants no more on this connection")


class ActionLine:
    """Connections to one allowed place. `run` keeps them warm and ends only by cancellation.

    `sent` counts requests, `opened` the connections that were made, `broken` those that ended.
    """

    def __init__(self, origin: Origin, params: LineParams) -> None:
        self.sent = 0
        self.opened = 0
        self.broken = 0
        self._origin = origin
        self._params = params
        self._tls = tls_context() if origin.scheme == "https" else None
        self._wires: list[_Wire] = []
        # What is urgent, and what is not.
        self._waiting: tuple[deque[_Waits], deque[_Waits]] = (deque(), deque())
        self._opening: list[asyncio.Task[None]] = []
        self._known: str | None = None
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        self._prefix = (
            f"POST /action HTTP/1.1\r\nHost: {host}:{origin.port}\r\nUser-Agent: mmbot\r\n"
            "Accept-Encoding: identity\r\nContent-Type: application/octet-stream\r\n"
            "Content-Length: "
        ).encode()

    @property
    def warm(self) -> bool:
        """Whether a connection stands."""
        return bool(self._wires)

    def post(self, body: bytes, done: Done, *, urgent: bool = False) -> None:
        """Send an action once: now when a connection is free, else when one is or comes about.

        `done` is called once, never before this returns.
        """
        request = b"%b%d\r\n\r\n%b" % (self._prefix, len(body), body)
        wire = self._free_wire(urgent)
        if wire is not None:
            wire.send(request, done, self._params.answer_s)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + self._params.wait_s
        self._waiting[0 if urgent else 1].append(_Waits(request, done, until))
        loop.call_at(until, self._refuse_late)
        if len(self._wires) + len(self._opening) < self._params.most:
            self._open(urgent=False)

    async def run(self) -> None:
        """Keep the connections that were asked for, and the one for urgent posts."""
        pause_s = self._params.retry_s
        try:
            while True:
                self._warm_up()
                await asyncio.sleep(pause_s)
                # A place that takes no connection is asked ever more rarely.
                pause_s = self._params.retry_s if self._wires else min(2 * pause_s, _SLOWEST_S)
                self._replace_idle()
        finally:
            self.close()

    def close(self) -> None:
        """End all connections; what waits for an answer is told that it is lost."""
        for task in list(self._opening):
            task.cancel()
        for wire in list(self._wires):
            wire.end("closed")
        self._refuse_waiting("closed")

    def gone(self, wire: _Wire) -> None:
        """A connection has ended; one that ended as it was made was never taken into use."""
        if wire in self._wires:
            self._wires.remove(wire)
            self.broken += 1

    def free(self, wire: _Wire) -> None:
        """A connection can take a request: the oldest that waits, urgent ones first."""
        for waiting in self._waiting:
            if waiting and wire.ready and not wire.urgent:
                request, done, _ = waiting.popleft()
                wire.send(request, done, self._params.answer_s)

    def _free_wire(self, urgent: bool) -> _Wire | None:
        for wire in self._wires:
            if wire.ready and not wire.urgent:
                return wire
        if urgent:
            return next((wire for wire in self._wires if wire.ready), None)
        return None

    def _warm_up(self) -> None:
        if self._opening:
            return
        plain = sum(not wire.urgent for wire in self._wires)
        for _ in range(self._params.connections - plain):
            self._open(urgent=False)
        if plain == len(self._wires):
            self._open(urgent=True)

    def _replace_idle(self) -> None:
        # One at a time, so that some are always warm.
        now = asyncio.get_running_loop().time()
        for wire in self._wires:
            if wire.ready and now - wire.idle_since > self._params.idle_s:
                wire.end("idle for long")
                return

    def _open(self, *, urgent: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(urgent))
        self._opening.append(task)
        task.add_done_callback(self._opening.remove)

    async def _connect(self, urgent: bool) -> None:
        try:
            async with asyncio.timeout(self._params.connect_s):
                address = await self._address()
                _, wire = await asyncio.get_running_loop().create_connection(
                    lambda: _Wire(self, urgent),
                    address,
                    self._origin.port,
                    ssl=self._tls,
                    server_hostname=self._origin.host if self._tls is not None else None,
                )
        except (OSError, TimeoutError) as error:
            if len(self._opening) <= 1 and not self._wires:
                self._refuse_waiting(_reason(error))
            return
        wire.idle_since = asyncio.get_running_loop().time()
        if wire.ready:
            self.opened += 1
            self._wires.append(wire)
            self.free(wire)

    async def _address(self) -> str:
        # A name leads to this machine or away from it, as meant, whatever the name server says.
        host, port = self._origin.host, self._origin.port
        try:
            return str(ip_address(host))
        except ValueError:
            pass
        local = is_loopback(host)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            if self._known is None:
                raise
            # Orders may rest there: where it was is better than nowhere, TLS proves who it is.
            return self._known
        for _, _, _, _, place in found:
            address = ip_address(str(place[0]))
            if address.is_loopback if local else address.is_global:
                self._known = str(address)
                return self._known
        raise OSError("the name leads to an address of the wrong kind")

    def _refuse_waiting(self, reason: str) -> None:
        for waiting in self._waiting:
            while waiting:
                waiting.popleft().done(NotSent(reason))

    def _refuse_late(self) -> None:
        # The oldest comes first. One that is refused may ask for something at once.
        now = asyncio.get_running_loop().time()
        for waiting in self._waiting:
            while waiting and waiting[0].until <= now + _EARLY_S:
                waiting.popleft().done(NotSent("no connection was free"))


_ASKED = h11.Request(
    method="POST", target="/action", headers=[("Host", "x"), ("Content-Length", "0")]
)


def _check_form(head: h11.Response) -> None:
    if 300 <= head.status_code < 400:
        raise _Refused("a redirect, which is never followed")
    if len(head.headers) > MAX_HEADERS_COUNT:
        raise _Refused(f"more than {MAX_HEADERS_COUNT} headers")
    for name, value in head.headers:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise _Refused("a compressed answer that nobody asked for")
        if name == b"content-length" and int(value) > MAX_RECEIPT_BYTES:
            raise _Refused(f"an answer of more than {MAX_RECEIPT_BYTES} bytes")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, ssl.SSLError):
        return "the certificate or the encryption was refused"
    return f"no connection ({getattr(error, 'strerror', None) or type(error).__name__})"
