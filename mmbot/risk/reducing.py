"""Reducing: quotes cut to what only makes a position smaller, and never larger than it."""

from mmbot.domain.order import Level
from mmbot.domain.quotes import Quotes, Room


def reducing_room(lots: int) -> Room:
    """Room of a market that may only reduce its signed position of `lots`."""
    return Room(max(-lots, 0), max(lots, 0), 0)


def cut(levels: tuple[Level, ...], lots: int, min_lots: int) -> tuple[Level, ...]:
    """Levels, best first, of at most `lots` in all, none below `min_lots`."""
    kept: list[Level] = []
    for level in levels:
        size = min(level.lots, lots)
        if size < min_lots or size <= 0:
            break
        kept.append(Level(level.ticks, size))
        lots -= size
    return tuple(kept)


def within(quotes: Quotes, room: Room, min_lots: int, reason: str) -> Quotes:
    """Quotes cut to a room; the reason tells why a side is empty."""
    bids = cut(quotes.bids, room.bid_lots, min_lots)
    asks = cut(quotes.asks, room.ask_lots, min_lots)
    return Quotes(bids, asks, None if bids and asks else reason)
