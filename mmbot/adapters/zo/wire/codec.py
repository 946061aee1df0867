"""Bytes of actions and receipts in both directions (protocol 5.1, 5.5, 5.7). Pure.

Actions of the oldest generation are turned into today's messages while they are read; receipts are
read so that unknown fields, unknown error numbers and a foreign field 5 do no harm.
"""

from enum import StrEnum
from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.proto import nord_s1_pb2 as s1
from mmbot.errors import ActionError, WireError

MOST_ACTION_BYTES = 1024
MOST_RECEIPT_BYTES = 102_400
SIGNATURE_BYTES = 64
# A varint of 64 bits; longer ones are no length.
MOST_PREFIX_BYTES = 10

M = TypeVar("M", bound=Message)


class Generation(StrEnum):
    """Which schema a client speaks where they differ (protocol 0)."""

    S1 = "s1"
    S3 = "s3"


class Request(NamedTuple):
    """An action as today's message, and the generation its answer must be written in."""

    action: pb.Action
    generation: Generation


def frame(payload: bytes) -> bytes:
    """Put the length before a payload (protocol 5.1)."""
    length = len(payload)
    prefix = bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + payload


def _unframe(data: bytes, most: int) -> tuple[bytes, int]:
    # The payload behind the length, and where it ends.
    length = start = 0
    for byte in data[:MOST_PREFIX_BYTES]:
        length |= (byte & 0x7F) << 7 * start
        start += 1
        if byte < 0x80:
            break
    else:
        raise WireError("the length prefix is cut off", pb.DECODE_FAILURE_LENGTH_PREFIX)
    if length > most:
        raise WireError(
            f"the length prefix says {length} bytes, {most} allowed",
            pb.DECODE_FAILURE_LENGTH_PREFIX,
        )
    end = start + length
    if end > len(data):
        raise WireError(
            f"the length prefix says {length} bytes, {len(data) - start} are there",
            pb.DECODE_FAILURE_LENGTH_PREFIX,
        )
    return data[start:end], end


def action_raw(action: pb.Action) -> bytes:
    """Serialise an action with its length: what is signed. ActionError when over 1024 bytes."""
    raw = frame(action.SerializeToString(deterministic=True))
    if len(raw) > MOST_ACTION_BYTES:
        raise ActionError(f"the action has {len(raw)} bytes, {MOST_ACTION_BYTES} allowed")
    return raw


def split_body(body: bytes) -> tuple[bytes, bytes]:
    """Split the body of a POST into what is signed (length and payload) and the signature."""
    if len(body) > MOST_ACTION_BYTES:
        raise WireError(
            f"the body has {len(body)} bytes, {MOST_ACTION_BYTES} allowed",
            pb.ENCODED_ACTION_TOO_LARGE,
        )
    _, end = _unframe(body, MOST_ACTION_BYTES)
    if len(body) - end != SIGNATURE_BYTES:
        raise WireError(
            f"{len(body) - end} bytes follow the action, {SIGNATURE_BYTES} of signature expected",
            pb.SIGNATURE_VERIFICATION_INVALID_LENGTH,
        )
    return body[:end], body[end:]


def parse_action(raw: bytes) -> Request:
    """Read an action (length and payload); WireError names what a venue would answer.

    Legacy AddTrigger and Transfer come back as today's. A quote size is always read as U128: its
    legacy form {size, price} has the same bytes (`legacy_quote` gives the notional it means).
    """
    payload, end = _unframe(raw, MOST_ACTION_BYTES)
    if end != len(raw):
        raise WireError(f"{len(raw) - end} bytes follow the action", pb.DECODE_FAILURE_RAW)
    action = _parse(pb.Action(), payload, pb.DECODE_FAILURE_RAW)
    kind = action.WhichOneof("kind")
    if kind is None:
        raise WireError("the action is of no known kind", pb.DECODE_FAILURE_DOMAIN)
    if kind == "add_trigger" and not action.add_trigger.HasField("trigger"):
        return _from_legacy_trigger(action, payload)
    if kind == "transfer" and not action.transfer.HasField("to_account_id"):
        return _from_legacy_transfer(action, payload)
    return Request(action, Generation.S3)


