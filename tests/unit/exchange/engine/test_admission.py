"""Who may act: framing, time, replays, sessions and signatures, and no trace of what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import Scheme, signed_bytes
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.rules import RefuseNext
from tests.unit.exchange.traders import NS, START_S, Trader, error, opened, posted

CODES = pb.Error


def refusal(exchange: Exchange, body: bytes) -> int | None:
    before = exchange.dump()
    receipt = codec.decode_receipt(exchange.act(body))
    if error(receipt) is not None:
        assert exchange.dump() == before
        assert receipt.action_id == exchange.state.action_id + 1
    return error(receipt)


def a_place(trader: Trader, stamp_s: int = 0) -> bytes:
    order = trader.order(pb.BID, 900, 10, pb.POST_ONLY)
    return trader.body(pb.Action(place_order=order, current_timestamp=stamp_s))


def test_bodies_that_are_no_action() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    good = a_place(trader)
    for body, code in (
        (b"", CODES.DECODE_FAILURE_LENGTH_PREFIX),
        (b"\x80" * 20, CODES.DECODE_FAILURE_LENGTH_PREFIX),
        (good[:10], CODES.DECODE_FAILURE_LENGTH_PREFIX),
        (good + b"x", CODES.SIGNATURE_VERIFICATION_INVALID_LENGTH),
        (good[:-1], CODES.SIGNATURE_VERIFICATION_INVALID_LENGTH),
        (b"\x02\xff\xff" + bytes(64), CODES.DECODE_FAILURE_RAW),
        (b"\x00" + bytes(64), CODES.DECODE_FAILURE_DOMAIN),
        (bytes(1025), CODES.ENCODED_ACTION_TOO_LARGE),
    ):
        assert refusal(exchange, body) == code


@pytest.mark.parametrize("field", [9, 14, 36, 41])
def test_kinds_of_administrators_are_not_allowed(field: int) -> None:
    exchange = opened()
    tag = codec.frame(b"\x08\x01" + bytes([field << 3 & 0x7F | 0x82, field >> 4]) + b"\x00")
    assert refusal(exchange, tag + bytes(64)) == CODES.ACTION_NOT_ALLOWED


def test_taking_positions_is_not_allowed() -> None:
    trader = Trader(opened(), 1)
    asked = pb.TakePosition(session_id=trader.session_id, size=5)
    assert error(trader.send(pb.Action(take_position=asked))) == CODES.ACTION_NOT_ALLOWED


@pytest.mark.parametrize(("age", "code"), [(60, None), (-60, None), (61, 177), (-61, 177)])
def test_the_window_is_sixty_seconds_both_ways(age: int, code: int | None) -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    exchange.advance((START_S + 100) * NS + NS // 2)
    assert refusal(exchange, a_place(trader, stamp_s=START_S + 100 - age)) == code


def test_timestamps_of_any_size() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    for stamp in (-(2**63), -1, 1, 2**63 - 1):
        assert refusal(exchange, a_place(trader, stamp_s=stamp)) == 177


def test_a_stale_window_is_an_option() -> None:
    exchange = opened(rules={"stale_window_s": 10})
    trader = Trader(exchange, 1)
    for age, code in ((10, None), (11, CODES.TIMESTAMP_STALE), (61, 177)):
        body = a_place(trader, stamp_s=START_S - age)
        assert refusal(exchange, body) == code


def test_identical_bytes_are_a_duplicate_for_a_minute() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    body = a_place(trader, stamp_s=START_S + 60)
    assert refusal(exchange, body) is None
    assert refusal(exchange, body) == CODES.DUPLICATE
    exchange.advance((START_S + 60) * NS + NS - 1)
    assert refusal(exchange, body) == CODES.DUPLICATE
    again = opened()
    again.load(exchange.dump())
    assert refusal(again, body) == CODES.DUPLICATE
    exchange.advance((START_S + 61) * NS)
    assert refusal(exchange, body) is None
    assert len(exchange.state.accounts[1].orders) == 2


@pytest.mark.parametrize("remember", [False, True])
def test_whether_refused_actions_count_as_seen_is_an_option(remember: bool) -> None:
    exchange = opened(rules={"remember_failed": remember})
    trader = Trader(exchange, 1)
    body = trader.body(pb.Action(place_order=trader.order(pb.BID, 900, 10, pb.IMMEDIATE_OR_CANCEL)))
    codes = [error(codec.decode_receipt(exchange.act(body))) for _ in range(2)]
    assert codes == [133, CODES.DUPLICATE if remember else 133]


def test_a_bad_signature_is_never_remembered() -> None:
    exchange = opened(rules={"remember_failed": True})
    trader = Trader(exchange, 1)
    good = a_place(trader)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    for _ in range(2):
        assert refusal(exchange, forged) == CODES.INVALID_SIGNATURE
    assert refusal(exchange, good) is None


def test_replays_are_forgotten_in_time() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    for _ in range(5):
        exchange.act(a_place(trader))
    assert len(exchange.state.seen) == 6
    exchange.advance((START_S + 61) * NS)
    assert not exchange.state.seen


def test_a_session_acts_only_with_its_own_key() -> None:
    exchange = opened()
    first, second = Trader(exchange, 1), Trader(exchange, 2)
    first.session_id, mine = second.session_id, first.session_id
    assert error(first.place(pb.BID, 900, 1)) == CODES.INVALID_SIGNATURE
    first.session_id = 99
    assert error(first.place(pb.BID, 900, 1)) == CODES.SESSION_NOT_FOUND
    first.session_id = mine
    assert posted(first.place(pb.BID, 900, 1)) == 1


def test_wallets_sign_hex_or_a_solana_transaction() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    asked = pb.CreateSession(
        user_pubkey=trader.pubkey, session_pubkey=bytes(32), expiry_timestamp=START_S + 10
    )
    for framing in (None, pb.HEX, pb.SOLANA_TRANSACTION):
        if framing is not None:
            asked.signature_framing = framing
        action = pb.Action(current_timestamp=START_S, create_session=asked)
        raw = codec.frame(action.SerializeToString())
        solana = framing == pb.SOLANA_TRANSACTION
        right, wrong = (Scheme.SOLANA, Scheme.HEX) if solana else (Scheme.HEX, Scheme.SOLANA)
        for scheme, code in ((wrong, 217), (Scheme.RAW, 217), (right, None)):
            message = signed_bytes(scheme, raw, trader.pubkey)
            assert refusal(exchange, raw + trader.wallet.sign(message).signature) == code


def test_a_wallet_key_of_the_wrong_size_is_malformed() -> None:
    trader = Trader(opened(), 1)
    asked = pb.CreateSession(user_pubkey=b"short", session_pubkey=bytes(32))
    receipt = trader.send(pb.Action(create_session=asked))
    assert error(receipt) == CODES.SIGNATURE_VERIFICATION_MALFORMED_PUBLIC_KEY


def test_an_unknown_wallet_is_funded_or_refused() -> None:
    for usd, code in ((0, CODES.USER_NOT_FOUND), (5, None)):
        exchange = opened(usd=usd)
        wallet = SigningKey(bytes(32))
        asked = pb.CreateSession(
            user_pubkey=bytes(wallet.verify_key),
            session_pubkey=bytes(32),
            expiry_timestamp=START_S + 1,
        )
        raw = codec.frame(
            pb.Action(current_timestamp=START_S, create_session=asked).SerializeToString()
        )
        assert refusal(exchange, raw + wallet.sign(raw.hex().encode()).signature) == code


def test_maintenance_refuses_everything_and_orders_rest() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    order_id = posted(trader.place(pb.BID, 900, 1))
    exchange.rules.maintenance = True
    assert error(trader.cancel(order_id)) == CODES.MAINTENANCE
    assert error(trader.open_session()) == CODES.MAINTENANCE
    exchange.rules.maintenance = False
    assert trader.cancel(order_id).cancel_order_result.order_id == order_id


def test_the_next_action_of_a_kind_can_be_refused() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    exchange.rules.err_next = [RefuseNext(999, "atomic"), RefuseNext(135, "place_order")]
    assert error(trader.place(pb.BID, 900, 1)) == 135
    assert error(trader.place(pb.BID, 900, 1)) is None
    assert error(trader.batch()) == 999
    assert exchange.rules.err_next == []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_hostile_bytes_never_raise_or_change_anything(data: st.DataObject) -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    body = bytearray(a_place(trader))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(body) - 65))
        body[at] = data.draw(st.integers(0, 255))
    resigned = bytes(body[:-64]) + trader.key.sign(bytes(body[:-64])).signature
    garbage = data.draw(st.binary(max_size=200))
    refusal(exchange, resigned)
    assert refusal(exchange, garbage) is not None
    assert exchange.violations() == []
