"""Actions a market maker sends, as values, and their bytes (protocol 5.5). Pure.

Prices are ticks and sizes lots: the raw integers of the wire. Withdraw, transfer and the kinds of
administrators are not here, so nothing that is built from this module can send them.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from msgspec import Struct

from mmbot.adapters.zo.wire.codec import action_raw
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.scaling import U64_MAX
from mmbot.cext import batches
from mmbot.domain.order import FillMode, Side
from mmbot.errors import ActionError

MOST_PARTS = 4
CLIENT_ORDER_ID_END = 2**63
PUBKEY_BYTES = 32


class TriggerKind(IntEnum):
    """What a trigger protects."""

    STOP_LOSS = 0
    TAKE_PROFIT = 1


class Intent(IntEnum):
    """What a trigger's order may do to the position."""

    DECREASE = 0
    INCREASE = 1


class Framing(IntEnum):
    """What a wallet signs: the hex text, or a Solana transaction for hardware wallets."""

    HEX = 0
    SOLANA_TRANSACTION = 1


class PlaceOrder(Struct, frozen=True, gc=False):
    """Place an order. 0 ticks, lots or quote units are no limit; one of them must be set.

    `quote_units` are 10^-(price decimals + size decimals) of the quote token.
    """

    market_id: int
    side: Side
    mode: FillMode
    ticks: int
    lots: int
    client_order_id: int | None = None
    reduce_only: bool = False
    quote_units: int = 0
    tracking_id: int | None = None


class CancelById(Struct, frozen=True, gc=False):
    """Cancel by the venue's id; `market_id` is not sent, it lets a batch's order be checked."""

    order_id: int
    market_id: int | None = None


class CancelByClientId(Struct, frozen=True, gc=False):
    """Cancel by the id the client gave."""

    client_order_id: int


class Atomic(Struct, frozen=True, gc=False):
    """Places and cancels of one account that happen together or not at all."""

    parts: tuple[PlaceOrder | CancelById, ...]


class AddTrigger(Struct, frozen=True, gc=False):
    """Add a stop loss or take profit; without limits it sends a market order for the position."""

    market_id: int
    side: Side
    kind: TriggerKind
    trigger_ticks: int
    intent: Intent = Intent.DECREASE
    limit_ticks: int = 0
    limit_lots: int = 0


class RemoveTrigger(Struct, frozen=True, gc=False):
    """Remove a trigger; without `trigger_ticks` every one of this kind and side."""

    market_id: int
    side: Side
    kind: TriggerKind
    trigger_ticks: int | None = None
    intent: Intent = Intent.DECREASE
    limit_ticks: int = 0
    limit_lots: int = 0


class CreateSession(Struct, frozen=True, gc=False):
    """Let a session key act for a wallet until `expiry_s` of engine time."""

    user_pubkey: bytes
    session_pubkey: bytes
    expiry_s: int
    framing: Framing | None = None


class RevokeSession(Struct, frozen=True, gc=False):
    """End a session."""

    session_id: int


SessionAction = PlaceOrder | CancelById | CancelByClientId | Atomic | AddTrigger | RemoveTrigger
WalletAction = CreateSession | RevokeSession


class Envelope(Struct, frozen=True, gc=False):
    """What every action carries: engine time, nonce, and who acts (None: the first account)."""

    timestamp_s: int
    nonce: int
    session_id: int = 0
    account_id: int | None = None


def encode(
    action: SessionAction | WalletAction, envelope: Envelope, most_parts: int = MOST_PARTS
) -> bytes:
    """Return length and payload of an action: the bytes to sign.

    ActionError for everything the venue's own clients refuse, and for integers that do not fit.
    `most_parts` is how many parts of a batch the venue takes.
    """
    try:
        if isinstance(action, Atomic):
            if not 1 <= len(action.parts) <= most_parts:
                raise ValueError(f"a batch has 1 to {most_parts} parts, not {len(action.parts)}")
            return batches.atomic(envelope, action.parts, PlaceOrder, CancelById)
        return action_raw(_message(action, envelope))
    except (ValueError, TypeError) as wrong:
        raise ActionError(f"{type(action).__name__}: {wrong}") from None


def _message(action: SessionAction | WalletAction, envelope: Envelope) -> pb.Action:
    message = pb.Action()
    write = _WRITERS.get(type(action))
    if write is None:
        raise TypeError("no action of a market maker")
    if envelope.timestamp_s < 0:
        raise ValueError(f"timestamp {envelope.timestamp_s} is negative")
    message.current_timestamp = envelope.timestamp_s
    message.nonce = envelope.nonce
    write(message, action, envelope)
    return message


def _session(envelope: Envelope) -> int:
    if envelope.session_id == 0:
        raise ValueError("session id 0 is no session")
    return envelope.session_id


