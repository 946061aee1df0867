"""The HTTP server of a bot: few connections, no patience, and nothing that trading waits for."""

import asyncio
import logging
import socket
from functools import partial
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler

from mmbot.interfaces.api.answers import MOST_BODY_BYTES, Answers
from mmbot.interfaces.api.gate import Gate, add_headers, refusal
from mmbot.interfaces.api.page import PageFiles
from mmbot.interfaces.api.params import ApiParams
from mmbot.interfaces.api.watchers import Watchers
from mmbot.ports import Control, Instruments
from mmbot.secrets.secret import Secret

MOST_CONNECTIONS = 64
BACKLOG = 64
KEEPALIVE_S = 15.0
# Whoever has connected has so long to ask for something.
FIRST_WORDS_S = 10.0
_LOG = logging.getLogger("mmbot.http")


class ApiServer:
    """Listens from the start; `run` serves, `close` lets go of the address."""

    def __init__(self, params: ApiParams, token: Secret | None) -> None:
        """OSError when the address cannot be had."""
        family = socket.AF_INET6 if ":" in params.host else socket.AF_INET
        self._socket = socket.create_server(
            (params.host.strip("[]"), params.port), family=family, backlog=BACKLOG
        )
        self._socket.setblocking(False)
        self._gate = Gate(params, token)
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    async def run(self, control: Control, instruments: Instruments) -> None:
        """Serve until cancelled."""
        watchers, callers = Watchers(control, instruments), Callers()
        app = web.Application(
            middlewares=[callers.heard, _plain, self._gate.pass_on],
            client_max_size=MOST_BODY_BYTES,
        )
        app.on_response_prepare.append(add_headers)
        app.add_routes(Answers(control, instruments).routes())
        app.add_routes([web.get("/api/v1/events", watchers.serve), *PageFiles().routes()])
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=_LOG,
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=1.0,
        )
        await runner.setup()
        # A runner that is set up has one.
        handlers = cast(web.Server, runner.server)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(partial(callers.come, handlers), sock=self._socket)
        try:
            await watchers.run()
        finally:
            server.close()
            await runner.cleanup()

    def close(self) -> None:
        """Let go of the address."""
        self._socket.close()


class _Full(asyncio.Protocol):
    """What whoever comes too many gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.close()


class Callers:
    """Counts who is connected, and hangs up on whoever says nothing."""

    def __init__(self) -> None:
        self._silent: set[web.RequestHandler] = set()

    def come(self, handlers: web.Server) -> asyncio.BaseProtocol:
        """Return what speaks with somebody who has just connected."""
        if len(handlers.connections) >= MOST_CONNECTIONS:
            return _Full()
        handler = handlers()
        self._silent.add(handler)
        asyncio.get_running_loop().call_later(FIRST_WORDS_S, self._hang_up, handler)
        return handler

    @web.middleware
    async def heard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that a whole request has come; a middleware of aiohttp."""
        self._silent.discard(request.protocol)
        return await handler(request)

    def _hang_up(self, handler: web.RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            handler.force_close()
            if handler.transport is not None:
                handler.transport.close()


@web.middleware
async def _plain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is not there in our own words."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return refusal(error.status, error.reason)
