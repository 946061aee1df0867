"""What market streams are given, and whom they tell."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple, Protocol

from msgspec import Struct

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import Clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.rest.answers import BookView, Listing
from mmbot.adapters.zo.streams.book_sight import BookParams
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate

FetchBook = Callable[[Listing], Awaitable[BookView]]
"""Read a whole book; VenueError when that fails. `ZoHttp.orderbook` is one."""


class BookedMarket(Struct, frozen=True):
    """A market, the engine's number for it, and the book to keep."""

    index: int
    listing: Listing
    book: OrderBook


class Outside(NamedTuple):
    """What market streams need of the world."""

    fetch_book: FetchBook
    clock: Clock
    rng: Random


class MarketSink(Protocol):
    """Who wants to know; every call returns at once."""

    def book(self, event: BookUpdate | BookGap) -> None:
        """A book has changed, or is not to be trusted any more."""
        ...

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        """Trades of a market were printed."""
        ...


class StreamParams(Struct, frozen=True, kw_only=True):
    """How market streams are kept. `fetch` paces the snapshots of one book."""

    connection: ConnectionParams = ConnectionParams()
    book: BookParams = BookParams()
    fetch: BackoffParams = BackoffParams(most_s=2.0, attempts=60)
    tick_ms: int = 50
    with_trades: bool = False
