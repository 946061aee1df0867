"""For strategies of one order a side: prices wanted become quotes that cross nothing."""

from math import ceil, floor

from mmbot.domain.market import MICRO, Market
from mmbot.domain.order import Level
from mmbot.domain.quotes import Quotes
from mmbot.quoting.state import QuotingState

NO_BOOK = Quotes((), (), "no book")

Touch = tuple[int, int]
"""Best bid and best ask in ticks, own orders left out."""

Wish = tuple[float, int]
"""A price in ticks, not on the grid yet, and the lots wanted there."""


def best_quotes(state: QuotingState) -> Touch | None:
    """Return the best prices of the others; None when the book does not say."""
    best_bid, best_ask, *_ = state.book.top(1, True)
    if state.book_ts_ns is None or not 0 < best_bid < best_ask:
        return None
    return best_bid, best_ask


def lots_of(market: Market, usd: float, touch: Touch) -> int:
    """Return the most lots that are worth no more than `usd` at the mid."""
    return market.lots_for(int(usd * MICRO), sum(touch))


def one_level(state: QuotingState, touch: Touch, bid: Wish | None, ask: Wish | None) -> Quotes:
    """Return quotes at the prices wished for, one level a side.

    Bids are rounded down and asks up, prices that would trade at once stop a tick before the other
    side, sizes are cut to what risk allows. None: nothing on that side.
    """
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    if bid is not None:
        bids = _side(state, min(floor(bid[0]), touch[1] - 1), bid[1], state.room.bid_lots)
    if ask is not None:
        asks = _side(state, max(ceil(ask[0]), touch[0] + 1), ask[1], state.room.ask_lots)
    if bids and asks:
        if bids[0].ticks >= asks[0].ticks:
            asks = (Level(bids[0].ticks + 1, asks[0].lots),)
        return Quotes(bids, asks)
    return Quotes(bids, asks, "one side only" if bids or asks else "nothing wanted, or no room")


def _side(state: QuotingState, ticks: int, lots: int, room_lots: int) -> tuple[Level, ...]:
    lots = min(lots, room_lots)
    return (Level(ticks, lots),) if ticks > 0 and lots >= max(1, state.market.min_lots) else ()
