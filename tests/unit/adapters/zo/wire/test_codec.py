"""Framing, both generations of actions, and replies that are damaged or foreign."""

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.wire.codec import (
    MOST_RECEIPT_BYTES,
    Generation,
    action_raw,
    decode_receipt,
    encode_receipt,
    frame,
    legacy_quote,
    parse_action,
    quote_units,
    split_body,
)
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.proto import nord_s1_pb2 as s1
from mmbot.errors import ActionError, WireError

CHECKED = settings(max_examples=200, deadline=None, derandomize=True)
U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)
KEYS = st.fixed_dictionaries({"kind": st.integers(0, 1), "side": st.integers(0, 1)})
SIGNATURE = bytes(range(64))


def raw_of(action: pb.Action | s1.Action) -> bytes:
    return frame(action.SerializeToString())


@pytest.mark.parametrize(
    ("length", "prefix"), [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02")]
)
def test_the_length_goes_before_the_payload(length: int, prefix: str) -> None:
    assert frame(b"x" * length) == bytes.fromhex(prefix) + b"x" * length


def test_a_body_is_split_where_the_length_says() -> None:
    raw = raw_of(pb.Action(nonce=5))
    assert split_body(raw + SIGNATURE) == (raw, SIGNATURE)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"", pb.DECODE_FAILURE_LENGTH_PREFIX),
        (b"\x80", pb.DECODE_FAILURE_LENGTH_PREFIX),
        (b"\x80" * 11, pb.DECODE_FAILURE_LENGTH_PREFIX),
        (b"\xff" * 9 + b"\x01", pb.DECODE_FAILURE_LENGTH_PREFIX),
        (b"\x05\x01", pb.DECODE_FAILURE_LENGTH_PREFIX),
        (b"\x01\x08", pb.SIGNATURE_VERIFICATION_INVALID_LENGTH),
        (b"\x01\x08" + bytes(63), pb.SIGNATURE_VERIFICATION_INVALID_LENGTH),
        (b"\x01\x08" + bytes(65), pb.SIGNATURE_VERIFICATION_INVALID_LENGTH),
        (bytes(1025), pb.ENCODED_ACTION_TOO_LARGE),
    ],
)
def test_a_body_that_is_none(body: bytes, number: int) -> None:
    with pytest.raises(WireError) as refused:
        split_body(body)
    assert refused.value.number == number


def test_the_largest_body_has_1024_bytes() -> None:
    payload = bytes(1024 - 64 - 2)
    raw, _ = split_body(frame(payload) + SIGNATURE)
    assert len(raw) == 960
    action = pb.Action()
    action.withdraw.dest_pubkey = bytes(1000)
    assert len(action_raw(action)) <= 1024
    action.withdraw.dest_pubkey = bytes(1024)
    with pytest.raises(ActionError, match="1024 allowed"):
        action_raw(action)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (b"\x00", pb.DECODE_FAILURE_DOMAIN),
        (b"\x02\x10\x05", pb.DECODE_FAILURE_DOMAIN),
        (b"\x02\x2a\x00", pb.DECODE_FAILURE_DOMAIN),
        (b"\x02\x10\x05\x00", pb.DECODE_FAILURE_RAW),
        (b"\x01\x10", pb.DECODE_FAILURE_RAW),
        (b"\x03\x3a\x05\x01", pb.DECODE_FAILURE_RAW),
    ],
    ids=["empty", "no kind", "create token", "bytes behind", "no value", "a message cut off"],
)
def test_an_action_that_is_none(raw: bytes, number: int) -> None:
    with pytest.raises(WireError) as refused:
        parse_action(raw)
    assert refused.value.number == number


@CHECKED
@given(U64, U32, KEYS, U64, st.none() | U64, st.none() | U32)
def test_a_legacy_trigger_means_todays(
    session: int,
    market: int,
    key: dict[str, int],
    price: int,
    limit: int | None,
    account: int | None,
) -> None:
    old = s1.Action(current_timestamp=3, nonce=4)
    old.add_trigger.session_id = session
    old.add_trigger.market_id = market
    ParseDict(key, old.add_trigger.key)
    old.add_trigger.prices.trigger_price = price
    old.add_trigger.prices.SetInParent()
    today = pb.Action(current_timestamp=3, nonce=4)
    today.add_trigger.session_id = session
    record = today.add_trigger.trigger
    record.market_id = market
    record.trigger_price = price
    record.key.SetInParent()
    ParseDict(key, record.key)
    if limit is not None:
        old.add_trigger.prices.limit_price = limit
        record.limits.price = limit
        record.limits.SetInParent()
    if account is not None:
        old.add_trigger.account_id = account
        today.add_trigger.account_id = account
    assert parse_action(raw_of(old)) == (today, Generation.S1)
    assert parse_action(raw_of(today)) == (today, Generation.S3)


def test_a_trigger_of_no_generation_stays_as_it_is() -> None:
    bare = pb.Action()
    bare.add_trigger.session_id = 5
    assert parse_action(raw_of(bare)) == (bare, Generation.S3)


