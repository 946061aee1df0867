"""Diff: desired quotes against working orders -> the fewest cancels and places."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated

from msgspec import Struct
from pydantic import Field

from mmbot.cext.ladder import pair
from mmbot.domain.order import FillMode, Level, OrderState, Side
from mmbot.domain.params import Params
from mmbot.domain.quotes import Quotes, Room
from mmbot.execution.tracker import Tracker, WorkingOrder


class RequoteParams(Params):
    """When an order that is off its target is worth losing its queue place (spec section 10)."""

    min_interval_ms: Annotated[
        int, Field(ge=1, le=60_000, description="between two decisions of a market")
    ] = 100
    price_tolerance_bps: Annotated[
        float, Field(ge=0, le=1000, description="an order this close to target stays")
    ] = 2.0
    size_tolerance_pct: Annotated[
        float, Field(ge=0, le=100, description="size difference that is left alone")
    ] = 10.0
    max_order_age_s: Annotated[
        int, Field(ge=1, le=86_400, description="older orders are replaced")
    ] = 300


SECOND_NS = 1_000_000_000
_BPS = 10_000
_FAR = 1 << 62
# Members of an enum are slow to look up where every microsecond counts.
_BID = Side.BID
_ASK = Side.ASK
_OPEN = OrderState.OPEN
_CLOSING = OrderState.CLOSING
_FILLED = OrderState.FILLED
_PENDING = (OrderState.SENT, OrderState.UNKNOWN)
_IOC = FillMode.IOC
_TICKS = attrgetter("ticks")


class Tolerance:
    """RequoteParams as the numbers the comparison uses."""

    __slots__ = ("max_age_ns", "price_ratio", "size_ratio")

    def __init__(self, params: RequoteParams) -> None:
        self.price_ratio = params.price_tolerance_bps / _BPS
        self.size_ratio = params.size_tolerance_pct / 100
        self.max_age_ns = params.max_order_age_s * SECOND_NS


class Wanted(Struct, frozen=True, gc=False):
    """An order to place: one level of one side."""

    side: Side
    ticks: int
    lots: int


class Changes(Struct, frozen=True, gc=False):
    """Orders to take off, and orders to place, inner levels first."""

    cancels: list[WorkingOrder]
    places: list[Wanted]


def diff(
    quotes: Quotes, tracker: Tracker, tolerance: Tolerance, room: Room, now_ns: int
) -> Changes:
    """Fewest changes that turn the working orders into `quotes`.

    An open order near enough to a level of its side, in price and in what it has left, stays and
    keeps its queue place; each order and each level counts once. Orders that are sent or unknown
    are left alone and hold a level each, so nothing is placed twice; closing ones are on their
    way out and hold none. `room` denies the tolerance upwards to a side that is over it.
    """
    cancels: list[WorkingOrder] = []
    bids: list[WorkingOrder] = []
    asks: list[WorkingOrder] = []
    oldest_ns = now_ns - tolerance.max_age_ns
    for order in tracker.orders.values():
        state = order.state
        if state is _CLOSING or state is _FILLED or order.mode is _IOC:
            continue
        if state is _OPEN and order.placed_ns < oldest_ns:
            cancels.append(order)
        elif order.side is _BID:
            bids.append(order)
        else:
            asks.append(order)
    # A kept order must not stand in the way of what is wanted on the other side.
    low = quotes.bids[0].ticks if quotes.bids else 0
    high = quotes.asks[0].ticks if quotes.asks else _FAR
    if len(bids) > 1:
        bids.sort(key=_TICKS, reverse=True)
    if len(asks) > 1:
        asks.sort(key=_TICKS)
    size = tolerance.size_ratio
    # Prices strictly between the first two, sizes off by at most these ratios down and up.
    bid_fit = (0, high, size, size if tracker.bid_lots <= room.bid_lots else 0.0)
    ask_fit = (low, _FAR, size, size if tracker.ask_lots <= room.ask_lots else 0.0)
    ratio = tolerance.price_ratio
    bids, bid_left = pair(bids, quotes.bids, bid_fit, ratio)
    asks, ask_left = pair(asks, quotes.asks, ask_fit, ratio)
    cancels += [order for order in bids + asks if order.state is _OPEN]
    if not bid_left and not ask_left:
        return Changes(cancels, [])
    held = [order for order in tracker.orders.values() if order.state in _PENDING]
    return Changes(
        cancels,
        _interleave(_missing(_BID, bid_left, bids, held), _missing(_ASK, ask_left, asks, held)),
    )


def _missing(
    side: Side, levels: Sequence[Level], waiting: list[WorkingOrder], held: list[WorkingOrder]
) -> list[Wanted]:
    """Levels to place: one less, from the outside, for each unmatched order still pending."""
    if not held:
        return [Wanted(side, ticks, lots) for ticks, lots in levels]
    count = len(levels) - sum(order.state is not _OPEN for order in waiting)
    rivals = [order.ticks for order in held if order.side is not side]
    places = [Wanted(side, ticks, lots) for ticks, lots in levels[: max(0, count)]]
    if side is _BID:
        return [place for place in places if all(place.ticks < ticks for ticks in rivals)]
    return [place for place in places if all(place.ticks > ticks for ticks in rivals)]


def _interleave(bids: list[Wanted], asks: list[Wanted]) -> list[Wanted]:
    """Inner levels before outer ones, whatever the side."""
    if not bids or not asks:
        return bids or asks
    shared = min(len(bids), len(asks))
    places = bids + asks
    places[: 2 * shared : 2] = bids[:shared]
    places[1 : 2 * shared : 2] = asks[:shared]
    places[2 * shared :] = bids[shared:] + asks[shared:]
    return places
