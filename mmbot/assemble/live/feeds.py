"""The price side of a live bot: streams of the venue, an outside price, and who listens in."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from mmbot.adapters.reference import ReferenceFeed, ReferenceMarket, ReferenceParams, reference_url
from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import Catalog, Listing
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.streams.books import book_streams
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.assemble import market_settings
from mmbot.config.schema import Config
from mmbot.domain.events import (
    BookGap,
    BookUpdate,
    Event,
    IndexPrice,
    PublicTrades,
    ReferencePrice,
)
from mmbot.domain.order import Side
from mmbot.errors import VenueError
from mmbot.ports import Emit, FeedFigures

Levels = Sequence[tuple[int, int]]
INDEX_EVERY_S = 1.0
_BY_REFERENCE = ("reference", "blend")


class MarketTap(Protocol):
    """Who is told of the market after the engine; nothing is raised."""

    def snapshot(self, market: int, now_ns: int) -> None:
        """The book is known as a whole."""
        ...

    def depth(self, market: int, sides: tuple[Levels, Levels], now_ns: int) -> None:
        """Levels, bids and asks, have new sizes."""
        ...

    def gap(self, market: int, now_ns: int) -> None:
        """The book is not known any more."""
        ...

    def trade(
        self, market: int, side: Side, level: tuple[int, int], times: tuple[int | None, int]
    ) -> None:
        """A taker of this side traded; `times` are the venue's, where it is told, and ours."""
        ...

    def reference(self, event: ReferencePrice) -> None:
        """An outside price came."""
        ...


class BookFeed:
    """LiveFeed of all markets' books; see MarketTap for who may listen in."""

    def __init__(
        self,
        origin: Origin,
        markets: Sequence[BookedMarket],
        outside: Outside,
        taps: Sequence[MarketTap],
        *,
        trades: bool = False,
    ) -> None:
        """`trades`: the engine wants to hear of them as well."""
        params = StreamParams(with_trades=trades or bool(taps))
        self._tell_trades = trades
        self._taps = tuple(taps)
        self._emit: Emit = _nobody
        self._snapshots = [0] * len(markets)
        self._clock = outside.clock
        self.streams = book_streams(origin, markets, self, outside, params)
        self._places = {
            market.index: (stream, sync)
            for stream in self.streams
            for market, sync in zip(stream.markets, stream.syncs, strict=True)
        }

    async def run(self, emit: Emit) -> None:
        """See LiveFeed."""
        self._emit = emit
        async with asyncio.TaskGroup() as group:
            for stream in self.streams:
                group.create_task(stream.run(), name="books")

    def revalidate(self, reason: str, now_ns: int) -> None:
        """See LiveFeed: every book begins anew, with a snapshot."""
        for _, sync in self._places.values():
            sync.doubt(reason, now_ns)

    def figures(self) -> FeedFigures:
        """See LiveFeed."""
        connections = [stream.connection for stream in self.streams]
        again = sum(max(0, each.generation - 1) for each in connections)
        return FeedFigures("book", again, sum(each.frames for each in connections))

    def age_ms(self, market: int) -> float | None:
        """For how long nothing has proved the book right, None when it is not known."""
        fresh_ns = self._places[market][1].health().fresh_ns
        return (self._clock() - fresh_ns) / 1e6 if fresh_ns else None

    def book(self, event: BookUpdate | BookGap) -> None:
        """See MarketSink."""
        self._emit(event)
        if not self._taps:
            return
        market, now_ns = event.market, event.ts_recv_ns
        stream, sync = self._places[market]
        if type(event) is BookGap:
            for tap in self._taps:
                tap.gap(market, now_ns)
        elif sync.tally.snapshots != self._snapshots[market]:
            self._snapshots[market] = sync.tally.snapshots
            for tap in self._taps:
                tap.snapshot(market, now_ns)
        else:
            sides = (stream.deltas.bids, stream.deltas.asks)
            for tap in self._taps:
                tap.depth(market, sides, now_ns)

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        """See MarketSink. The side told is taken for the taker's (protocol 4.2)."""
        if self._tell_trades and frame.trades:
            self._emit(summed(index, frame, now_ns))
        for each in frame.trades:
            for tap in self._taps:
                tap.trade(index, each.side, (each.ticks, each.lots), (each.time_ns, now_ns))


