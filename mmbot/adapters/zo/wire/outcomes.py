"""What became of an action: its reply read, and believed only when it answers the action field by
field (protocol 5.7, fault P11). Anything else is Unknown, never partly trusted. Pure.
"""

from msgspec import Struct

from mmbot.adapters.zo.wire.actions import (
    AddTrigger,
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    PlaceOrder,
    RemoveTrigger,
    RevokeSession,
    SessionAction,
    WalletAction,
)
from mmbot.adapters.zo.wire.codec import decode_receipt
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import Group, Refusal, refusal
from mmbot.domain.order import FillMode, Side
from mmbot.errors import WireError


class Fill(Struct, frozen=True, gc=False):
    """One execution in a receipt; `maker_order_id` is not one's own (protocol 5.7)."""

    maker_order_id: int
    ticks: int
    lots: int


class Placed(Struct, frozen=True, gc=False):
    """What a place did. `order_id` is None when nothing rests: such an order never gets one."""

    order_id: int | None
    resting_lots: int
    fills: tuple[Fill, ...]


class Cancelled(Struct, frozen=True, gc=False):
    """An order that is gone by our cancel."""

    order_id: int


class SessionCreated(Struct, frozen=True, gc=False):
    """The session's id, never 0."""

    session_id: int


class Done(Struct, frozen=True, gc=False):
    """Happened, and there is nothing more to tell: session revoked, trigger added or removed."""


Result = Placed | Cancelled | SessionCreated | Done


class Accepted(Struct, frozen=True, gc=False):
    """Executed; one result for every part of the action, in its order."""

    action_id: int
    results: tuple[Result, ...]


class Rejected(Struct, frozen=True, gc=False):
    """Refused as a whole; nothing changed at the venue (DUPLICATE: the first copy may have)."""

    refusal: Refusal


class Unknown(Struct, frozen=True, gc=False):
    """Nobody knows: it may have happened or may yet happen; the reason is for people.

    `number` is the venue's error where it sent one, `retry_after_s` its wish to be left alone.
    """

    reason: str
    number: int | None = None
    retry_after_s: float | None = None


class NotSent(Struct, frozen=True, gc=False):
    """No byte of the request left: the venue has not seen it."""

    reason: str


Outcome = Accepted | Rejected | Unknown


# Nobody can say whether these were executed (reliability 3.2 rule 5).
_UNSETTLED = frozenset({pb.MAINTENANCE, pb.DROPPED})


class _Mismatch(Exception):  # noqa: N818 - it ends in an Unknown
    """A receipt is not the answer to the action."""


def read_outcome(body: bytes, action: SessionAction | WalletAction, account_id: int) -> Outcome:
    """Read the reply to an action that `account_id` sent; never raises, whatever the bytes are."""
    try:
        receipt = decode_receipt(body)
        if receipt.WhichOneof("kind") == "err":
            return _rejected(receipt.err)
        return Accepted(receipt.action_id, _results(receipt, action, account_id))
    except WireError as wrong:
        return Unknown(str(wrong))
    except _Mismatch as wrong:
        return Unknown(f"receipt of action {receipt.action_id}: {wrong}")


def _rejected(number: int) -> Outcome:
    found = refusal(number)
    if number in _UNSETTLED or found.group is Group.UNKNOWN:
        return Unknown(found.name, number=number)
    return Rejected(found)


def _results(
    receipt: pb.Receipt, action: SessionAction | WalletAction, account_id: int
) -> tuple[Result, ...]:
    _need(receipt.WhichOneof("kind") == _KINDS[type(action)], "kind", receipt.WhichOneof("kind"))
    _need(receipt.action_id > 0, "action id", receipt.action_id)
    if isinstance(action, Atomic):
        return _batch(receipt.atomic, action, account_id)
    if isinstance(action, PlaceOrder):
        return (_placed(receipt.trade_or_place, action, account_id),)
    if isinstance(action, CancelById | CancelByClientId):
        return (_cancelled(receipt.cancel_order_result, action, account_id),)
    if isinstance(action, CreateSession):
        session_id = receipt.create_session_result.session_id
        _need(session_id > 0, "session id", session_id)
        return (SessionCreated(session_id),)
    return (Done(),)


