"""What every request is answered with: REST, actions, streams, the reference, /_ctl/.

Requests are told apart by hand, below aiohttp's router: an action costs no more than it must.
Whatever the engine raises is a bug and ends the server; a client cannot cause it.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import unquote

import msgspec
from aiohttp import web

from mmbot.exchange.faults import actions as fault_actions
from mmbot.exchange.faults import answers as fault_answers
from mmbot.exchange.faults.actions import ActionFaults, LostError, Reply
from mmbot.exchange.faults.answers import Told
from mmbot.exchange.faults.sockets import reset
from mmbot.exchange.serving.connections import Patience
from mmbot.exchange.serving.control import MAX_BODY, Control, ControlError
from mmbot.exchange.serving.floor import Floor
from mmbot.exchange.serving.upgrade import Upgrade
from mmbot.exchange.views import rest, stream_names

MAX_ACTION = 1024
OCTETS = "application/octet-stream"
WS, REFERENCE, CONTROL, USER = "/ws/", "/reference/", "/_ctl/", "/user/"
Answer = web.StreamResponse


class Frontdoor:
    """Answers every request; what breaks the engine is told to `broken` and raised again."""

    def __init__(
        self,
        floor: Floor,
        control: Control | None,
        patience: Patience,
        broken: Callable[[Exception], None],
    ) -> None:
        self._floor = floor
        self._control = control
        self._patience = patience
        self._broken = broken
        operation = floor.operation
        self._exchange = operation.exchange
        self._actions = ActionFaults(
            self._exchange, floor.faults, operation.pace, floor.act, floor.fill
        )
        self._upgrade = Upgrade(floor)
        self._symbols = {market.symbol for market in self._exchange.params.markets}

    async def answer(self, request: web.BaseRequest) -> Answer:
        """Answer one request."""
        try:
            return await self._route(request)
        except LostError:
            _cut(request)
            raise
        except TimeoutError:
            return _refused(408, "the body did not come in time")
        except ConnectionError:
            raise
        except Exception as error:
            self._broken(error)
            raise

    async def _route(self, request: web.BaseRequest) -> Answer:
        target = request.raw_path
        if target == "/action":
            if request.method != "POST":
                return _not_allowed("POST")
            return await self._action(request)
        if target.startswith(CONTROL):
            return await self._controlled(request)
        if request.method != "GET":
            return _not_allowed("GET")
        if target.startswith((WS, REFERENCE)):
            return await self._stream(request)
        await self._reachable(request, "rest")
        return await self._get(request)

    async def _reachable(self, request: web.BaseRequest, part: str) -> None:
        """Go on unless the network is cut; wait while it is silent."""
        faults = self._floor.socket_faults
        if self._floor.faults.armed("net."):
            if faults.cut(part):
                raise LostError(part)
            await faults.swallowed(part)
            if request.transport is None:
                raise LostError(part)

    async def _action(self, request: web.BaseRequest) -> Answer:
        if request.content_type != OCTETS:
            return _json(415, b'{"expected":"application/octet-stream"}', {"accept": OCTETS})
        body = await self._body(request, MAX_ACTION)
        if body is None:
            return _json(413, b'{"limit":1024}')
        await self._reachable(request, "rest")
        if not self._floor.faults.armed(*fault_actions.TOUCHING):
            return web.Response(body=self._floor.act(body), content_type=OCTETS)
        return await self._replied(request, await self._actions.answer(body))

    async def _replied(self, request: web.BaseRequest, reply: Reply) -> Answer:
        if reply.cut_after is not None:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            head += b"Content-Length: %d\r\n\r\n" % len(reply.body)
            await _write_and_cut(request, (head + reply.body)[: reply.cut_after])
        headers = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
        kind = OCTETS if reply.status == 200 else rest.TEXT
        return web.Response(
            status=reply.status, body=reply.body, headers=headers, content_type=kind
        )

    async def _body(self, request: web.BaseRequest, most: int) -> bytes | None:
        """Read a body of up to `most` bytes; None when it is longer, and no more of it is kept."""
        if (request.content_length or 0) > most:
            return None
        content = request.content
        if content.is_eof():
            body = content.read_nowait(-1)
            return body if len(body) <= most else None
        body = b""
        async with asyncio.timeout(self._patience.body_timeout_s):
            while not content.at_eof():
                body += await content.read(most + 1 - len(body))
                if len(body) > most:
                    return None
        return body

    async def _get(self, request: web.BaseRequest) -> Answer:
        path, query = request.path, request.query
        if not self._floor.faults.armed(*fault_answers.TOUCHING):
            answer = self._floor.view(path, query)
            return web.Response(
                status=answer.status, body=answer.body, content_type=answer.content_type
            )
        told = await self._floor.answers.answer(path, query, lambda: self._floor.view(path, query))
        response = web.Response(
            status=told.status,
            body=told.body,
            content_type=told.content_type,
            headers=told.headers,
        )
        if told.pause_ms:
            return await _dribbled(request, response, told)
        return response

    async def _stream(self, request: web.BaseRequest) -> Answer:
        await self._reachable(request, "ws")
        path, _, _ = request.raw_path.partition("?")
        if path.startswith(REFERENCE):
            wanted = self._floor.reference.streams(unquote(path), request.query)
            if wanted is None:
                known = ", ".join(self._floor.reference.symbols)
                return _refused(404, f"unknown stream; known: {known}")
            return await self._upgrade.serve(request, wanted)
        asked = stream_names.asked(path.removeprefix(WS), self._symbols)
        if isinstance(asked, stream_names.Refused):
            return _refused(asked.status, asked.reason)
        return await self._upgrade.serve(request, asked)

    async def _controlled(self, request: web.BaseRequest) -> Answer:
        name = request.path.removeprefix(CONTROL)
        methods = [] if self._control is None else self._control.methods(name)
        if self._control is None or not methods:
            return _json(404, b"null")
        if request.method not in methods:
            return _not_allowed(", ".join(methods))
        try:
            if request.method == "GET":
                return _json(200, self._control.get(name, request.query))
            if request.content_type != rest.JSON:
                # A page in a browser cannot send this type to us unasked.
                return _refused(415, f"the body is {rest.JSON}")
            body = await self._body(request, MAX_BODY)
            if body is None:
                return _refused(413, f"at most {MAX_BODY} bytes")
            return _json(200, await self._control.post(name, body))
        except ControlError as error:
            return _json(400, msgspec.json.encode({"error": str(error)}))


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=body, headers=headers, content_type=rest.JSON)


def _refused(status: int, reason: str) -> web.Response:
    return web.Response(status=status, text=f"{reason}\n")


def _not_allowed(methods: str) -> web.Response:
    return web.Response(status=405, headers={"Allow": methods}, text="405: Method Not Allowed\n")


def _cut(request: web.BaseRequest) -> None:
    if request.transport is not None:
        reset(request.transport)


async def _write_and_cut(request: web.BaseRequest, data: bytes) -> None:
    """Send these bytes of an answer and nothing more."""
    if request.transport is not None:
        request.transport.write(data)
        # One turn of the loop lets the bytes leave before the reset.
        await asyncio.sleep(0)
    raise LostError("act.reset_after")


async def _dribbled(
    request: web.BaseRequest, response: web.Response, told: Told
) -> web.StreamResponse:
    """Send an answer byte by byte."""
    slow = web.StreamResponse(status=response.status, headers=response.headers)
    slow.content_length = len(told.body)
    await slow.prepare(request)
    for at in range(len(told.body)):
        await slow.write(told.body[at : at + 1])
        await asyncio.sleep(told.pause_ms / 1000)
    await slow.write_eof()
    return slow