def summed(index: int, frame: TradesFrame, now_ns: int) -> PublicTrades:
    """Sum up what takers did: how far they went on either side, and how much."""
    bought = [each for each in frame.trades if each.side is Side.BID]
    sold = [each for each in frame.trades if each.side is Side.ASK]
    return PublicTrades(
        now_ns,
        now_ns,
        index,
        max((each.ticks for each in bought), default=0),
        min((each.ticks for each in sold), default=0),
        sum(each.lots for each in bought),
        sum(each.lots for each in sold),
    )


class OutsideFeed:
    """LiveFeed of an outside price."""

    def __init__(
        self,
        place: tuple[str, Sequence[str]],
        markets: Sequence[ReferenceMarket],
        outside: Outside,
        params: ReferenceParams,
        taps: Sequence[MarketTap],
    ) -> None:
        """`place`: the base address and the hosts allowed; ValueError when it is not allowed."""
        url = reference_url(*place, [each.symbol for each in markets])
        self._emit: Emit = _nobody
        self._taps = tuple(taps)
        self._feed = ReferenceFeed(url, markets, self._told, params, outside.clock, outside.rng)

    async def run(self, emit: Emit) -> None:
        """See LiveFeed."""
        self._emit = emit
        await self._feed.run()

    def revalidate(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 - LiveFeed's
        """See LiveFeed: trust is built anew."""
        self._feed.opened(now_ns)

    def figures(self) -> FeedFigures:
        """See LiveFeed."""
        connection = self._feed.connection
        return FeedFigures("reference", max(0, connection.generation - 1), connection.frames)

    def hurry(self) -> None:
        """See Connection."""
        self._feed.connection.hurry()

    def _told(self, event: ReferencePrice) -> None:
        self._emit(event)
        for tap in self._taps:
            tap.reference(event)


def outside_feed(
    config: Config, markets: Sequence[BookedMarket], outside: Outside, taps: Sequence[MarketTap]
) -> OutsideFeed | None:
    """Return what tells the outside prices that the settings ask for, None when they do not."""
    there = config.reference
    wanted = [
        ReferenceMarket(
            each.index,
            there.symbol_of(each.listing.symbol),
            there.scale_of(each.listing.symbol) / float(each.listing.market(0).tick),
        )
        for each in markets
        if market_settings(config, each.listing.symbol).fair_price.source in _BY_REFERENCE
    ]
    if not wanted:
        return None
    params = ReferenceParams(stale_ms=config.risk.stale.reference_ms)
    return OutsideFeed((there.url, there.allowed_hosts), wanted, outside, params, taps)


class IndexFeed:
    """LiveFeed of the venue's index prices, for runs whose venue does not tell them."""

    def __init__(self, http: ZoHttp, listings: Sequence[Listing], clock: Clock) -> None:
        self._http = http
        self._catalog = Catalog(listings, ())
        self._markets = {each.market_id: (i, each.market(i)) for i, each in enumerate(listings)}
        self._clock = clock

    async def run(self, emit: Emit) -> None:
        """See LiveFeed."""
        while True:
            try:
                views = await self._http.markets_live(self._catalog)
            except VenueError:
                # What was told last grows old by itself.
                views = ()
            now_ns = self._clock()
            for view in views:
                found = self._markets.get(view.market_id)
                if found is not None:
                    index, market = found
                    price = view.index_price
                    ticks = None if price is None else float(price / market.tick)
                    emit(IndexPrice(now_ns, now_ns, index, ticks))
            await asyncio.sleep(INDEX_EVERY_S)

    def revalidate(self, reason: str, now_ns: int) -> None:
        """See LiveFeed: every price is a new one."""

    def figures(self) -> FeedFigures:
        """See LiveFeed: nothing is kept open."""
        return FeedFigures("index")


def _nobody(_event: Event) -> None:
    """Nothing is told before the run begins."""
