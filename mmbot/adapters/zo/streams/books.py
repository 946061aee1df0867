"""Order books and trades of several markets over one connection, kept right by REST snapshots."""

import asyncio
from collections.abc import Sequence
from functools import partial

from mmbot.adapters.web.backoff import Backoff
from mmbot.adapters.web.connection import Connection
from mmbot.adapters.zo.market_terms import BookedMarket, MarketSink, Outside, StreamParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import Catalog, Listing
from mmbot.adapters.zo.streams import subscriptions
from mmbot.adapters.zo.streams.book_sync import BookHealth, BookSync
from mmbot.adapters.zo.streams.frames import TradesFrame, read_frame
from mmbot.adapters.zo.streams.snapshots import Snapshots
from mmbot.cext.nord import Deltas

_DELTA = b'{"delta":'


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
        """ValueError when there are too many markets for one connection; see `book_streams`."""
        listings = [each.listing for each in markets]
        names = [name for each in listings for name in _names(each, params)]
        self.markets = tuple(markets)
        self.deltas = Deltas(
            [(each.symbol, each.price_decimals, each.size_decimals) for each in listings]
        )
        self.syncs = tuple(
            BookSync(each.index, each.book, self.deltas, sink.book, params.book) for each in markets
        )
        self.connection = Connection(
            subscriptions.stream_url(str(origin), names),
            self,
            params.connection,
            outside.clock,
            outside.rng,
        )
        self._snapshots = tuple(
            Snapshots(
                partial(outside.fetch_book, listing),
                sync,
                outside.clock,
                Backoff(params.fetch, outside.rng),
            )
            for listing, sync in zip(listings, self.syncs, strict=True)
        )
        self._catalog = Catalog(listings, ())
        self._sink = sink
        self._clock = outside.clock
        self._tick_s = params.tick_ms / 1000

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
            for market, snapshots in zip(self.markets, self._snapshots, strict=True):
                group.create_task(snapshots.run(), name=f"snapshots of {market.listing.symbol}")

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
        self.syncs[number].delta(last_id, update_id, frame, now_ns)
        self._snapshots[number].call()

    def _index(self, market_id: int) -> int:
        return next(each.index for each in self.markets if each.listing.market_id == market_id)

    def _call(self) -> None:
        for snapshots in self._snapshots:
            snapshots.call()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            now_ns = self._clock()
            for market, sync in zip(self.markets, self.syncs, strict=True):
                dead = sync.tick(now_ns)
                if dead is not None:
                    self.connection.give_up(f"{market.listing.symbol}: {dead}")
            self._call()


def book_streams(
    origin: Origin,
    markets: Sequence[BookedMarket],
    sink: MarketSink,
    outside: Outside,
    params: StreamParams,
) -> list[BookStream]:
    """Return as few streams as the limit on each connection allows for any number of markets."""
    shares = subscriptions.shared_out(len(markets), 2 if params.with_trades else 1)
    return [
        BookStream(origin, [markets[number] for number in share], sink, outside, params)
        for share in shares
    ]


def _names(listing: Listing, params: StreamParams) -> list[str]:
    names = [subscriptions.deltas(listing.symbol)]
    return [*names, subscriptions.trades(listing.symbol)] if params.with_trades else names
