"""What became of an action: accepted, rejected or unknown. Pure; only proof settles a question.

A receipt is believed when every part of it fits the request it answers (reliability 6.3, P11).
"""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from mmbot.adapters.zo import codec, shapes
from mmbot.adapters.zo.proto import nord_pb2 as pb
from mmbot.adapters.zo.refusals import Group, refusal
from mmbot.adapters.zo.transport import Reply
from mmbot.errors import WireError

# Executed or not, nobody can say (reliability 3.2 rule 5); 137 may end while a copy is under way.
_UNSETTLED = frozenset({pb.MAINTENANCE, pb.DROPPED})
_RECEIPT_OF = {
    "create_session": "create_session_result",
    "revoke_session": "session_revoked",
    "place_order": "trade_or_place",
    "cancel_order_by_id": "cancel_order_result",
    "cancel_order_by_client_id": "cancel_order_result",
    "add_trigger": "trigger_added",
    "remove_trigger": "trigger_removed",
    "atomic": "atomic",
}
_IMMEDIATE = frozenset({pb.IMMEDIATE_OR_CANCEL, pb.FILL_OR_KILL})


class Accepted(Struct, frozen=True):
    """Done, as the receipt says."""

    receipt: pb.Receipt


class Rejected(Struct, frozen=True):
    """Not done. `group` says what to do; G2 means that an earlier copy of the bytes was taken."""

    number: int
    name: str
    group: Group

    @property
    def meaning(self) -> str:
        """What to do about it, in words."""
        return self.group.value


class Unknown(Struct, frozen=True):
    """Done or not: resend the same bytes or look at the venue's truth, never sign anew.

    `number` is the venue's error where it sent one, `retry_after_s` its wish to be left alone.
    """

    reason: str
    number: int | None = None
    retry_after_s: float | None = None


Outcome: TypeAlias = Accepted | Rejected | Unknown


def judge(body: bytes, reply: Reply) -> Outcome:
    """Return what a reply of `POST /action` says about the action in `body`."""
    if reply.status != 200:
        return _refused_by_gateway(reply)
    if reply.content_type == "text/html":
        return Unknown("the answer is a web page")
    try:
        receipt = codec.decode_receipt(reply.body)
    except WireError as error:
        return Unknown(str(error))
    kind = receipt.WhichOneof("kind")
    if kind == "err":
        return _refused_by_engine(receipt.err)
    request, _ = codec.parse_action(codec.split_body(body)[0])
    difference = _difference(request, receipt, kind)
    if difference:
        return Unknown(f"the receipt does not fit the action: {difference}")
    return Accepted(receipt)


def retry_after_s(text: str) -> float | None:
    """Return the seconds of a Retry-After header, None when it has no plain number."""
    plain = text.isascii() and text.isdecimal() and len(text) < 10
    return float(text) if plain else None


def _refused_by_gateway(reply: Reply) -> Outcome:
    """Believe 4xx only with the body that the protocol documents for it (protocol 3.1, 5.10)."""
    if reply.status == 413 and _fits(reply.body, shapes.TooManyShape):
        return Rejected(reply.status, "BODY_TOO_LARGE", Group.G10)
    if reply.status == 415 and _fits(reply.body, shapes.ExpectedShape):
        return Rejected(reply.status, "WRONG_CONTENT_TYPE", Group.G10)
    if reply.status == 400 and reply.body.strip() == b"null":
        return Rejected(reply.status, "BAD_REQUEST", Group.G10)
    return Unknown(f"HTTP {reply.status}", retry_after_s=retry_after_s(reply.retry_after))


def _fits(body: bytes, shape: type) -> bool:
    try:
        msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _refused_by_engine(number: int) -> Outcome:
    found = refusal(number)
    if found.group is Group.UNKNOWN or number in _UNSETTLED:
        return Unknown(f"the venue answered {found.name}", number=number)
    return Rejected(found.number, found.name, found.group)


def _difference(request: pb.Action, receipt: pb.Receipt, kind: str | None) -> str:
    asked = request.WhichOneof("kind") or ""
    if kind is None or kind != _RECEIPT_OF.get(asked):
        return f"{asked} is answered by {kind}"
    if asked == "create_session":
        return "" if receipt.create_session_result.session_id else "session id 0"
    if asked == "place_order":
        return _place_difference(_from_single(request.place_order), receipt.trade_or_place)
    if kind == "cancel_order_result":
        return _cancel_difference(request, receipt.cancel_order_result)
    return _batch_difference(request.atomic, receipt.atomic) if asked == "atomic" else ""


