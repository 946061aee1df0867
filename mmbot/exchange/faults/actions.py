"""POST /action under faults: lost, late, twice, out of turn, answered wrongly or not at all."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from google.protobuf.message import Message

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.errors import WireError
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.entries import ANYWHERE, Where
from mmbot.exchange.faults.limits import RateLimit
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.faults.streams import trip_ms
from mmbot.exchange.running.pacing import MILLISECOND_NS, Pace, wait

TOUCHING = ("act.", "net.", "rl.", "eng.fill_before_cancel", "proto.drift")
# A receipt whose `err` (field 32) is 9999, a number that is in no schema.
UNKNOWN_ERROR = b"\x80\x02\x8f\x4e"
ACCOUNT_FIELDS = ("sender_account_id", "account_id", "from_account_id")


class Reply(NamedTuple):
    """What goes back: `status` 200 is a receipt. `cut_after` bytes of the answer end it."""

    body: bytes
    status: int = 200
    retry_after: int | None = None
    cut_after: int | None = None


class LostError(ConnectionError):
    """No answer: the connection is to be cut."""


class Legs(NamedTuple):
    """How many orders an action places and cancels."""

    places: int
    cancels: int


class ActionFaults:
    """Leads a body to the exchange and its receipt back through what is set."""

    def __init__(
        self,
        exchange: Exchange,
        faults: Faults,
        pace: Pace,
        act: Callable[[bytes], bytes],
        fill: Callable[[int], None],
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._pace = pace
        self._act = act
        self._fill = fill
        self._limit = RateLimit(faults)
        self._next: list[asyncio.Future[None]] = []

    async def answer(self, body: bytes) -> Reply:
        """Return what the client gets; LostError when that is nothing."""
        action = read(body)
        at = where(self._exchange, action)
        legs = Legs(0, 0) if action is None else legs_of(action)
        refused_s = self._limit.action(legs, self._pace.now_ns)
        if refused_s is not None:
            return Reply(b"too many requests", 429, refused_s)
        way_ns = round(trip_ms(self._faults, at) * MILLISECOND_NS / 2)
        await wait(self._pace, way_ns)
        self._may_be_lost(at, "net.loss", "act.drop_req")
        slow = self._slow(at)
        if slow is not None and slow[0] == "before":
            await wait(self._pace, slow[1])
        await self._out_of_turn(at)
        status = self._faults.fire("act.http_status", at)
        if status is not None and not status["executed"]:
            return Reply(status["text"].encode(), status["status"])
        receipt = self._execute(body, action, at)
        if slow is not None and slow[0] == "after":
            await wait(self._pace, slow[1])
        await wait(self._pace, way_ns)
        self._may_be_lost(at, "act.drop_resp")
        if status is not None:
            return Reply(status["text"].encode(), status["status"])
        return self._reply(receipt, at)

    def _may_be_lost(self, at: Where, *knobs: str) -> None:
        for knob in knobs:
            if self._faults.fire(knob, at) is not None:
                raise LostError(knob)

    def _slow(self, at: Where) -> tuple[str, int] | None:
        values = self._faults.fire("act.slow", at)
        if values is None:
            return None
        spread_ms = values["jitter_ms"] * self._faults.draw("act.slow.jitter")
        return values["side"], round((values["ms"] + spread_ms) * MILLISECOND_NS)

    async def _out_of_turn(self, at: Where) -> None:
        values = self._faults.fire("act.reorder", at)
        if values is not None:
            overtaken = asyncio.get_running_loop().create_future()
            self._next.append(overtaken)
            self._pace.later(values["window_ms"] * MILLISECOND_NS, lambda: _finish(overtaken))
            await overtaken

    def _execute(self, body: bytes, action: pb.Action | None, at: Where) -> bytes:
        if action is not None and self._faults.fire("eng.fill_before_cancel", at) is not None:
            for order_id in cancelled(self._exchange, action):
                self._fill(order_id)
        receipt = self._act(body)
        overtaken, self._next = self._next, []
        for each in overtaken:
            _finish(each)
        again = self._faults.fire("act.dup", at)
        if again is not None:
            self._pace.later(again["delay_ms"] * MILLISECOND_NS, lambda: _drop(self._act(body)))
        return receipt

    def _reply(self, receipt: bytes, at: Where) -> Reply:
        fire = self._faults.fire
        mutate, body = fire("act.receipt_mutate", at), fire("act.body", at)
        short, cut = fire("act.truncate", at), fire("act.reset_after", at)
        drift = fire("proto.drift", at)
        if mutate is not None:
            receipt = mutated(receipt, mutate["field"], mutate["value"])
        if drift is not None and drift["what"] == "new_error":
            receipt = codec.frame(UNKNOWN_ERROR)
        if body is not None:
            receipt = bytes.fromhex(body["hex"])
        if short is not None:
            receipt = receipt[: short["n"]]
        return Reply(receipt, cut_after=None if cut is None else cut["n"])


def read(body: bytes) -> pb.Action | None:
    """Return the action of a body, None when it has none."""
    try:
        return codec.parse_action(codec.split_body(body)[0]).action
    except WireError:
        return None


def where(exchange: Exchange, action: pb.Action | None) -> Where:
    """Return what an action is about; `place` and `cancel` are kinds besides its own name."""
    if action is None:
        return ANYWHERE
    kind = str(action.WhichOneof("kind"))
    inner: Any = getattr(action, kind)
    legs = legs_of(action)
    kinds = {kind, "action"}
    kinds |= {name for name, count in (("place", legs.places), ("cancel", legs.cancels)) if count}
    market = getattr(inner, "market_id", None)
    if kind == "atomic":
        markets = {leg.trade_or_place.market_id for leg in inner.actions if _places(leg)}
        market = markets.pop() if len(markets) == 1 else None
    session = getattr(inner, "session_id", None)
    account = _account(exchange, inner, session)
    return Where(frozenset(kinds), market, account, session, "in")


def _account(exchange: Exchange, inner: Message, session: int | None) -> int | None:
    for name in ACCOUNT_FIELDS:
        field = inner.DESCRIPTOR.fields_by_name.get(name)
        if field is not None and (not field.has_presence or inner.HasField(name)):
            return int(getattr(inner, name))
    owner = exchange.state.session_owners.get(session or 0)
    return None if owner is None else exchange.state.users[owner].account_ids[0]


def legs_of(action: pb.Action) -> Legs:
    """Count the orders an action places and cancels."""
    kind = str(action.WhichOneof("kind"))
    if kind == "atomic":
        places = sum(map(_places, action.atomic.actions))
        return Legs(places, len(action.atomic.actions) - places)
    return Legs(int(kind == "place_order"), int(kind.startswith("cancel_order")))


def _places(leg: pb.AtomicSubactionKind) -> bool:
    return leg.WhichOneof("inner") == "trade_or_place"


def cancelled(exchange: Exchange, action: pb.Action) -> list[int]:
    """Return the resting orders an action would cancel."""
    kind = action.WhichOneof("kind")
    if kind == "cancel_order_by_id":
        return [action.cancel_order_by_id.order_id]
    if kind == "cancel_order_by_client_id":
        wanted = action.cancel_order_by_client_id.client_order_id
        return [
            order.order_id
            for account in exchange.state.accounts.values()
            for order in account.orders.values()
            if order.client_order_id == wanted
        ]
    if kind == "atomic":
        return [leg.cancel_order.order_id for leg in action.atomic.actions if not _places(leg)]
    return []


def mutated(receipt: bytes, path: str, value: int) -> bytes:
    """Return a receipt with a field set; a path that leads nowhere leaves it as it is.

    `atomic.results.0.place_order_result.posted.order_id`, for example.
    """
    message = codec.decode_receipt(receipt)
    *above, last = path.split(".")
    target: Any = message
    try:
        for name in above:
            target = target[int(name)] if name.isdecimal() else getattr(target, name)
        setattr(target, last, value)
    except (AttributeError, IndexError, TypeError, ValueError):
        return receipt
    return codec.encode_receipt(message)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _drop(_receipt: bytes) -> None:
    """Let nobody have this receipt."""
