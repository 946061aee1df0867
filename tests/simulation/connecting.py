"""The part of the loop that programs connect through: names, sockets, servers, signals."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tests.simulation.network import Listening, Network
from tests.simulation.process import PROCESS


class ConnectingLoop(asyncio.BaseEventLoop):
    """Leads everything to its `network`, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.network: Network
        self._sockets: WeakKeyDictionary[socket.socket, tuple[str, int]] = WeakKeyDictionary()

    async def getaddrinfo(  # type: ignore[override]
        self, host: str | None, port: int | None, **_options: Any
    ) -> list[Any]:
        address = self.network.resolve(host or "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        # The connection is made when its protocol is known.
        self._sockets[sock] = (address[0], address[1])

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        sock = options.get("sock")
        if options.get("ssl"):
            raise OSError("no encryption is spoken here")
        if sock is not None:
            host, port = self._sockets.pop(sock)
            sock.close()
        assert host is not None
        assert port is not None
        return await self.network.connect(protocol_factory, self.network.resolve(host), port)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        **_options: Any,
    ) -> Listening:
        return self.network.listen(protocol_factory, host, port)

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., Any], *args: Any
    ) -> None:
        process = PROCESS.get()
        assert process is not None, "a signal is sent to a program"
        process.signals[sig] = lambda: process.context.copy().run(callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        process = PROCESS.get()
        return process is not None and process.signals.pop(sig, None) is not None
