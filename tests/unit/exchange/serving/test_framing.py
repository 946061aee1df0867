"""Frames against the websockets library, which reads and writes them independently."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame
from websockets.frames import Opcode as Theirs
from websockets.streams import StreamReader

from mmbot.exchange.running.framing import (
    MAX_MESSAGE,
    Inbound,
    Opcode,
    accept_key,
    close_frame,
    fragmented,
    frame,
)


def _parsed(data: bytes) -> list[Frame]:
    """Read unmasked frames with the library."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found: list[Frame] = []
    at_end = reader.at_eof()
    while True:
        try:
            next(at_end)
        except StopIteration as done:
            if done.value:
                return found
        parse = Frame.parse(reader.read_exact, mask=False)
        try:
            next(parse)
        except StopIteration as done:
            found.append(done.value)
        at_end = reader.at_eof()


def test_the_key_of_the_standard_gets_the_answer_of_the_standard() -> None:
    # RFC 6455, section 1.3.
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_of_any_size_is_read_as_it_was_meant(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    (read,) = _parsed(frame(payload[:size]))
    assert (read.opcode, read.data, read.fin) == (Theirs.TEXT, payload[:size], True)


@given(st.binary(max_size=300), st.integers(1, 100))
def test_fragments_join_to_the_message(payload: bytes, size: int) -> None:
    frames = _parsed(fragmented(payload, size))
    assert b"".join(each.data for each in frames) == payload
    assert [each.fin for each in frames] == [False] * (len(frames) - 1) + [True]
    assert {each.opcode for each in frames[1:]} <= {Theirs.CONT}
    assert all(len(each.data) <= size for each in frames)


def test_a_close_says_its_code() -> None:
    (read,) = _parsed(close_frame(1012))
    assert Close.parse(read.data).code == 1012


class _Heard:
    def __init__(self) -> None:
        self.pings: list[bytes] = []
        self.ends: list[int | None] = []
        self.inbound = Inbound(self.pings.append, self.ends.append)

    def feed(self, data: bytes, cuts: list[int]) -> None:
        edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for start, end in pairwise(edges):
            self.inbound.feed_data(data[start:end])


_PINGS = st.binary(max_size=125).map(lambda data: Frame(Theirs.PING, data))
_DATA = st.binary(max_size=400).map(lambda data: Frame(Theirs.BINARY, data))
_SPLIT = st.lists(st.binary(max_size=50), min_size=2, max_size=4)


def _pieces(parts: list[bytes]) -> list[Frame]:
    opcodes = [Theirs.TEXT] + [Theirs.CONT] * (len(parts) - 1)
    last = len(parts) - 1
    pairs = enumerate(zip(opcodes, parts, strict=True))
    return [Frame(opcode, part, fin=number == last) for number, (opcode, part) in pairs]


_WHOLE = st.one_of(_PINGS, _DATA).map(lambda one: [one])
_SENT = st.lists(st.one_of(_WHOLE, _SPLIT.map(_pieces)))


@given(_SENT, st.lists(st.integers(0, 10_000), max_size=20))
def test_pings_are_heard_among_ignored_data_however_it_arrives(
    sent: list[list[Frame]], cuts: list[int]
) -> None:
    frames = [each for group in sent for each in group]
    heard = _Heard()
    heard.feed(b"".join(each.serialize(mask=True) for each in frames), cuts)
    assert heard.pings == [each.data for each in frames if each.opcode is Theirs.PING]
    assert heard.ends == []


@given(st.binary(max_size=2000), st.lists(st.integers(0, 10_000), max_size=10))
def test_no_bytes_break_it_and_it_ends_once_at_most(data: bytes, cuts: list[int]) -> None:
    heard = _Heard()
    heard.feed(data, cuts)
    heard.inbound.feed_eof()
    heard.feed(data, cuts)
    assert len(heard.ends) == 1
    assert heard.ends[0] in (None, 1000, 1002, 1009)


def test_a_message_in_small_frames_may_not_outgrow_the_limit() -> None:
    heard = _Heard()
    first = Frame(Theirs.TEXT, bytes(MAX_MESSAGE), fin=False).serialize(mask=True)
    assert heard.inbound.feed_data(first) == (False, b"")
    more = Frame(Theirs.CONT, b"x", fin=False).serialize(mask=True)
    assert heard.inbound.feed_data(more) == (True, b"")
    assert heard.ends == [1009]


def test_a_large_frame_is_refused_by_its_head() -> None:
    heard = _Heard()
    head = bytes([0x80 | Opcode.BINARY, 0xFF]) + (50 << 20).to_bytes(8, "big")
    assert heard.inbound.feed_data(head)[0] is True
    assert heard.ends == [1009]


def test_a_close_is_answered_and_the_end_of_a_connection_is_not() -> None:
    heard = _Heard()
    heard.inbound.feed_data(Frame(Theirs.CLOSE, b"").serialize(mask=True))
    heard.inbound.feed_eof()
    assert heard.ends == [1000]
    gone = _Heard()
    gone.inbound.feed_eof()
    assert gone.ends == [None]
