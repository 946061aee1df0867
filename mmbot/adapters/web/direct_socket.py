"""A WebSocket that hands each message on the moment its bytes are here, in the call that brings
them: no queue and no task lies between the network and whoever acts on it.
"""

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class DirectSocket(ClientConnection):
    """The library's connection, with messages told to a callback instead of kept for `recv`.

    What comes before `tell` was called, with the answer to the handshake, is told by that.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._early: list[bytes] = []
        self._parts = bytearray()
        self._message: Callable[[bytes], None] = self._early.append
        self._lost: Callable[[ConnectionClosed], None] | None = None

    def tell(
        self, message: Callable[[bytes], None], lost: Callable[[ConnectionClosed], None]
    ) -> None:
        """Tell every message from now on, and once, after the last, that the connection is gone.

        Neither may raise.
        """
        for early in self._early:
            message(early)
        self._early.clear()
        self._message = message
        self._lost = lost
        if self.connection_lost_waiter.done():
            lost(self.close_exc)

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """See the library; whoever is cancelled meanwhile leaves no socket behind either."""
        try:
            await super().close(code, reason)
        finally:
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        """See the library; of messages in fragments the last one tells."""
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
        elif event.fin and not self._parts:
            self._message(bytes(event.data))
        else:
            self._parts += event.data
            if event.fin:
                whole = bytes(self._parts)
                self._parts.clear()
                self._message(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        if self._lost is not None:
            self._lost(self.close_exc)
