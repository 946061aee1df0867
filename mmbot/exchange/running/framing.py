"""The server's half of WebSocket framing (RFC 6455): frames out unmasked, frames in judged.

Nothing a client sends means anything here, so data is skipped without being kept; only the 125
bytes of a control frame are ever held.
"""

from base64 import b64encode
from collections.abc import Callable
from enum import IntEnum
from hashlib import sha1

MAX_MESSAGE = 65_536
MAX_CONTROL = 125
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHORT, _LONG = 126, 127


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_KNOWN = frozenset(Opcode)


class CloseCode(IntEnum):
    """Why a connection is closed."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    TOO_BIG = 1009


def accept_key(key: str) -> str:
    """Return the answer to a client's Sec-WebSocket-Key."""
    digest = sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return b64encode(digest).decode()


def frame(payload: bytes, opcode: Opcode = Opcode.TEXT, *, last: bool = True) -> bytes:
    """Return one unmasked frame; `last` False leaves the message open for continuations."""
    first = opcode | (0x80 if last else 0)
    size = len(payload)
    if size < _SHORT:
        return bytes((first, size)) + payload
    if size < 0x10000:
        return bytes((first, _SHORT)) + size.to_bytes(2, "big") + payload
    return bytes((first, _LONG)) + size.to_bytes(8, "big") + payload


def fragmented(payload: bytes, size: int) -> bytes:
    """Return one text message as frames of at most `size` bytes each."""
    parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    opcodes = [Opcode.TEXT] + [Opcode.CONTINUATION] * (len(parts) - 1)
    return b"".join(
        frame(part, opcode, last=number == len(parts))
        for number, (part, opcode) in enumerate(zip(parts, opcodes, strict=True), 1)
    )


def close_frame(code: int) -> bytes:
    """Return a close frame."""
    return frame(code.to_bytes(2, "big"), Opcode.CLOSE)


class Inbound:
    """Reads what a client sends; the face is the one aiohttp wants of an upgraded connection.

    `ping` is called with the payload of a ping. `ended` is called once, with the close code to
    answer (None when the connection is just gone).
    """

    def __init__(self, ping: Callable[[bytes], None], ended: Callable[[int | None], None]) -> None:
        self._ping = ping
        self._ended = ended
        self._held = bytearray()
        self._skip = 0
        self._message = 0
        self._open = False
        self._done = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes off the wire; True as soon as the connection is to be closed."""
        if not self._done:
            self._held += data
            while not self._done and self._step():
                pass
        if self._done:
            self._held.clear()
        return self._done, b""

    def feed_eof(self) -> None:
        """Note that the client is gone."""
        self._end(None)

    def _end(self, code: int | None) -> None:
        if not self._done:
            self._done = True
            self._ended(code)

    def _step(self) -> bool:
        """Deal with one piece of what is held; False when more bytes are needed."""
        held = self._held
        if self._skip:
            gone = min(self._skip, len(held))
            del held[:gone]
            self._skip -= gone
            return not self._skip and bool(held)
        if len(held) < 2:
            return False
        first, second = held[0], held[1]
        opcode, size, start = first & 0x0F, second & 0x7F, 2
        if first & 0x70 or not second & 0x80 or opcode not in _KNOWN:
            self._end(CloseCode.PROTOCOL_ERROR)
            return False
        if size >= _SHORT:
            start += 2 if size == _SHORT else 8
            if len(held) < start:
                return False
            size = int.from_bytes(held[2:start], "big")
        if opcode >= Opcode.CLOSE:
            return self._control(first, start, size)
        return self._data(first, start + 4, size)

    def _data(self, first: int, start: int, size: int) -> bool:
        continues = first & 0x0F == Opcode.CONTINUATION
        if continues != self._open:
            self._end(CloseCode.PROTOCOL_ERROR)
            return False
        self._message = self._message + size if continues else size
        if self._message > MAX_MESSAGE:
            self._end(CloseCode.TOO_BIG)
            return False
        self._open = not first & 0x80
        self._skip = start + size
        return True

    def _control(self, first: int, start: int, size: int) -> bool:
        if size > MAX_CONTROL or not first & 0x80:
            self._end(CloseCode.PROTOCOL_ERROR)
            return False
        end = start + 4 + size
        if len(self._held) < end:
            return False
        mask = self._held[start : start + 4]
        masked = self._held[start + 4 : end]
        payload = bytes(byte ^ mask[at & 3] for at, byte in enumerate(masked))
        del self._held[:end]
        opcode = first & 0x0F
        if opcode == Opcode.PING:
            self._ping(payload)
        elif opcode == Opcode.CLOSE:
            self._end(CloseCode.NORMAL)
        return True