def _parse(message: M, payload: bytes, number: int) -> M:
    try:
        message.ParseFromString(payload)
    except DecodeError:
        name = message.DESCRIPTOR.name
        raise WireError(f"{len(payload)} bytes are no {name}", number) from None
    return message


def _from_legacy_trigger(action: pb.Action, payload: bytes) -> Request:
    old = _parse(s1.Action(), payload, pb.DECODE_FAILURE_RAW).add_trigger
    if not old.HasField("prices"):
        return Request(action, Generation.S3)
    record = pb.TriggerRecord(
        key=pb.TriggerKey(
            kind=pb.TriggerKind.ValueType(old.key.kind), side=pb.Side.ValueType(old.key.side)
        ),
        trigger_price=old.prices.trigger_price,
        market_id=old.market_id,
    )
    if old.prices.HasField("limit_price"):
        record.limits.price = old.prices.limit_price
    today = pb.AddTrigger(session_id=old.session_id, trigger=record)
    if old.HasField("account_id"):
        today.account_id = old.account_id
    action.add_trigger.CopyFrom(today)
    return Request(action, Generation.S1)


def _from_legacy_transfer(action: pb.Action, payload: bytes) -> Request:
    old = _parse(s1.Action(), payload, pb.DECODE_FAILURE_RAW).transfer
    if not (old.HasField("to_account_id") or old.HasField("special_account")):
        return Request(action, Generation.S3)
    action.transfer.DiscardUnknownFields()
    if old.HasField("to_account_id"):
        action.transfer.to_account_id.owned.account_id = old.to_account_id
    else:
        action.transfer.to_account_id.special.SetInParent()
    return Request(action, Generation.S1)


def quote_units(quote: pb.U128) -> int:
    """Return the notional of a quote size, in 10^-(price decimals + size decimals)."""
    return quote.hi << 64 | quote.lo


def legacy_quote(quote: pb.U128) -> int:
    """Return the notional when the sender spoke S1: size x price in the same unit."""
    return quote.lo * quote.hi


def encode_receipt(receipt: pb.Receipt, generation: Generation = Generation.S3) -> bytes:
    """Serialise a receipt with its length, in the words of the client's generation."""
    if generation is Generation.S1 and receipt.WhichOneof("kind") == "transferred":
        return frame(_legacy_transferred(receipt).SerializeToString(deterministic=True))
    return frame(receipt.SerializeToString(deterministic=True))


def _legacy_transferred(receipt: pb.Receipt) -> s1.Receipt:
    done = receipt.transferred
    old = s1.Receipt(action_id=receipt.action_id)
    old.transferred.from_account_id = done.from_account_id
    old.transferred.token_id = done.token_id
    old.transferred.amount = done.amount
    old.transferred.account_created = done.account_created
    match done.to_account_id.WhichOneof("kind"):
        case "owned":
            old.transferred.to_user_account = done.to_account_id.owned.account_id
        case "unowned":
            old.transferred.to_user_account = done.to_account_id.unowned.account_id
        case "special":
            old.transferred.to_special_account = s1.FEE_VAULT
    return old


def decode_receipt(body: bytes) -> pb.Receipt:
    """Read a reply; WireError means that nobody knows what became of the action.

    Bytes after the receipt are ignored, a field 5 of a place result that does not parse is skipped
    (protocol 5.7). `err` is tested with WhichOneof: DUPLICATE is 0 and is on the wire.
    """
    payload, _ = _unframe(body, MOST_RECEIPT_BYTES)
    try:
        return _parse(pb.Receipt(), payload, pb.DECODE_FAILURE_RAW)
    except WireError:
        return _parse(pb.Receipt(), _without_field_5(payload), pb.DECODE_FAILURE_RAW)


def _without_field_5(payload: bytes) -> bytes:
    receipt = _parse(s1.Receipt(), payload, pb.DECODE_FAILURE_RAW)
    if receipt.HasField("place_order_result"):
        receipt.place_order_result.ClearField("triggered")
    for result in receipt.atomic.results:
        if result.HasField("place_order_result"):
            result.place_order_result.ClearField("triggered")
    return receipt.SerializeToString(deterministic=True)