def test_legacy_transfers_mean_todays() -> None:
    old = s1.Action(nonce=1)
    old.transfer.session_id, old.transfer.amount = 9, 100
    assert parse_action(raw_of(old)).generation is Generation.S3
    old.transfer.to_account_id = 0
    today = pb.Action(nonce=1)
    today.transfer.session_id, today.transfer.amount = 9, 100
    today.transfer.to_account_id.owned.account_id = 0
    today.transfer.to_account_id.owned.SetInParent()
    assert parse_action(raw_of(old)) == (today, Generation.S1)
    old.transfer.ClearField("to_account_id")
    old.transfer.special_account = s1.FEE_VAULT
    today.transfer.to_account_id.special.SetInParent()
    assert parse_action(raw_of(old)) == (today, Generation.S1)


def test_a_quote_size_in_both_generations() -> None:
    """42,000 at 0.1 x 2.5 at 0.00001: 105,000 USD in units of 10^-6."""
    assert quote_units(pb.U128(lo=7, hi=2)) == 2 * 2**64 + 7
    assert legacy_quote(pb.U128(lo=250_000, hi=420_000)) == 105_000 * 10**6


def transferred() -> pb.Receipt:
    receipt = pb.Receipt(action_id=12)
    done = receipt.transferred
    done.from_account_id, done.token_id, done.amount, done.account_created = 3, 0, 55, True
    return receipt


@pytest.mark.parametrize("kind", ["owned", "unowned", "special", None])
def test_a_transfer_is_answered_in_the_clients_words(kind: str | None) -> None:
    receipt = transferred()
    expected = s1.Receipt(action_id=12)
    told = expected.transferred
    told.from_account_id, told.amount, told.account_created = 3, 55, True
    match kind:
        case "owned":
            receipt.transferred.to_account_id.owned.account_id = 8
            told.to_user_account = 8
        case "unowned":
            receipt.transferred.to_account_id.unowned.account_id = 8
            told.to_user_account = 8
        case "special":
            receipt.transferred.to_account_id.special.SetInParent()
            told.to_special_account = s1.FEE_VAULT
    assert encode_receipt(receipt, Generation.S1) == raw_receipt(expected)
    assert decode_receipt(encode_receipt(receipt)) == receipt


def raw_receipt(receipt: s1.Receipt) -> bytes:
    return frame(receipt.SerializeToString())


def placed() -> pb.PlaceOrderResult:
    """A result whose posted part is all zeros: present, and nothing in it."""
    result = pb.PlaceOrderResult(client_order_id=0)
    result.posted.SetInParent()
    result.fills.add(order_id=4, price=5, size=6, account_id=7)
    return result


BROKEN_FIELD_5 = bytes.fromhex("2a03120500")


def test_a_field_5_that_does_not_parse_is_skipped() -> None:
    """Another generation has another message there (protocol 5.7)."""
    good = placed().SerializeToString()
    body = frame(bytes.fromhex("08079202") + frame(good + BROKEN_FIELD_5))
    expected = pb.Receipt(action_id=7, trade_or_place=placed())
    assert decode_receipt(body) == expected


def test_a_field_5_is_skipped_in_a_batch_too() -> None:
    good = placed().SerializeToString()
    results = [b"\x0a" + frame(good + BROKEN_FIELD_5), b"\x12" + frame(bytes.fromhex("08011002"))]
    atomic = b"".join(b"\x0a" + frame(result) for result in results)
    expected = pb.Receipt(action_id=7)
    expected.atomic.results.add(place_order_result=placed())
    expected.atomic.results.add(cancel_order=pb.CancelOrderResult(order_id=1, account_id=2))
    assert decode_receipt(frame(bytes.fromhex("08079a04") + frame(atomic))) == expected


def test_damage_elsewhere_is_not_skipped() -> None:
    body = frame(bytes.fromhex("08079202") + frame(bytes.fromhex("0a03120500")))
    with pytest.raises(WireError):
        decode_receipt(body)


def test_error_0_is_there() -> None:
    receipt = decode_receipt(bytes.fromhex("0908abe5c9826d800200"))
    assert receipt.WhichOneof("kind") == "err"
    assert receipt.err == pb.DUPLICATE
    assert decode_receipt(bytes.fromhex("0608abe5c9826d")).WhichOneof("kind") is None


def test_unknown_fields_and_errors_survive() -> None:
    unknown_error = bytes.fromhex("0a08f9ed8cfb4780029221")
    assert decode_receipt(unknown_error).err == 4242
    unknown_field = bytes.fromhex("1908b0fbb3a688019a020908a6bc9795ac7f1005fa3e03010203")
    for body in (unknown_error, unknown_field):
        assert encode_receipt(decode_receipt(body)) == body
        assert decode_receipt(body + b"\xde\xad") == decode_receipt(body)


def test_a_receipt_has_at_most_102400_bytes() -> None:
    receipt = pb.Receipt()
    receipt.withdraw_result.user_pubkey = bytes(MOST_RECEIPT_BYTES - 9)
    body = encode_receipt(receipt)
    assert len(body) == MOST_RECEIPT_BYTES + 3
    assert decode_receipt(body) == receipt
    receipt.withdraw_result.user_pubkey += b"1"
    with pytest.raises(WireError, match="102400 allowed"):
        decode_receipt(encode_receipt(receipt))
