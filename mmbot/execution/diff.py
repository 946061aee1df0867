"""Diff: desired quotes against working orders -> the fewest cancels and places."""

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from mmbot.domain.order import DONE, FillMode, Level, OrderState, Side
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


class Tolerance:
    """RequoteParams as the numbers the comparison uses."""

    __slots__ = ("max_age_ns", "price_ratio", "size_ratio")

    def __init__(self, params: RequoteParams) -> None:
        self.price_ratio = params.price_tolerance_bps / _BPS
        self.size_ratio = params.size_tolerance_pct / 100
        self.max_age_ns = params.max_order_age_s * SECOND_NS


class Wanted(NamedTuple):
    """An order to place: one level of one side."""

    side: Side
    ticks: int
    lots: int


class Changes(NamedTuple):
    """Orders to take off, and orders to place, inner levels first."""

    cancels: list[WorkingOrder]
    places: list[Wanted]


class _Side:
    """One side's share of the comparison: what is wanted of it and what it has."""

    __slots__ = ("far_ticks", "levels", "open", "pending", "side", "size_ratio_up")

    def __init__(self, side: Side, levels: Sequence[Level], rival: Sequence[Level]) -> None:
        self.side = side
        self.levels = levels
        # A kept order must not stand in the way of what is wanted on the other side.
        self.far_ticks = rival[0].ticks if rival else side * _FAR
        self.open: list[WorkingOrder] = []
        self.pending: list[WorkingOrder] = []
        self.size_ratio_up = 0.0


def diff(
    quotes: Quotes, tracker: Tracker, tolerance: Tolerance, room: Room, now_ns: int
) -> Changes:
    """Fewest changes that turn the working orders into `quotes`.

    An open order near enough to a level of its side, in price and in what it has left, stays and
    keeps its queue place; each order and each level counts once. Orders that are sent or unknown
    are left alone and hold a level each, so nothing is placed twice; closing ones are on their
    way out and hold none. `room` denies the tolerance upwards to a side that is over it.
    """
    bids = _Side(Side.BID, quotes.bids, quotes.asks)
    asks = _Side(Side.ASK, quotes.asks, quotes.bids)
    cancels: list[WorkingOrder] = []
    oldest_ns = now_ns - tolerance.max_age_ns
    if tracker.bid_lots <= room.bid_lots:
        bids.size_ratio_up = tolerance.size_ratio
    if tracker.ask_lots <= room.ask_lots:
        asks.size_ratio_up = tolerance.size_ratio
    for order in tracker.orders.values():
        state = order.state
        if state is OrderState.CLOSING or state in DONE or order.mode is FillMode.IOC:
            continue
        part = bids if order.side is Side.BID else asks
        if state is not OrderState.OPEN:
            part.pending.append(order)
        elif order.placed_ns < oldest_ns:
            cancels.append(order)
        else:
            part.open.append(order)
    bid_places = _missing(bids, tolerance, cancels)
    ask_places = _missing(asks, tolerance, cancels)
    if not bid_places and not ask_places:
        return Changes(cancels, [])
    bid_places = [place for place in bid_places if not _crosses(place, asks.pending)]
    ask_places = [place for place in ask_places if not _crosses(place, bids.pending)]
    return Changes(cancels, _interleave(bid_places, ask_places))


def _missing(part: _Side, tolerance: Tolerance, cancels: list[WorkingOrder]) -> list[Wanted]:
    """Match orders to levels; add the rest to `cancels` and return the levels to place."""
    levels = part.levels
    if not part.open and not part.pending:
        return [Wanted(part.side, level.ticks, level.lots) for level in levels]
    orders = part.open + part.pending
    if len(orders) > 1:
        orders.sort(key=lambda order: -part.side * order.ticks)
    # Exact prices first: else a neighbour within tolerance could take an order from its level.
    left = _match(part, orders, levels, 0.0, tolerance.size_ratio)
    if orders and left and tolerance.price_ratio:
        left = _match(part, orders, left, tolerance.price_ratio, tolerance.size_ratio)
    held = 0
    for order in orders:
        if order.state is OrderState.OPEN:
            cancels.append(order)
        else:
            held += 1
    if held:
        left = left[: max(0, len(left) - held)]
    return [Wanted(part.side, level.ticks, level.lots) for level in left]


def _match(
    part: _Side,
    orders: list[WorkingOrder],
    levels: Sequence[Level],
    price_ratio: float,
    size_ratio: float,
) -> list[Level]:
    """Take each level's first fitting order out of `orders`; return the levels without one."""
    left = []
    up, far_ticks, side = part.size_ratio_up, part.far_ticks, part.side
    for level in levels:
        ticks, lots = level
        slack = price_ratio * ticks
        for index, order in enumerate(orders):
            if (
                abs(order.ticks - ticks) <= slack
                and -size_ratio * lots <= order.leaves - lots <= up * lots
                and side * order.ticks < side * far_ticks
            ):
                del orders[index]
                break
        else:
            left.append(level)
    return left


def _crosses(place: Wanted, rivals: Iterable[WorkingOrder]) -> bool:
    side = place.side
    return any(side * place.ticks >= side * rival.ticks for rival in rivals)


def _interleave(bids: list[Wanted], asks: list[Wanted]) -> list[Wanted]:
    """Inner levels before outer ones, whatever the side."""
    shared = min(len(bids), len(asks))
    places = [place for pair in zip(bids, asks, strict=False) for place in pair]
    return places + bids[shared:] + asks[shared:]
