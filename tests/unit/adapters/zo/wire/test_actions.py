"""Actions as values against the generated messages filled field by field, and what is refused."""

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mmbot.adapters.zo.wire.actions import (
    AddTrigger,
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    Envelope,
    Framing,
    Intent,
    PlaceOrder,
    RemoveTrigger,
    RevokeSession,
    SessionAction,
    TriggerKind,
    WalletAction,
    encode,
)
from mmbot.adapters.zo.wire.codec import Generation, action_raw, parse_action
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode, Side
from mmbot.errors import ActionError

CHECKED = settings(max_examples=300, deadline=None, derandomize=True)
U32 = st.integers(0, 2**32 - 1)
U63 = st.integers(0, 2**63 - 1)
U64 = st.integers(0, 2**64 - 1)
SOME = Envelope(1767531506, 4989, 826020953252, 227)

ENVELOPES = st.builds(Envelope, U63, U32, U64.filter(bool), st.none() | U32)
PLACES = st.builds(
    PlaceOrder,
    U32,
    st.sampled_from(Side),
    st.sampled_from(FillMode),
    U64,
    U64.filter(bool),
    client_order_id=st.none() | U63,
    reduce_only=st.booleans(),
    quote_units=st.just(0) | st.integers(0, 2**128 - 1),
)
TRIGGERS: dict[str, Any] = {
    "market_id": U32,
    "side": st.sampled_from(Side),
    "kind": st.sampled_from(TriggerKind),
    "intent": st.sampled_from(Intent),
    "limit_ticks": st.just(0) | U64,
    "limit_lots": st.just(0) | U64,
}
ACTIONS: st.SearchStrategy[SessionAction] = st.one_of(
    PLACES,
    st.tuples(PLACES, U64).map(lambda made: replace(made[0], tracking_id=made[1])),
    st.builds(CancelById, U64),
    st.builds(CancelByClientId, U63),
    st.lists(PLACES | st.builds(CancelById, U64), min_size=1, max_size=4).map(
        lambda parts: Atomic(tuple(parts))
    ),
    st.builds(AddTrigger, trigger_ticks=U64.filter(bool), **TRIGGERS),
    st.builds(RemoveTrigger, trigger_ticks=st.none() | U64, **TRIGGERS),
)


def present(**fields: object) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in fields.items() if value is not None}


def limit(action: PlaceOrder) -> dict[str, Any]:
    quote = {"hi": action.quote_units >> 64, "lo": action.quote_units % 2**64}
    return present(
        price=action.ticks, size=action.lots, quote_size=quote if action.quote_units else None
    )


