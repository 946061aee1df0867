"""An Atomic action written field by field, front to back, in plain Python (protocol 5.5)."""

from typing import Any

Field = tuple[int, int | bytes]


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the top bit says that more follow."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def write(*fields: Field) -> bytes:
    """Concatenate fields: integers as varints, bytes with their length."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value)
        else:
            written += varint(number << 3 | 2) + varint(len(value)) + value
    return written


def unless_zero(number: int, value: int) -> list[Field]:
    """A field that is left out when it is zero."""
    return [(number, value)] if value else []


def place(part: Any) -> bytes:
    """AtomicSubactionKind with a TradeOrPlace."""
    kind = write(
        *unless_zero(3, int(part.side > 0)),
        *unless_zero(4, int(part.mode)),
        *unless_zero(5, int(part.reduce_only)),
    )
    low, high = part.quote_units % 2**64, part.quote_units // 2**64
    quote = write(*unless_zero(1, low), *unless_zero(2, high))
    limit = write(
        *unless_zero(6, part.ticks),
        *unless_zero(7, part.lots),
        *([(8, quote)] if part.quote_units else []),
    )
    named: list[Field] = []
    if part.client_order_id is not None:
        named = [(33, part.client_order_id)]
    inner = write(*unless_zero(2, part.market_id), (3, kind), (6, limit), *named)
    return write((6, inner))


def cancel(part: Any) -> bytes:
    """AtomicSubactionKind with a CancelOrder."""
    return write((7, write(*unless_zero(2, part.order_id))))


def atomic(envelope: Any, parts: tuple[Any, ...], place_type: type) -> bytes:
    """Length and payload of the whole Action."""
    subactions: list[Field] = [
        (6, place(part) if type(part) is place_type else cancel(part)) for part in parts
    ]
    batch = write((1, envelope.session_id), (2, envelope.account_id), *subactions)
    payload = write(
        *unless_zero(1, envelope.timestamp_s), *unless_zero(2, envelope.nonce), (35, batch)
    )
    return varint(len(payload)) + payload