class _Asked(Struct, frozen=True):
    # A place of either form.
    market_id: int
    side: int
    mode: int
    reduces: bool
    limit: pb.PlaceOrder | pb.OrderLimit
    client_order_id: int | None
    account_id: int | None


def _from_single(place: pb.PlaceOrder) -> _Asked:
    return _Asked(
        place.market_id,
        place.side,
        place.fill_mode,
        place.is_reduce_only,
        place,
        place.client_order_id if place.HasField("client_order_id") else None,
        place.sender_account_id if place.HasField("sender_account_id") else None,
    )


def _from_batch(place: pb.TradeOrPlace, batch: pb.Atomic) -> _Asked:
    return _Asked(
        place.market_id,
        place.place_type.side,
        place.place_type.fill_mode,
        place.place_type.is_reduce_only,
        place.limit,
        place.client_order_id if place.HasField("client_order_id") else None,
        batch.account_id if batch.HasField("account_id") else None,
    )


def _place_difference(asked: _Asked, done: pb.PlaceOrderResult) -> str:
    named = done.client_order_id if done.HasField("client_order_id") else asked.client_order_id
    if named != asked.client_order_id:
        return "client order id"
    return _posted_difference(asked, done) or _fills_difference(asked, done)


def _posted_difference(asked: _Asked, done: pb.PlaceOrderResult) -> str:
    if not done.HasField("posted"):
        rests = asked.mode not in _IMMEDIATE and not asked.reduces
        return "nothing posted and nothing filled" if rests and not done.fills else ""
    posted = done.posted
    wrong = {
        "an immediate order rests": asked.mode in _IMMEDIATE,
        "order id 0": posted.order_id == 0,
        "market": posted.market_id != asked.market_id,
        "side": posted.side != asked.side,
        "price": posted.price != asked.limit.price,
        "account": asked.account_id not in (None, posted.account_id),
        "size 0": posted.size == 0,
    }
    return next((name for name, is_so in wrong.items() if is_so), "")


def _fills_difference(asked: _Asked, done: pb.PlaceOrderResult) -> str:
    if done.fills and asked.mode == pb.POST_ONLY:
        return "a post-only order was filled at once"
    limit, is_bid = asked.limit, asked.side == pb.BID
    for fill in done.fills:
        beyond = fill.price > limit.price if is_bid else fill.price < limit.price
        if fill.size == 0 or fill.price == 0 or (limit.price and beyond):
            return "the price or size of a fill"
    total = sum(fill.size for fill in done.fills) + done.posted.size
    # Reduce-only follows the position, a quote size ends where its money does.
    partial = asked.mode == pb.IMMEDIATE_OR_CANCEL or asked.reduces
    if limit.size and (total > limit.size or (total < limit.size and not partial)):
        return "size" if not limit.HasField("quote_size") or total > limit.size else ""
    return ""


def _cancel_difference(request: pb.Action, done: pb.CancelOrderResult) -> str:
    if request.WhichOneof("kind") == "cancel_order_by_id":
        asked = request.cancel_order_by_id
        wrong = done.order_id != asked.order_id
        account = asked.sender_account_id if asked.HasField("sender_account_id") else None
    else:
        by_client = request.cancel_order_by_client_id
        named = done.client_order_id if done.HasField("client_order_id") else None
        wrong = done.order_id == 0 or named not in (None, by_client.client_order_id)
        account = by_client.sender_account_id if by_client.HasField("sender_account_id") else None
    if account not in (None, done.account_id):
        return "account"
    return "order id" if wrong else ""


def _batch_difference(batch: pb.Atomic, done: pb.AtomicResult) -> str:
    if len(done.results) != len(batch.actions):
        return f"{len(done.results)} results for {len(batch.actions)} parts"
    for number, (part, result) in enumerate(zip(batch.actions, done.results, strict=True), 1):
        difference = _part_difference(part, batch, result)
        if difference:
            return f"part {number}: {difference}"
    return ""


def _part_difference(
    part: pb.AtomicSubactionKind, batch: pb.Atomic, result: pb.AtomicSubactionResultKind
) -> str:
    answered = result.WhichOneof("inner")
    if part.WhichOneof("inner") == "cancel_order":
        if answered != "cancel_order":
            return f"a cancel is answered by {answered}"
        if result.cancel_order.order_id != part.cancel_order.order_id:
            return "order id"
        ours = not batch.HasField("account_id") or batch.account_id
        return "" if ours in (True, result.cancel_order.account_id) else "account"
    if answered != "place_order_result":
        return f"a place is answered by {answered}"
    return _place_difference(_from_batch(part.trade_or_place, batch), result.place_order_result)