def style(action: PlaceOrder) -> dict[str, Any]:
    return {
        "side": action.side.name,
        "fill_mode": ["LIMIT", "POST_ONLY", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"][action.mode],
        "is_reduce_only": action.reduce_only,
    }


def part(action: PlaceOrder | CancelById) -> dict[str, Any]:
    if isinstance(action, CancelById):
        return {"cancel_order": {"order_id": action.order_id}}
    place = present(
        market_id=action.market_id,
        place_type=style(action),
        limit=limit(action),
        client_order_id=action.client_order_id,
    )
    return {"trade_or_place": place}


def key(action: AddTrigger | RemoveTrigger) -> dict[str, Any]:
    return {"kind": action.kind.name, "side": action.side.name}


def trigger_limits(action: AddTrigger | RemoveTrigger) -> dict[str, Any] | None:
    given = {"price": action.limit_ticks, "size": action.limit_lots}
    return given if any(given.values()) else None


def fields(action: SessionAction, session: int, account: int | None) -> dict[str, Any]:
    """The fields of each kind as the protocol page lists them."""
    match action:
        case PlaceOrder():
            named = present(
                client_order_id=action.client_order_id,
                sender_tracking_id=action.tracking_id,
                sender_account_id=account,
            )
            place = {"session_id": session, "market_id": action.market_id, **named}
            return {"place_order": {**place, **style(action), **limit(action)}}
        case CancelById(order_id):
            cancel = present(session_id=session, order_id=order_id, sender_account_id=account)
            return {"cancel_order_by_id": cancel}
        case CancelByClientId(client_id):
            cancel = present(
                session_id=session, client_order_id=client_id, sender_account_id=account
            )
            return {"cancel_order_by_client_id": cancel}
        case Atomic(parts):
            actions = [part(one) for one in parts]
            return {"atomic": {"session_id": session, "account_id": account, "actions": actions}}
        case AddTrigger():
            record = present(
                key=key(action),
                trigger_price=action.trigger_ticks,
                market_id=action.market_id,
                limits=trigger_limits(action),
            )
            own = present(session_id=session, account_id=account)
            return {"add_trigger": {**own, "intent": action.intent.name, "trigger": record}}
        case RemoveTrigger():
            removed = present(
                session_id=session,
                account_id=account,
                market_id=action.market_id,
                key=key(action),
                price=action.trigger_ticks,
                intent=action.intent.name,
                limits=trigger_limits(action),
            )
            return {"remove_trigger": removed}


@CHECKED
@given(ACTIONS, ENVELOPES)
@example(RemoveTrigger(0, Side.BID, TriggerKind.STOP_LOSS, 0), Envelope(0, 0, 1, 0))
@example(PlaceOrder(0, Side.ASK, FillMode.LIMIT, 0, 1, 0, tracking_id=0), Envelope(0, 0, 1, 0))
@example(CancelByClientId(0), Envelope(0, 0, 1, 0))
def test_the_bytes_are_those_of_the_generated_messages(
    action: SessionAction, envelope: Envelope
) -> None:
    if isinstance(action, Atomic) and envelope.account_id is None:
        with pytest.raises(ActionError, match="account"):
            encode(action, envelope)
        return
    told = {
        "current_timestamp": envelope.timestamp_s,
        "nonce": envelope.nonce,
        **fields(action, envelope.session_id, envelope.account_id),
    }
    message = ParseDict(told, pb.Action())
    raw = encode(action, envelope)
    assert len(raw) <= 1024
    assert raw == action_raw(message)
    assert parse_action(raw) == (message, Generation.S3)


BID, LIMIT = Side.BID, FillMode.LIMIT
KEY = bytes(32)


@pytest.mark.parametrize(
    ("action", "envelope", "reason"),
    [
        (CancelById(1), Envelope(1, 1, 0, 7), "session id 0"),
        (CancelById(1), Envelope(-1, 1, 5, 7), "negative"),
        (CancelById(1), Envelope(1, 2**32, 5, 7), "range"),
        (CancelById(-1), SOME, "range"),
        (CancelById(2**64), SOME, "range"),
        (CancelByClientId(2**63), SOME, "2.63"),
        (PlaceOrder(0, BID, LIMIT, 0, 0), SOME, "at least one of"),
        (PlaceOrder(0, BID, LIMIT, 1, 2**64), SOME, "range"),
        (PlaceOrder(2**32, BID, LIMIT, 1, 1), SOME, "range"),
        (PlaceOrder(0, BID, LIMIT, 1, 1, client_order_id=2**63), SOME, "2.63"),
        (PlaceOrder(0, BID, LIMIT, 1, 1, client_order_id=-1), SOME, "range"),
        (PlaceOrder(0, BID, LIMIT, 0, 0, quote_units=2**128), SOME, "range"),
        (PlaceOrder(0, BID, LIMIT, 0, 0, quote_units=-1), SOME, "range"),
        (PlaceOrder(0, BID, LIMIT, float("nan"), 1), SOME, "float"),  # type: ignore[arg-type]
        (PlaceOrder(0, BID, LIMIT, 1, 2.0), SOME, "float"),  # type: ignore[arg-type]
        (Atomic(()), SOME, "1 to 4 parts"),
        (Atomic((CancelById(1),) * 5), SOME, "1 to 4 parts"),
        (Atomic((CancelById(1),)), Envelope(1, 1, 5), "account"),
        (Atomic((CancelById(1),)), Envelope(1, 1, 0, 7), "session id 0"),
        (Atomic((CancelByClientId(1),)), SOME, "no part"),  # type: ignore[arg-type]
        (AddTrigger(0, BID, TriggerKind.STOP_LOSS, 0), SOME, "positive"),
        (RevokeSession(0), SOME, "session id 0"),
        (CreateSession(KEY, KEY, 10), Envelope(10, 1), "expiry"),
        (CreateSession(KEY, KEY[1:], 11), Envelope(10, 1), "32 bytes"),
        (CreateSession(KEY * 2, KEY, 11), Envelope(10, 1), "32 bytes"),
        ("withdraw", SOME, "no action"),
        (pb.Withdraw(amount=1), SOME, "no action"),
    ],
)
def test_what_is_refused(
    action: SessionAction | WalletAction, envelope: Envelope, reason: str
) -> None:
    with pytest.raises(ActionError, match=reason):
        encode(action, envelope)


def test_more_parts_where_the_venue_takes_them() -> None:
    assert encode(Atomic((CancelById(1),) * 10), SOME, most_parts=10)


@pytest.mark.parametrize("framing", [None, *Framing])
def test_a_session_with_and_without_framing(framing: Framing | None) -> None:
    """An explicit HEX, which is 0, is on the wire (protocol 5.5)."""
    raw = encode(CreateSession(KEY, b"s" * 32, 99, framing), Envelope(5, 0))
    message = parse_action(raw).action.create_session
    assert message.HasField("signature_framing") is (framing is not None)
    assert message.signature_framing == (framing or 0)
    assert (message.session_pubkey, message.expiry_timestamp) == (b"s" * 32, 99)
