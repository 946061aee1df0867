"""The HTTP server below the routes: aiohttp's own, with a bound on connections and no patience.

A client that has not said a whole request `head_timeout_s` after connecting, or after the last
answer, is cut off; so is whoever comes when `max_connections` are open.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

_SILENT = logging.getLogger("mmbot.exchange.http")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL + 1)
LINGERING_S = 1.0

Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much a client may ask of the server."""

    head_timeout_s: float = 15.0
    body_timeout_s: float = 5.0
    max_connections: int = 4000


class _Connection(web.RequestHandler):
    """One connection; it hangs up at once when there are too many."""

    __slots__ = ("_crowd",)

    def __init__(self, crowd: "Connections", loop: asyncio.AbstractEventLoop) -> None:
        # What clients get wrong is their business; what we get wrong ends the process.
        super().__init__(
            crowd,
            loop=loop,
            keepalive_timeout=crowd.patience.head_timeout_s,
            lingering_time=LINGERING_S,
            auto_decompress=False,
            access_log=_SILENT,
            logger=_SILENT,
        )
        self._crowd = crowd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._crowd.is_full:
            cast(asyncio.Transport, transport).abort()


class Connections(web.Server):
    """Makes a connection for every client that comes."""

    def __init__(self, answering: Answering, patience: Patience) -> None:
        super().__init__(answering)
        self.patience = patience
        self.open = 0

    @property
    def is_full(self) -> bool:
        """No more clients are served."""
        return self.open > self.patience.max_connections

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count a client in."""
        super().connection_made(handler, transport)
        self.open += 1

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count a client out."""
        super().connection_lost(handler, exc)
        self.open -= 1

    def __call__(self) -> web.RequestHandler:
        """Make a connection."""
        return _Connection(self, asyncio.get_running_loop())
