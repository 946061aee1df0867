"""Diff: desired quotes against working orders -> the fewest cancels and places."""

from collections.abc import Sequence
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
    tolerance_growth: Annotated[
        float, Field(ge=1, le=10, description="so many times as far at every level further out")
    ] = 1.0
    size_tolerance_pct: Annotated[
        float, Field(ge=0, le=100, description="size difference that is left alone")
    ] = 10.0
    max_order_age_s: Annotated[
        int, Field(ge=1, le=86_400, description="older orders are replaced")
    ] = 300
    cancel_when_near: Annotated[
        bool, Field(description="between decisions too, once mid is within a quarter of the spread")
    ] = True


SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
_BPS = 10_000
# Members of an enum are slow to look up where every microsecond counts.
_BID = Side.BID
_ASK = Side.ASK
_OPEN = OrderState.OPEN
_SENT = OrderState.SENT
_CLOSING = OrderState.CLOSING
_FILLED = OrderState.FILLED
_IOC = FillMode.IOC


class Tolerance:
    """RequoteParams as the numbers the comparison uses."""

    __slots__ = ("_ratios", "cancel_when_near", "interval_ns", "max_age_ns", "slack")

    def __init__(self, params: RequoteParams) -> None:
        price, size = params.price_tolerance_bps / _BPS, params.size_tolerance_pct / 100
        self._ratios = (price, size, params.tolerance_growth)
        # Of a price; of a size downwards, and upwards for bids and for asks; how much more of a
        # price at every level further out.
        self.slack = (price, size, size, size, params.tolerance_growth)
        self.max_age_ns = params.max_order_age_s * SECOND_NS
        self.interval_ns = params.min_interval_ms * MILLISECOND_NS
        self.cancel_when_near = params.cancel_when_near

    def within(self, tracker: Tracker, room: Room) -> tuple[float, float, float, float, float]:
        """`slack`, but none upwards for a side that has more than its room."""
        if tracker.bid_lots <= room.bid_lots and tracker.ask_lots <= room.ask_lots:
            return self.slack
        price, size, growth = self._ratios
        return (
            price,
            size,
            size if tracker.bid_lots <= room.bid_lots else 0.0,
            size if tracker.ask_lots <= room.ask_lots else 0.0,
            growth,
        )


class Wanted(Struct, frozen=True, gc=False):
    """An order to place: one level of one side."""

    side: Side
    ticks: int
    lots: int


class Changes(Struct, frozen=True, gc=False):
    """Orders to take off, and orders to place, inner levels first.

    A side may hold as many orders as it has levels. Places beyond what that leaves are only there
    because an order of the side is taken off: they must travel in one batch with its cancel.
    """

    cancels: list[WorkingOrder]
    places: list[Wanted]


def diff(
    quotes: Quotes, tracker: Tracker, tolerance: Tolerance, room: Room, now_ns: int
) -> Changes:
    """Fewest changes that turn the working orders into `quotes`.

    An open order near enough to a level of its side, in price and in what it has left, stays and
    keeps its queue place; each order and each level counts once. Orders that are sent, closing or
    unknown may be alive and hold a level each, so nothing is placed twice; of these only an unknown
    one that fits nowhere is cancelled. `room` denies the tolerance upwards to a side that is over
    it.
    """
    cancels, kept, pending, closing = _sorted(tracker, now_ns - tolerance.max_age_ns)
    slack = tolerance.within(tracker, room)
    unfit, bid_left, ask_left = pair(kept, quotes.bids, quotes.asks, slack)
    if unfit:
        cancels += [order for order in unfit if order.state is not _SENT]
    if not bid_left and not ask_left:
        return Changes(cancels, [])
    if closing:
        unfit = unfit + closing
        pending = pending + closing
    if not pending:
        bids = [Wanted(_BID, ticks, lots) for ticks, lots in bid_left]
        asks = [Wanted(_ASK, ticks, lots) for ticks, lots in ask_left]
    else:
        bids = _missing(_BID, bid_left, unfit, pending)
        asks = _missing(_ASK, ask_left, unfit, pending)
    return Changes(cancels, _interleave(bids, asks))


def _sorted(
    tracker: Tracker, oldest_ns: int
) -> tuple[list[WorkingOrder], list[WorkingOrder], list[WorkingOrder], list[WorkingOrder]]:
    """Orders too old to stay, those that may fit a level, the unanswered of these, the closing."""
    aged: list[WorkingOrder] = []
    kept: list[WorkingOrder] = []
    pending: list[WorkingOrder] = []
    closing: list[WorkingOrder] = []
    for order in tracker.orders.values():
        state = order.state
        if state is _FILLED:
            continue
        if order.mode is _IOC:
            if state is not _OPEN and state is not _CLOSING:
                pending.append(order)
        elif state is _CLOSING:
            closing.append(order)
        elif state is _OPEN and order.placed_ns < oldest_ns:
            aged.append(order)
        else:
            kept.append(order)
            if state is not _OPEN:
                pending.append(order)
    return aged, kept, pending, closing


def _missing(
    side: Side, levels: Sequence[Level], unfit: list[WorkingOrder], pending: list[WorkingOrder]
) -> list[Wanted]:
    """Levels to place: one less, from the outside, for each order that holds one unfit."""
    held = sum(order.state is not _OPEN and order.side is side for order in unfit)
    rivals = [order.ticks for order in pending if order.side is not side]
    places = [Wanted(side, ticks, lots) for ticks, lots in levels[: max(0, len(levels) - held)]]
    if side is _BID:
        return [place for place in places if all(place.ticks < ticks for ticks in rivals)]
    return [place for place in places if all(place.ticks > ticks for ticks in rivals)]


def _interleave(bids: list[Wanted], asks: list[Wanted]) -> list[Wanted]:
    """Inner levels before outer ones, whatever the side."""
    places: list[Wanted] = []
    shared = min(len(bids), len(asks))
    for level in range(shared):
        places.append(bids[level])
        places.append(asks[level])
    if len(bids) != len(asks):
        places += bids[shared:] + asks[shared:]
    return places
