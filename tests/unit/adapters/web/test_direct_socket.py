"""What a DirectSocket tells, against the library's own parser fed with the same bytes."""

import asyncio
from random import Random
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from mmbot.adapters.web.direct_socket import DirectSocket

MOST = 70_000
# Around each step of how a size is written, and around the largest that is taken.
SIZES = (0, 1, 2, 125, 126, 127, 300, 65_535, 65_536, MOST)
TEXT, BINARY, CONT, PING = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING


class Nowhere(asyncio.Transport):
    """Takes everything and does nothing."""

    def write(self, data: Any) -> None:
        """Pongs and goodbyes."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Nobody reads."""


class Fed(ClientProtocol):
    """Keeps what its parser was given."""

    def __init__(self) -> None:
        super().__init__(parse_uri("ws://localhost/"), state=State.OPEN, max_size=MOST)
        self.given: list[bytes] = []

    def receive_data(self, data: bytes | bytearray) -> None:
        self.given.append(bytes(data))
        super().receive_data(data)


Told = tuple[list[bytes], int | None]


def tell(chunks: list[bytes], protocol: Fed) -> Told:
    """Messages a DirectSocket tells whose network brings these, and the code it ends with."""

    async def run() -> list[bytes]:
        socket = DirectSocket(protocol, ping_interval=None)
        socket.connection_made(Nowhere())
        # The answer to the handshake comes before all frames.
        socket.process_event(Response(101, "Switching Protocols", Headers()))
        messages: list[bytes] = []
        socket.tell(messages.append, lambda _closed: None)
        for chunk in chunks:
            socket.data_received(chunk)
        socket.connection_lost(None)
        return messages

    return asyncio.run(run()), code_of(protocol)


def parse(chunks: list[bytes]) -> Told:
    """The same by the library alone."""
    protocol = Fed()
    messages = []
    parts = b""
    for chunk in chunks:
        protocol.receive_data(chunk)
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in (TEXT, BINARY, CONT):
                parts += event.data
                if event.fin:
                    messages.append(parts)
                    parts = b""
    return messages, code_of(protocol)


def code_of(protocol: Fed) -> int | None:
    return None if protocol.close_sent is None else int(protocol.close_sent.code)


def frame(payload: bytes, opcode: Opcode = TEXT, *, fin: bool = True) -> bytes:
    return bytes(Frame(opcode, payload, fin=fin).serialize(mask=False))


def a_message(rng: Random) -> list[bytes]:
    """Frames of one message, in one piece or several with a ping among them."""
    payload = rng.randbytes(rng.choice(SIZES[:7]))
    if rng.random() < 0.3:
        # What looks like a frame itself, and is none.
        payload = frame(payload)
    if rng.random() < 0.7:
        return [frame(payload, rng.choice((TEXT, BINARY)))]
    at = rng.randrange(len(payload) + 1)
    return [
        frame(payload[:at], fin=False),
        frame(b"still there?", PING),
        frame(payload[at:], CONT),
    ]


def chunks_of(frames: list[bytes], rng: Random) -> list[bytes]:
    """What a network makes of frames: most come whole, some in pieces, some together."""
    chunks = [b""]
    for each in frames:
        cut = rng.choice((0, 0, 2, 4, rng.randrange(len(each) + 1)))
        for piece in (each[:cut], each[cut:]):
            if rng.random() < 0.2:
                chunks[-1] += piece
            else:
                chunks.append(piece)
    return [chunk for chunk in chunks if chunk]


@pytest.mark.parametrize("seed", range(200))
def test_it_tells_what_the_library_reads_however_the_bytes_come(seed: int) -> None:
    rng = Random(seed)
    frames = [each for _ in range(12) for each in a_message(rng)]
    chunks = chunks_of(frames, rng)
    read = parse(chunks)
    assert tell(chunks, Fed()) == read
    assert read[1] is None
    assert len(read[0]) == 12


@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_every_size_arrives_and_one_that_is_too_large_ends_it(size: int) -> None:
    payload = b"x" * size
    assert tell([frame(payload)], Fed()) == ([payload], None)
    assert tell([frame(b"y" * (MOST + 1)), frame(payload)], Fed()) == ([], 1009)


def test_a_message_under_the_size_of_two_bytes_may_be_too_large() -> None:
    protocol = Fed()
    protocol.max_message_size = 300
    assert tell([frame(b"x" * 300), frame(b"x" * 301)], protocol) == ([b"x" * 300], 1009)


def test_the_inside_of_a_message_that_looks_like_one_is_none() -> None:
    whole = frame(frame(b"no"))
    assert tell([whole[:2], whole[2:], frame(b"yes")], Fed()) == ([frame(b"no"), b"yes"], None)


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([frame(b"begun", fin=False), frame(b"another")], 1002),
        ([b"\x81\x82" + bytes(4) + b"hi", frame(b"masked before")], 1002),
        ([b"\x81\x82" + bytes(130)], 1002),
        ([b"\xc1\x02hi", frame(b"of an extension before")], 1002),
        ([frame(b"\x03\xe8", Opcode.CLOSE), frame(b"after the goodbye")], 1000),
    ],
)
def test_nothing_is_told_after_the_end_of_a_connection(chunks: list[bytes], code: int) -> None:
    assert tell(chunks, Fed()) == ([], code)


def test_only_what_is_no_whole_message_goes_through_the_parser_of_the_library() -> None:
    protocol = Fed()
    one, two = frame(b"one"), frame(b"x" * 200, BINARY)
    ping, cut = frame(b"", PING), frame(b"cut")
    messages, _ = tell([one, two, ping, one, cut[:3], cut[3:], two], protocol)
    assert messages == [b"one", b"x" * 200, b"one", b"cut", b"x" * 200]
    assert protocol.given == [ping, cut[:3], cut[3:]]
