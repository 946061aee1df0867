"""Saving: the whole venue as bytes and back, exactly; the same state gives the same bytes.

JSON, because it has integers of any width: sums of money pass 2^63 atoms at nine million USD.
"""

from msgspec import DecodeError, Struct, json

from mmbot.errors import DataError
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.rules import Rules
from mmbot.exchange.state import State

_VERSION = 1


class _Saved(Struct):
    version: int
    markets: list[tuple[str, int, int]]
    state: State
    rules: Rules
    books: list[bytes]


def _markets(venue: Venue) -> list[tuple[str, int, int]]:
    return [(m.symbol, m.price_decimals, m.size_decimals) for m in venue.params.markets]


def dump(venue: Venue) -> bytes:
    """Return state, switches and books."""
    books = [clob.dump() for clob in venue.clobs]
    return json.encode(_Saved(_VERSION, _markets(venue), venue.state, venue.rules, books))


def load(venue: Venue, saved: bytes) -> None:
    """Restore what was dumped by an exchange with the same markets; else DataError."""
    try:
        found = json.decode(saved, type=_Saved)
    except DecodeError as wrong:
        raise DataError(f"this is no saved exchange: {wrong}") from None
    if found.version != _VERSION:
        raise DataError(f"saved by version {found.version}, this is version {_VERSION}")
    if found.markets != _markets(venue):
        raise DataError("saved with other markets than these settings have")
    try:
        venue.restore(found.state, found.rules, found.books)
    except ValueError as wrong:
        raise DataError(f"the saved book is damaged: {wrong}") from None