def _side(side: Side) -> pb.Side.ValueType:
    return pb.BID if side is Side.BID else pb.ASK


def _client_id(number: int) -> int:
    if number >= CLIENT_ORDER_ID_END:
        raise ValueError(f"client order id {number} is not below 2^63")
    return number


def _place_order(message: pb.Action, action: PlaceOrder, envelope: Envelope) -> None:
    target = message.place_order
    target.session_id = _session(envelope)
    target.market_id = action.market_id
    target.side = _side(action.side)
    target.fill_mode = pb.FillMode.ValueType(action.mode)
    target.is_reduce_only = action.reduce_only
    if not (action.ticks or action.lots or action.quote_units):
        raise ValueError("at least one of price, size and quote size must be set")
    target.price = action.ticks
    target.size = action.lots
    if action.quote_units:
        target.quote_size.lo = action.quote_units & U64_MAX
        target.quote_size.hi = action.quote_units >> 64
    if action.client_order_id is not None:
        target.client_order_id = _client_id(action.client_order_id)
    if envelope.account_id is not None:
        target.sender_account_id = envelope.account_id
    if action.tracking_id is not None:
        target.sender_tracking_id = action.tracking_id


def _cancel_by_id(message: pb.Action, action: CancelById, envelope: Envelope) -> None:
    target = message.cancel_order_by_id
    target.session_id = _session(envelope)
    target.order_id = action.order_id
    if envelope.account_id is not None:
        target.sender_account_id = envelope.account_id


def _cancel_by_client_id(message: pb.Action, action: CancelByClientId, envelope: Envelope) -> None:
    target = message.cancel_order_by_client_id
    target.session_id = _session(envelope)
    target.client_order_id = _client_id(action.client_order_id)
    if envelope.account_id is not None:
        target.sender_account_id = envelope.account_id


def _add_trigger(message: pb.Action, action: AddTrigger, envelope: Envelope) -> None:
    if action.trigger_ticks == 0:
        raise ValueError("the trigger price must be positive")
    target = message.add_trigger
    target.session_id = _session(envelope)
    target.intent = pb.TriggerIntent.ValueType(action.intent)
    target.trigger.market_id = action.market_id
    target.trigger.trigger_price = action.trigger_ticks
    _trigger_key(target.trigger.key, action)
    _trigger_limits(target.trigger, action)
    if envelope.account_id is not None:
        target.account_id = envelope.account_id


def _remove_trigger(message: pb.Action, action: RemoveTrigger, envelope: Envelope) -> None:
    target = message.remove_trigger
    target.session_id = _session(envelope)
    target.market_id = action.market_id
    target.intent = pb.TriggerIntent.ValueType(action.intent)
    _trigger_key(target.key, action)
    _trigger_limits(target, action)
    if action.trigger_ticks is not None:
        target.price = action.trigger_ticks
    if envelope.account_id is not None:
        target.account_id = envelope.account_id


def _trigger_key(key: pb.TriggerKey, action: AddTrigger | RemoveTrigger) -> None:
    key.kind = pb.TriggerKind.ValueType(action.kind)
    key.side = _side(action.side)
    key.SetInParent()


def _trigger_limits(
    target: pb.TriggerRecord | pb.RemoveTrigger, action: AddTrigger | RemoveTrigger
) -> None:
    if action.limit_ticks or action.limit_lots:
        target.limits.price = action.limit_ticks
        target.limits.size = action.limit_lots


def _create_session(message: pb.Action, action: CreateSession, envelope: Envelope) -> None:
    if {len(action.user_pubkey), len(action.session_pubkey)} != {PUBKEY_BYTES}:
        raise ValueError(f"a public key has {PUBKEY_BYTES} bytes")
    if action.expiry_s <= envelope.timestamp_s:
        raise ValueError("the expiry is not after the timestamp")
    target = message.create_session
    target.user_pubkey = action.user_pubkey
    target.session_pubkey = action.session_pubkey
    target.expiry_timestamp = action.expiry_s
    if action.framing is not None:
        target.signature_framing = pb.SignatureFraming.ValueType(action.framing)


def _revoke_session(message: pb.Action, action: RevokeSession, _: Envelope) -> None:
    if action.session_id == 0:
        raise ValueError("session id 0 is no session")
    message.revoke_session.session_id = action.session_id


_WRITERS: dict[type, Callable[[pb.Action, Any, Envelope], None]] = {
    PlaceOrder: _place_order,
    CancelById: _cancel_by_id,
    CancelByClientId: _cancel_by_client_id,
    AddTrigger: _add_trigger,
    RemoveTrigger: _remove_trigger,
    CreateSession: _create_session,
    RevokeSession: _revoke_session,
}
