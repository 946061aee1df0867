"""Bytes of the enemy: whatever arrives, bodies and replies are read or refused, never worse.

The seeds are kept in tests/corpus; a body that once broke something goes there.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.wire.actions import Atomic, CancelById, PlaceOrder
from mmbot.adapters.zo.wire.codec import (
    action_raw,
    decode_receipt,
    encode_receipt,
    frame,
    parse_action,
    split_body,
)
from mmbot.adapters.zo.wire.outcomes import Accepted, Rejected, Unknown, read_outcome
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import Scheme, scheme_of, verify
from mmbot.domain.order import FillMode, Side
from mmbot.errors import WireError

CORPUS = Path(__file__).resolve().parents[3] / "corpus"
CHECKED = settings(max_examples=1500, deadline=None, derandomize=True)


def seeds(kind: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / kind).glob("*.bin"))]


ACTIONS, RECEIPTS = seeds("actions"), seeds("receipts")


@st.composite
def damaged(draw: st.DrawFn, whole: list[bytes]) -> bytes:
    """A seed with bits flipped, cut, extended, or joined with another one."""
    data = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0 if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            case 1:
                del data[at:]
            case 2:
                data[at:at] = draw(st.binary(max_size=12))
            case 3:
                data[at:] = draw(st.sampled_from(whole))[at:]
            case 4:
                data = bytearray(reframed(bytes(data)))
    return bytes(data)


def reframed(data: bytes) -> bytes:
    """The same payload behind a length that is right again, so that damage gets past it."""
    return frame(data[1:65]) + data[65:]


def hostile(whole: list[bytes]) -> st.SearchStrategy[bytes]:
    return damaged(whole) | st.binary(max_size=300) | st.binary(max_size=200).map(frame)


def read_body(body: bytes) -> None:
    try:
        raw, signature = split_body(body)
        assert raw + signature == body
        request = parse_action(raw)
    except WireError:
        return
    assert not verify(scheme_of(request.action), bytes(32), raw, signature)
    again = parse_action(action_raw(request.action))
    assert again.action == request.action


def read_reply(body: bytes) -> None:
    receipt: pb.Receipt | None = None
    try:
        receipt = decode_receipt(body)
        assert decode_receipt(encode_receipt(receipt)) == receipt
    except WireError:
        assert receipt is None
    for action in (BATCH, BATCH.parts[0]):
        outcome = read_outcome(body, action, 7)
        assert isinstance(outcome, Accepted | Rejected | Unknown)
        if receipt is None:
            assert isinstance(outcome, Unknown)
        if isinstance(outcome, Accepted):
            assert len(outcome.results) == (2 if action is BATCH else 1)


BATCH = Atomic(
    (CancelById(1), PlaceOrder(2, Side.BID, FillMode.LIMIT, 150250, 1200, client_order_id=5))
)


@CHECKED
@given(hostile(ACTIONS))
def test_bodies(body: bytes) -> None:
    read_body(body)


@CHECKED
@given(hostile(RECEIPTS))
def test_replies(body: bytes) -> None:
    read_reply(body)


@pytest.mark.parametrize(("whole", "read"), [(ACTIONS, read_body), (RECEIPTS, read_reply)])
def test_every_truncation_and_every_bit(whole: list[bytes], read: Callable[[bytes], None]) -> None:
    assert len(whole) > 10
    for seed in whole:
        for end in range(len(seed) + 1):
            read(seed[:end])
        for bit in range(8 * min(len(seed), 48)):
            flipped = bytearray(seed)
            flipped[bit // 8] ^= 1 << bit % 8
            read(bytes(flipped))


def test_a_signature_holds_for_its_bytes_only() -> None:
    """No flipped bit of a signed body is still signed."""
    pubkey = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
    body = (CORPUS / "actions" / "atomic.bin").read_bytes()
    raw, signature = split_body(body)
    assert verify(Scheme.RAW, pubkey, raw, signature)
    for bit in range(0, 8 * len(raw), 5):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verify(Scheme.RAW, pubkey, bytes(flipped), signature)


@pytest.mark.parametrize("size", [1025, 102_401, 5_000_000])
def test_large_bodies_are_refused_at_once(size: int) -> None:
    for filler in (b"\x00", b"\x7f", b"\xff", b"\x80"):
        with pytest.raises(WireError):
            split_body(filler * size)
        read_reply(filler * size)
