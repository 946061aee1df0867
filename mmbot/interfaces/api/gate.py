"""Who may ask, and for what: names of hosts, the token, the pace, and the headers of answers.

A page of another origin gets nothing: a name that is not ours is refused (DNS rebinding), there is
no CORS, and a command is JSON, which a browser does not send elsewhere unasked.
"""

import asyncio
import binascii
import hmac
import time
from base64 import b64decode
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from mmbot.domain.bucket import Bucket
from mmbot.interfaces.api.params import ApiParams
from mmbot.secrets.secret import Secret

COMMANDS = "/api/v1/commands/"
PROBES = frozenset({"/healthz", "/readyz"})
WRONG_TOKEN_S = 0.5
# Requests a second, and how many may come at once.
PER_S, BURST = 40, 120
_LOCAL = frozenset({"127.0.0.1", "::1"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Gate:
    """Stands before every answer; `token` None: there are no commands."""

    def __init__(self, params: ApiParams, token: Secret | None) -> None:
        self._hosts = _LOCAL | {
            params.host.strip("[]").lower(),
            *map(str.lower, params.allowed_hosts),
        }
        self._reads_need_it = not params.is_local
        self._token = None if token is None else token.reveal().encode()
        self._pace = Bucket(1_000_000_000 // PER_S, BURST)

    @web.middleware
    async def pass_on(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or say why not; a middleware of aiohttp."""
        now_ns = time.monotonic_ns()
        if self._pace.free(now_ns) < 1:
            return refusal(429, "too many requests")
        self._pace.spend(now_ns, 1)
        if not self._is_ours(request.headers.get("Host", "")):
            return refusal(421, "this name is not served here; see api.allowed_hosts")
        no = await self._judged(request)
        return await handler(request) if no is None else no

    async def _judged(self, request: web.Request) -> web.Response | None:
        is_command = request.path.startswith(COMMANDS)
        if not is_command and (not self._reads_need_it or request.path in PROBES):
            return None
        if self._token is None:
            return refusal(403, "read-only: there is no token (secrets.api_token)")
        if not hmac.compare_digest(_given(request.headers.get("Authorization", "")), self._token):
            await asyncio.sleep(WRONG_TOKEN_S)
            answer = refusal(401, "the token is missing or wrong")
            answer.headers["WWW-Authenticate"] = 'Basic realm="mmbot", charset="UTF-8"'
            return answer
        if is_command and not self._is_same_origin(request):
            return refusal(403, "a command comes from a program, or from the page itself")
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and name.lower() in self._hosts

    @staticmethod
    def _is_same_origin(request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        return origin is None or urlsplit(origin).netloc == request.headers.get("Host")


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Tell browsers what a page of ours may do; a signal of aiohttp."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")


def refusal(status: int, reason: str) -> web.Response:
    """Return an answer that says no."""
    return web.json_response({"error": reason}, status=status)


def _given(authorization: str) -> bytes:
    """Return the token that was given, by itself or as the password of any name."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode()
    if scheme.lower() == "basic":
        try:
            return b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
