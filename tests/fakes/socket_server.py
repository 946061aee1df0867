"""A WebSocket server that does what a script says, on a free port of this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

Script = Callable[[ServerConnection], Awaitable[None]]
Handshake = Callable[[ServerConnection, Request], Response | None]


class SocketServer:
    """Runs the script for every connection; `paths` are those asked for, in order."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.paths: list[str] = []
        self.open: set[ServerConnection] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def attend(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.paths.append(connection.request.path)
        self.open.add(connection)
        try:
            await self.script(connection)
        finally:
            self.open.discard(connection)

    async def until(self, true: Callable[[], bool], within_s: float = 5.0) -> None:
        """Wait until something is true; TimeoutError when it does not come to be."""
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - what is waited for knows nothing of events
                await asyncio.sleep(0.002)


@asynccontextmanager
async def socket_server(
    script: Script, handshake: Handshake | None = None
) -> AsyncIterator[SocketServer]:
    server = SocketServer(script)
    async with serve(
        server.attend,
        "127.0.0.1",
        0,
        process_request=handshake,
        ping_interval=None,
        compression=None,
    ) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server
