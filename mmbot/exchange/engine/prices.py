"""Prices of the venue: the index given from outside, the mark from its own book.

The mark is the median of best bid, best ask and last trade (of what there is), kept within
`mark_clamp_pct` of the index; without a book it is the index.
"""

import math

from mmbot.exchange.engine.limits import MOST_TICKS
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.state import Market


def set_index(venue: Venue, market_id: int, ticks: float) -> None:
    """Take a new oracle price; margins, triggers and the mark follow at the next advance.

    ValueError when it is not a positive number.
    """
    if not (math.isfinite(ticks) and 0 < ticks < MOST_TICKS):
        raise ValueError(f"an index price is positive, not {ticks}")
    market = venue.state.markets[market_id]
    market.index_ticks = ticks
    unit = venue.params.markets[market_id].atoms_per_ticklot
    market.index_lot_atoms = max(round(ticks * unit), 1)
    venue.state.margins_due = True


def mark(venue: Venue, market: Market) -> float | None:
    """Return the mark price in ticks, None while nothing is known."""
    known = [p for p in venue.clobs[market.market_id].best() if p is not None]
    if known and market.last_ticks is not None:
        known.append(market.last_ticks)
    index = market.index_ticks
    if not known:
        return index if index is not None else market.last_ticks
    known.sort()
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    if index is None:
        return middle
    reach = index * venue.params.funding.mark_clamp_pct / 100
    return min(max(middle, index - reach), index + reach)


def update_marks(venue: Venue) -> None:
    """Set the mark of every market from its book as it is now."""
    for market in venue.state.markets:
        market.mark_ticks = mark(venue, market)
