"""A WebSocket that hands each message on the moment its bytes are here, in the call that brings
them: no queue and no task lies between the network and whoever acts on it.
"""

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, State
from websockets.streams import StreamReader

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
# First bytes of frames that are a message each: final, without extensions, text or binary.
_WHOLE = (0x80 | Opcode.TEXT, 0x80 | Opcode.BINARY)
# Sizes from this on take two more bytes, or eight.
_TWO_MORE, _EIGHT_MORE = 126, 127
_OPEN = State.OPEN
# Where the library's parser waits between two frames, and only there.
_BETWEEN = StreamReader.at_eof.__code__


class DirectSocket(ClientConnection):
    """The library's connection, with messages told to a callback instead of kept for `recv`.

    What comes before `tell` was called, with the answer to the handshake, is told by that.
    Bytes that are one message exactly, which is most of them, are told without its parser.
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

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        start = self._message_start(data)
        if start:
            self._message(data[start:])
        else:
            super().data_received(data)

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

    def _message_start(self, data: bytes) -> int:
        """Where the message begins that these bytes are, no more and no less; 0 if they are not."""
        count = len(data)
        if count < 2 or data[0] not in _WHOLE:
            return 0
        # A size with the bit of a mask, which no server sets, is none of these either.
        start, size = 2, data[1]
        if size == _TWO_MORE:
            start, size = 4, int.from_bytes(data[2:4])
        elif size >= _EIGHT_MORE:
            return 0
        protocol = self.protocol
        most = protocol.max_message_size
        if (
            count != start + size
            or protocol.state is not _OPEN
            or protocol.current_size is not None
            or (most is not None and size > most)
        ):
            return 0
        # A generator that waits in another one, and so on: the last one tells what for.
        waiting: Any = protocol.parser
        while waiting.gi_yieldfrom is not None:
            waiting = waiting.gi_yieldfrom
        return start if waiting.gi_code is _BETWEEN else 0
