"""HTTP of the standard library to one place: caps, deadlines, no redirects, the right addresses."""

import io
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from time import monotonic
from typing import Any, NamedTuple

from mmbot.adapters.zo.origin import Origin, is_loopback
from mmbot.errors import OutcomeUnknown, ProtocolViolation, Unavailable

MOST_BODY_BYTES = 4 * 1024 * 1024
CONNECT_S = 3.0
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "mmbot-rescue"}
_BROKEN = (HTTPException, OSError, ValueError)


class Answer(NamedTuple):
    """A whole answer; `retry_after` is empty when the venue did not say."""

    status: int
    body: bytes
    retry_after: str


class Line:
    """One connection to a place, kept open between requests; for one thread at a time."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._open: _Connection | None = None

    def ask(self, target: str, body: bytes | None, within_s: float) -> Answer:
        """GET a target, or POST a body to it once.

        Raises Unavailable when nothing was sent, OutcomeUnknown when there is no whole answer in
        time, ProtocolViolation when there is one of a kind that is refused.
        """
        connection = self._connected(within_s)
        whole = False
        try:
            connection.until = monotonic() + within_s
            connection.sock.settimeout(within_s)
            headers = dict(_HEADERS)
            if body is not None:
                headers["Content-Type"] = "application/octet-stream"
            connection.request("GET" if body is None else "POST", target, body, headers)
            answer = _read(connection.getresponse())
            whole = True
        except _BROKEN as error:
            raise OutcomeUnknown(f"{target}: {_reason(error)}") from None
        finally:
            if not whole:
                self.close()
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self, within_s: float) -> "_Connection":
        if self._open is None or self._open.sock is None or self._open.is_stale():
            self.close()
            connection = _Connection(self._origin)
            try:
                connection.dial(min(within_s, CONNECT_S))
            except (OSError, ValueError) as error:
                connection.close()
                raise Unavailable(f"{self._origin}: no connection ({_reason(error)})") from None
            self._open = connection
        return self._open


class _Connection(HTTPConnection):
    # Dials only addresses that fit the place's name, and reads against one deadline for all.

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin.host, origin.port)
        self._origin = origin
        self.until = 0.0
        self.auto_open = 0

    def dial(self, within_s: float) -> None:
        until = monotonic() + within_s
        sock = _dialled(self._origin, until)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._origin.scheme == "https":
            sock.settimeout(max(0.001, until - monotonic()))
            sock = _tls().wrap_socket(sock, server_hostname=self._origin.host)
        self.sock = sock

    def is_stale(self) -> bool:
        """Whether the other side has hung up since the last answer, or sent what nobody asked."""
        self.sock.settimeout(0)
        try:
            return isinstance(self.sock.recv(1), bytes)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True

    def response_class(self, sock: socket.socket, **asked: Any) -> HTTPResponse:  # type: ignore[override]
        return HTTPResponse(_Door(sock, self.until), **asked)  # type: ignore[arg-type]


class _Door:
    # What HTTPResponse wants of a socket: something to read from.

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock, self._until))


class _Timed(io.RawIOBase):
    # A time-out of a socket holds for each read; this one holds for the whole answer.

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._until - monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _dialled(origin: Origin, until: float) -> socket.socket:
    local = is_loopback(origin.host)
    found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    reason: OSError = OSError("the name leads to an address of the wrong kind")
    for family, kind, number, _, address in found:
        parsed = ip_address(address[0])
        if not (parsed.is_loopback if local else parsed.is_global):
            continue
        sock = socket.socket(family, kind, number)
        try:
            sock.settimeout(max(0.001, until - monotonic()))
            sock.connect(address)
        except OSError as error:
            sock.close()
            reason = error
        else:
            return sock
    raise reason


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(response: HTTPResponse) -> Answer:
    if 300 <= response.status < 400:
        raise ProtocolViolation("a redirect, which is never followed")
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise ProtocolViolation("a compressed answer that nobody asked for")
    if (response.length or 0) > MOST_BODY_BYTES:
        raise ProtocolViolation(f"an answer of more than {MOST_BODY_BYTES} bytes")
    content = response.read(MOST_BODY_BYTES + 1)
    if len(content) > MOST_BODY_BYTES or not response.isclosed():
        if len(content) > MOST_BODY_BYTES:
            raise ProtocolViolation(f"an answer of more than {MOST_BODY_BYTES} bytes")
        raise HTTPException("cut off")
    return Answer(response.status, content, response.getheader("Retry-After", ""))


def _reason(error: BaseException) -> str:
    # Nothing the other side wrote.
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "the certificate or the encryption was refused"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