_KINDS: dict[type, str] = {
    PlaceOrder: "trade_or_place",
    CancelById: "cancel_order_result",
    CancelByClientId: "cancel_order_result",
    Atomic: "atomic",
    AddTrigger: "trigger_added",
    RemoveTrigger: "trigger_removed",
    CreateSession: "create_session_result",
    RevokeSession: "session_revoked",
}


def _need(holds: bool, what: str, found: object) -> None:
    if not holds:
        raise _Mismatch(f"{what} is {found}")


def _batch(found: pb.AtomicResult, action: Atomic, account_id: int) -> tuple[Result, ...]:
    _need(len(found.results) == len(action.parts), "number of results", len(found.results))
    results: list[Result] = []
    for result, part in zip(found.results, action.parts, strict=True):
        kind = result.WhichOneof("inner")
        if isinstance(part, PlaceOrder):
            _need(kind == "place_order_result", "kind of a result", kind)
            results.append(_placed(result.place_order_result, part, account_id))
        else:
            _need(kind == "cancel_order", "kind of a result", kind)
            results.append(_cancelled(result.cancel_order, part, account_id))
    return tuple(results)


def _cancelled(
    found: pb.CancelOrderResult, action: CancelById | CancelByClientId, account_id: int
) -> Cancelled:
    _need(found.account_id == account_id, "account", found.account_id)
    if isinstance(action, CancelById):
        _need(found.order_id == action.order_id, "order id", found.order_id)
    else:
        _need(found.order_id > 0, "order id", found.order_id)
        if found.HasField("client_order_id"):
            same = found.client_order_id == action.client_order_id
            _need(same, "client order id", found.client_order_id)
    return Cancelled(found.order_id)


def _placed(found: pb.PlaceOrderResult, action: PlaceOrder, account_id: int) -> Placed:
    if action.client_order_id is not None:
        same = found.HasField("client_order_id")
        same &= found.client_order_id == action.client_order_id
        _need(same, "client order id", found.client_order_id)
    fills = tuple(_fill(fill, action) for fill in found.fills)
    filled = sum(fill.lots for fill in fills)
    order_id, resting = None, 0
    if found.HasField("posted"):
        _check_posted(found.posted, action, account_id)
        order_id, resting = found.posted.order_id, found.posted.size
    _check_amounts(action, filled, resting)
    return Placed(order_id, resting, fills)


def _fill(found: pb.PlaceOrderResult.Trade, action: PlaceOrder) -> Fill:
    _need(found.size > 0, "size of a fill", found.size)
    _need(found.price > 0, "price of a fill", found.price)
    if action.ticks:
        worse = (found.price - action.ticks) * action.side
        _need(worse <= 0, f"price of a fill within {action.ticks}", found.price)
    return Fill(found.order_id, found.price, found.size)


def _check_posted(found: pb.PlaceOrderResult.Posted, action: PlaceOrder, account_id: int) -> None:
    _need(action.mode in (FillMode.LIMIT, FillMode.POST_ONLY), "rest of", action.mode.name)
    _need(found.order_id > 0, "order id", found.order_id)
    _need(found.account_id == account_id, "account", found.account_id)
    _need(found.market_id == action.market_id, "market", found.market_id)
    _need(found.side == (pb.BID if action.side is Side.BID else pb.ASK), "side", found.side)
    _need(found.price == action.ticks, "price", found.price)
    _need(found.size > 0, "size", found.size)


def _check_amounts(action: PlaceOrder, filled: int, resting: int) -> None:
    # Less than asked for only where something else limits the size.
    total = filled + resting
    if action.lots:
        _need(total <= action.lots, f"size of {action.lots}", total)
    if action.mode is FillMode.POST_ONLY:
        _need(filled == 0, "filled part of a post-only order", filled)
    capped = action.reduce_only or action.quote_units or not action.lots
    if action.mode is not FillMode.IOC and not capped:
        _need(total == action.lots, f"size of {action.lots}", total)
