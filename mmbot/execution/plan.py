"""Plan: which cancel and which place travel together, and how many batches a venue gets of them.

A batch happens wholly or not at all. So an order is replaced by a batch of its cancel and the new
place, and nothing else is made to depend on them. Cancels that replace nothing go first.
"""

from collections.abc import Sequence
from operator import attrgetter

from mmbot.domain.actions import Action, Batch
from mmbot.domain.order import OrderState, Side
from mmbot.execution.diff import Changes, Wanted
from mmbot.execution.tracker import WorkingOrder

# Members of an enum are slow to look up.
_BID = Side.BID
_ASK = Side.ASK
_OPEN = OrderState.OPEN
_ticks = attrgetter("ticks")
# Further than any price.
_FAR = 1 << 62


Matched = tuple[list[WorkingOrder], list[tuple[WorkingOrder, Wanted]], list[Wanted]]
"""Changes by how they travel: lone cancels, replacements in pairs, lone places; inner first."""


def match(changes: Changes) -> Matched:
    """Give each place an open order of its side to replace, as long as there are some.

    Only a cancel that is sure to find its order carries a place. When the prices move across each
    other, the side that is in the way goes first.
    """
    cancels, places = changes.cancels, changes.places
    if not cancels or not places:
        return cancels, [], places
    alone: list[WorkingOrder] = []
    bids: list[WorkingOrder] = []
    asks: list[WorkingOrder] = []
    for order in cancels:
        if order.state is not _OPEN:
            alone.append(order)
        elif order.side is _BID:
            bids.append(order)
        else:
            asks.append(order)
    # The last one is taken first: the best price, to be replaced by the innermost place.
    if len(bids) > 1:
        bids.sort(key=_ticks)
    if len(asks) > 1:
        asks.sort(key=_ticks, reverse=True)
    pairs, rest = _paired(bids, asks, places)
    if len(pairs) > 1:
        first = _in_the_way(cancels, places)
        if first is not None:
            ahead = [pair for pair in pairs if pair[1].side is first]
            pairs = ahead + [pair for pair in pairs if pair[1].side is not first]
    return alone + bids + asks, pairs, rest


def _paired(
    bids: list[WorkingOrder], asks: list[WorkingOrder], places: Sequence[Wanted]
) -> tuple[list[tuple[WorkingOrder, Wanted]], list[Wanted]]:
    """Take an order from the end of its side's list for each place; the places left over."""
    pairs: list[tuple[WorkingOrder, Wanted]] = []
    rest: list[Wanted] = []
    for place in places:
        orders = bids if place.side is _BID else asks
        if orders:
            pairs.append((orders.pop(), place))
        else:
            rest.append(place)
    return pairs, rest


def _in_the_way(cancels: Sequence[WorkingOrder], places: Sequence[Wanted]) -> Side | None:
    """The side whose orders must be off before the other side's places can rest."""
    lowest_ask, highest_bid = _FAR, -_FAR
    for order in cancels:
        ticks = order.ticks
        if order.side is _BID:
            highest_bid = max(highest_bid, ticks)
        else:
            lowest_ask = min(lowest_ask, ticks)
    for place in places:
        ticks = place.ticks
        if place.side is _BID:
            if ticks >= lowest_ask:
                return _ASK
        elif ticks <= highest_bid:
            return _BID
    return None


def requests(cancels: int, pairs: int, places: int, batch_size: int) -> int:
    """How many batches so many make; a replacement is two actions that are not parted."""
    count = -(-cancels // batch_size) + -(-places // batch_size)
    return count + -(-pairs // (batch_size // 2)) if pairs else count


def pack(ts_ns: int, actions: Sequence[Action], batch_size: int) -> list[Batch]:
    """Batches of at most `batch_size` of these actions of one market, in their order."""
    return [
        Batch(ts_ns, tuple(actions[start : start + batch_size]))
        for start in range(0, len(actions), batch_size)
    ]
