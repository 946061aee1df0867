"""Order books and trades of several markets over one connection, kept right by REST snapshots."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import NamedTuple, Protocol

from msgspec import Struct

from mmbot.adapters.web.backoff import Backoff, BackoffParams
from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.adapters.web.connection import Connection, ConnectionParams
from mmbot.adapters.zo import subscriptions
from mmbot.adapters.zo.answers import BookView, Catalog, Listing
from mmbot.adapters.zo.book_sync import BookHealth, BookParams, BookSync
from mmbot.adapters.zo.frames import TradesFrame, read_frame
from mmbot.adapters.zo.origin import Origin
from mmbot.cext.nord import Deltas
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.errors import RateLimited, VenueError

FetchBook = Callable[[Listing], Awaitable[BookView]]
"""Read a whole book; VenueError when that fails. `ZoHttp.orderbook` is one."""

_DELTA = b'{"delta":'


class BookedMarket(Struct, frozen=True):
    """A market, the engine's number for it, and the book to keep."""

    index: int
    listing: Listing
    book: OrderBook


class MarketSink(Protocol):
    """Who wants to know; every call returns at once."""

    def book(self, event: BookUpdate | BookGap) -> None:
        """A book has changed, or is not to be trusted any more."""
        ...

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        """Trades of a market were printed."""
        ...


class Outside(NamedTuple):
    """What streams need of the world."""

    fetch_book: FetchBook
    clock: Clock
    rng: Random


class StreamParams(Struct, frozen=True, kw_only=True):
    """How market streams are kept. `fetch` paces the snapshots of one book."""

    connection: ConnectionParams = ConnectionParams()
    book: BookParams = BookParams()
    fetch: BackoffParams = BackoffParams(most_s=10.0, attempts=30)
    tick_ms: int = 50
    with_trades: bool = False


class BookStream:
    """One connection with the changes of up to 12 books (6 with trades), each in step or said so.

    `run` ends only by cancellation. Everything happens on the event loop that runs it.
    """

    def __init__(
        self,
        origin: Origin,
        markets: Sequence[BookedMarket],
        sink: MarketSink,
        outside: Outside,
        params: StreamParams,
    ) -> None:
        """ValueError when there are too many markets for one connection."""
        listings = [each.listing for each in markets]
        groups = [_streams(each, params.with_trades) for each in listings]
        (streams,) = subscriptions.plan([[name for group in groups for name in group]])
        self.markets = tuple(markets)
        self._catalog = Catalog(listings, ())
        self._sink = sink
        self._outside = outside
        self._params = params
        self.deltas = Deltas(
            [(each.symbol, each.price_decimals, each.size_decimals) for each in listings]
        )
        self.syncs = tuple(
            BookSync(each.index, each.book, self.deltas, sink.book, params.book) for each in markets
        )
        self._wants = tuple(asyncio.Event() for _ in markets)
        self.connection = Connection(
            subscriptions.stream_url(str(origin), streams),
            self,
            params.connection,
            outside.clock,
            outside.rng,
        )

    def health(self) -> dict[str, BookHealth]:
        """Return what is known of every book, by symbol."""
        return {
            market.listing.symbol: sync.health()
            for market, sync in zip(self.markets, self.syncs, strict=True)
        }

    async def run(self) -> None:
        """Keep the books for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.connection.run(), name="market stream")
            group.create_task(self._watch(), name="market stream watch")
            for number, market in enumerate(self.markets):
                name = f"snapshots of {market.listing.symbol}"
                group.create_task(self._supply(number), name=name)

    def opened(self, now_ns: int) -> None:
        """See Listener."""
        for sync in self.syncs:
            sync.opened(now_ns)
        self._call()

    def closed(self, reason: str, now_ns: int) -> None:
        """See Listener."""
        for sync in self.syncs:
            sync.closed(reason, now_ns)

    def frame(self, frame: bytes, now_ns: int) -> None:
        """See Listener. A frame that makes no sense may have been any book's: all begin anew."""
        try:
            if frame.startswith(_DELTA):
                self._delta(frame, now_ns)
                return
            found = read_frame(frame, self._catalog)
            if isinstance(found, TradesFrame):
                self._sink.trades(self._index(found.market_id), found, now_ns)
            elif found is not None:
                self._delta(frame, now_ns)
        except ValueError:
            for sync in self.syncs:
                sync.doubt("a frame that makes no sense", now_ns)
            self._call()
            raise

    def _delta(self, frame: bytes, now_ns: int) -> None:
        number, last_id, update_id = self.deltas.parse(frame)
        sync = self.syncs[number]
        sync.delta(last_id, update_id, frame, now_ns)
        if sync.wanted:
            self._wants[number].set()

    def _index(self, market_id: int) -> int:
        return next(each.index for each in self.markets if each.listing.market_id == market_id)

    def _call(self) -> None:
        for sync, want in zip(self.syncs, self._wants, strict=True):
            if sync.wanted:
                want.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._params.tick_ms / 1000)
            now_ns = self._outside.clock()
            for market, sync in zip(self.markets, self.syncs, strict=True):
                dead = sync.tick(now_ns)
                if dead is not None:
                    self.connection.give_up(f"{market.listing.symbol}: {dead}")
            self._call()

    async def _supply(self, number: int) -> None:
        """Fetch snapshots of one book while they are wanted, ever slower when they do not help."""
        sync, want = self.syncs[number], self._wants[number]
        clock = self._outside.clock
        backoff = Backoff(self._params.fetch, self._outside.rng)
        helped_ns: int | None = None
        while True:
            await want.wait()
            if not sync.wanted:
                want.clear()
            elif helped_ns is not None:
                now_ns = clock()
                await asyncio.sleep(backoff.delay_s(now_ns, (now_ns - helped_ns) / NS_PER_S))
                helped_ns = None
            else:
                backoff.begin(clock())
                refused_s = await self._fetch(number)
                if refused_s is None:
                    helped_ns = clock()
                else:
                    await asyncio.sleep(max(refused_s, backoff.delay_s(clock(), 0.0)))

    async def _fetch(self, number: int) -> float | None:
        # None when a snapshot was good, else the least time to wait before the next.
        sync = self.syncs[number]
        epoch = sync.epoch
        try:
            view = await self._outside.fetch_book(self.markets[number].listing)
        except RateLimited as error:
            return error.retry_after_s or 0.0
        except VenueError:
            return 0.0
        return None if sync.snapshot(view, epoch, self._outside.clock()) else 0.0


def _streams(listing: Listing, with_trades: bool) -> list[str]:
    names = [subscriptions.deltas(listing.symbol)]
    return [*names, subscriptions.trades(listing.symbol)] if with_trades else names
