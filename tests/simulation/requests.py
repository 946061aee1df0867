"""What a market maker asks of the venue, read from the bytes: independent of who wrote them."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import Side
from mmbot.errors import WireError
from tests.simulation.network import End
from tests.simulation.process import Process

INSTANCE_SHIFT = 45
EPOCH_SHIFT = 32
EPOCH_MASK = (1 << 13) - 1
_LEGS = {"place_order", "cancel_order_by_id", "cancel_order_by_client_id", "atomic"}
ALLOWED_KINDS = frozenset(_LEGS | {"add_trigger", "remove_trigger"})


def instance_of(client_id: int) -> int:
    """Return the instance in a client order id."""
    return client_id >> INSTANCE_SHIFT


def epoch_of(client_id: int) -> int:
    """Return the epoch in a client order id."""
    return client_id >> EPOCH_SHIFT & EPOCH_MASK


class Place(NamedTuple):
    """An order asked for; `taker` is any kind that may trade at once."""

    market: int
    side: Side
    ticks: int
    lots: int
    client_id: int | None
    post_only: bool
    reduce_only: bool


class Request(NamedTuple):
    """An action in a POST, decoded. `digest` names the bytes, `stamp_s` is its timestamp."""

    digest: bytes
    kind: str
    stamp_s: int
    session: int
    account: int | None
    places: tuple[Place, ...]
    cancels: int


def read_request(body: bytes) -> Request | None:
    """Return what a body asks for, None when it is no action."""
    try:
        action = codec.parse_action(codec.split_body(body)[0]).action
    except WireError:
        return None
    kind = str(action.WhichOneof("kind"))
    inner: Any = getattr(action, kind)
    places: tuple[Place, ...] = ()
    cancels = int(kind.startswith("cancel_order"))
    if kind == "place_order":
        places = (_place(inner),)
    elif kind == "atomic":
        legs = [leg for leg in inner.actions if leg.WhichOneof("inner") == "trade_or_place"]
        places = tuple(_leg(leg.trade_or_place) for leg in legs)
        cancels = len(inner.actions) - len(places)
    account = _account(inner)
    digest = sha256(body).digest()
    session = getattr(inner, "session_id", 0)
    return Request(digest, kind, action.current_timestamp, session, account, places, cancels)


def _account(inner: Any) -> int | None:
    for name in ("sender_account_id", "account_id"):
        field = inner.DESCRIPTOR.fields_by_name.get(name)
        if field is not None and inner.HasField(name):
            return int(getattr(inner, name))
    return None


def _place(inner: Any) -> Place:
    return Place(
        market=inner.market_id,
        side=Side.BID if inner.side == pb.BID else Side.ASK,
        ticks=inner.price,
        lots=inner.size,
        client_id=inner.client_order_id if inner.HasField("client_order_id") else None,
        post_only=inner.fill_mode == pb.POST_ONLY,
        reduce_only=inner.is_reduce_only,
    )


def _leg(leg: Any) -> Place:
    kind = leg.place_type
    return Place(
        market=leg.market_id,
        side=Side.BID if kind.side == pb.BID else Side.ASK,
        ticks=leg.limit.price,
        lots=leg.limit.size,
        client_id=leg.client_order_id if leg.HasField("client_order_id") else None,
        post_only=kind.fill_mode == pb.POST_ONLY,
        reduce_only=kind.is_reduce_only,
    )


class Tap:
    """Reads along what programs write, and tells every action and request at that moment."""

    def __init__(self, told: Callable[[Process, bytes | None], None]) -> None:
        """`told` gets the body of each POST /action, and None for each GET."""
        self._told = told
        self._partly: dict[End, bytes] = {}

    def __call__(self, process: Process | None, end: End, data: bytes) -> None:
        """See Network.taps."""
        if process is None:
            return
        pending = self._partly.pop(end, b"") + data
        if not pending.startswith((b"POST /action ", b"GET ")):
            return
        head, found, rest = pending.partition(b"\r\n\r\n")
        if not found:
            self._partly[end] = pending
        elif head.startswith(b"GET "):
            if b"websocket" not in head.lower():
                self._told(process, None)
        else:
            self._post(process, end, pending, (head, rest))

    def _post(self, process: Process, end: End, pending: bytes, parts: tuple[bytes, bytes]) -> None:
        head, rest = parts
        lines = (line.partition(b":") for line in head.split(b"\r\n"))
        sizes = [int(value) for name, _, value in lines if name.lower() == b"content-length"]
        size = sizes[0] if sizes else 0
        if len(rest) < size:
            self._partly[end] = pending
            return
        self._told(process, rest[:size])
        if len(rest) > size:
            self(process, end, rest[size:])
