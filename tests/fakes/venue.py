"""A venue of a few scripted answers over real sockets, and one that keeps sessions."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.codec import encode_receipt, parse_action, split_body
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import scheme_of, verify

JSON = {"Content-Type": "application/json"}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def text(body: str | bytes, status: int = 200, **headers: str) -> Answer:
    """Answer with this body, as JSON unless the headers say otherwise."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=content, headers={**JSON, **named})

    return answer


@dataclass
class ScriptedVenue:
    """Answers by path; what is not scripted is a 404 with `null`."""

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        self.headers.append(dict(request.headers))
        scripted = self.answers.get(request.path)
        if scripted is None:
            return web.Response(status=404, body=b"null", headers=JSON)
        return await scripted(request)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """Serve on a free port of this machine; yields the base URL."""
    app = web.Application(client_max_size=1 << 20)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve a connection by hand, for answers that no HTTP library would send."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    scheme = "http" if context is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


class SessionVenue:
    """Just enough of an engine to judge the requests of wallets: signature, window, duplicates."""

    def __init__(self, now_s: int) -> None:
        self.now_s = now_s
        self.known: dict[bytes, dict[int, tuple[str, int]]] = {}
        self.bodies: list[bytes] = []
        self.lose_replies = 0
        self.lose_requests = 0
        self.refuse: list[int] = []
        self.show_keys = True
        self._next_id = 1

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/timestamp":
            return web.json_response(self.now_s)
        if request.path == "/action":
            return await self._action(await request.read())
        pubkey = base58.decode(request.path.removeprefix("/user/"))
        if pubkey not in self.known:
            return web.json_response(None, status=404)
        sessions = {
            str(number): {"pubkey": key, "expiry": expiry} if self.show_keys else {}
            for number, (key, expiry) in self.known[pubkey].items()
        }
        return web.json_response({"accountIds": [7], "sessions": sessions})

    async def _action(self, body: bytes) -> web.StreamResponse:
        first = body not in self.bodies
        self.bodies.append(body)
        if self.lose_requests:
            self.lose_requests -= 1
            self.bodies.pop()
            return web.Response(status=502, text="<html>bad gateway</html>")
        receipt = self._execute(body) if first else pb.Receipt(action_id=9, err=pb.DUPLICATE)
        if self.lose_replies:
            self.lose_replies -= 1
            return web.Response(status=502, text="<html>bad gateway</html>")
        return web.Response(body=encode_receipt(receipt))

    def _execute(self, body: bytes) -> pb.Receipt:
        raw, signature = split_body(body)
        action = parse_action(raw).action
        if self.refuse:
            return pb.Receipt(action_id=9, err=pb.Error.ValueType(self.refuse.pop(0)))
        if abs(self.now_s - action.current_timestamp) > 60:
            return pb.Receipt(action_id=9, err=pb.TIMESTAMP_OUT_OF_THRESHOLD)
        if action.WhichOneof("kind") == "create_session":
            made = action.create_session
            if not verify(scheme_of(action), made.user_pubkey, raw, signature):
                return pb.Receipt(action_id=9, err=pb.SIGNATURE_VERIFICATION)
            sessions = self.known.setdefault(made.user_pubkey, {})
            number, self._next_id = self._next_id, self._next_id + 1
            sessions[number] = (base58.encode(made.session_pubkey), made.expiry_timestamp)
            receipt = pb.Receipt(action_id=9)
            receipt.create_session_result.session_id = number
            return receipt
        for pubkey, sessions in self.known.items():
            signed = verify(scheme_of(action), pubkey, raw, signature)
            if signed and sessions.pop(action.revoke_session.session_id, None) is not None:
                receipt = pb.Receipt(action_id=9)
                receipt.session_revoked.SetInParent()
                return receipt
        return pb.Receipt(action_id=9, err=pb.SESSION_NOT_FOUND)
