"""One HTTP connection pool to one allowed place: caps, deadlines, no redirects, no retries.

Says whether a request may have reached the venue; what an answer means is decided elsewhere.
"""

import socket
import ssl
from ipaddress import ip_address
from types import SimpleNamespace, TracebackType
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from mmbot.adapters.zo.origin import Origin, is_loopback
from mmbot.errors import OutcomeUnknown, ProtocolViolation, Unavailable

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_RECEIPT_BYTES = 102_400
MAX_HEADERS_COUNT = 64
ACTION_TIMEOUT_S = 2.0
_CONNECTIONS_COUNT = 8
_KEEPALIVE_S = 60.0
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "mmbot"}
_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ConnectionTimeoutError,
)


class Timeouts(NamedTuple):
    """Seconds for making a connection and for a whole read; actions have two seconds."""

    connect_s: float = 3.0
    read_s: float = 2.0


class Reply(NamedTuple):
    """An answer in full; header values are empty when the header is absent."""

    status: int
    content_type: str
    retry_after: str
    body: bytes


class _NoAnswer(Exception):  # noqa: N818 - not an error of the program
    """The answer has a form that is refused."""


class Transport:
    """Requests to one origin; use it as an async context manager."""

    def __init__(self, origin: Origin, timeouts: Timeouts) -> None:
        self._url = str(origin)
        self._is_local = is_loopback(origin.host)
        self._tls = tls_context() if origin.scheme == "https" else None
        self._timeouts = timeouts
        self.sent = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Transport":
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(self._count_again)
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS_COUNT,
            keepalive_timeout=_KEEPALIVE_S,
            # Connections last; who shares a look-up would be served in no certain order.
            use_dns_cache=False,
            resolver=_OnlyResolver(self._is_local),
            ssl=self._tls or False,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers=_HEADERS,
            trace_configs=[trace],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, target: str) -> Reply:
        """Read a path with its query.

        Raises Unavailable when there is no whole answer in time, ProtocolViolation for an answer
        whose form is refused: a redirect, compressed, too large, too many headers.
        """
        endpoint = target.partition("?")[0]
        try:
            return await self._exchange("GET", target, None, self._timeouts.read_s)
        except _NoAnswer as refused:
            raise ProtocolViolation(f"{endpoint}: {refused}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{endpoint}: {_reason(error)}") from error

    async def post(self, target: str, body: bytes) -> Reply:
        """Send an action once.

        Raises Unavailable when no connection came about, so that nothing was sent, OutcomeUnknown
        when there is no whole acceptable answer in time.
        """
        try:
            return await self._exchange("POST", target, body, ACTION_TIMEOUT_S)
        except _NEVER_CONNECTED as error:
            raise Unavailable(f"{target}: {_reason(error)}") from error
        except (_NoAnswer, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(f"{target}: {_reason(error)}") from error

    async def _exchange(
        self, method: str, target: str, body: bytes | None, total_s: float
    ) -> Reply:
        if self._session is None:
            raise RuntimeError("the transport is not open")
        self.sent += 1
        timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=self._timeouts.connect_s)
        headers = None if body is None else {"Content-Type": "application/octet-stream"}
        async with self._session.request(
            method,
            URL(self._url + target, encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=timeout,
        ) as response:
            _check_form(response)
            limit = MAX_BODY_BYTES if body is None else MAX_RECEIPT_BYTES
            content = await _read(response, limit)
            return Reply(
                response.status,
                response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                response.headers.get("Retry-After", ""),
                content,
            )

    async def _count_again(
        self, _session: aiohttp.ClientSession, tries: SimpleNamespace, _sent: object
    ) -> None:
        """A read on a connection that had ended meanwhile leaves twice; the first is counted."""
        tries.count = getattr(tries, "count", -1) + 1
        self.sent += tries.count > 0


class _OnlyResolver(AbstractResolver):
    """Names lead to this machine or away from it, as meant, whatever the name server says."""

    def __init__(self, is_local: bool) -> None:
        self._is_local = is_local
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        fit = [each for each in found if self._fits(each["host"])]
        if not fit:
            raise OSError("the name leads to an address of the wrong kind")
        return fit

    async def close(self) -> None:
        await self._resolver.close()

    def _fits(self, address: str) -> bool:
        parsed = ip_address(address)
        return parsed.is_loopback if self._is_local else parsed.is_global


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _check_form(response: aiohttp.ClientResponse) -> None:
    if 300 <= response.status < 400:
        raise _NoAnswer("a redirect, which is never followed")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _NoAnswer("a compressed answer that nobody asked for")
    if len(response.raw_headers) > MAX_HEADERS_COUNT:
        raise _NoAnswer(f"more than {MAX_HEADERS_COUNT} headers")


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    too_large = f"an answer of more than {limit} bytes"
    if (response.content_length or 0) > limit:
        raise _NoAnswer(too_large)
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > limit:
            raise _NoAnswer(too_large)
    return bytes(content)


def _reason(error: BaseException) -> str:
    """Return what happened without anything the other side wrote."""
    if isinstance(error, _NoAnswer):
        return str(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "the certificate or the encryption was refused"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.os_error.strerror or type(error.os_error).__name__})"
    return f"the connection broke ({type(error).__name__})"
