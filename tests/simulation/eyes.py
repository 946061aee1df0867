"""What the test doubles see: books, account, reference and engine time through the real client."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

from mmbot.adapters.reference import (
    ReferenceFeed,
    ReferenceMarket,
    ReferenceParams,
    reference_url,
)
from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.engine_time import ClockState, EngineClock
from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.allowance import PER_MIN
from mmbot.adapters.zo.rest.answers import AccountView, Catalog
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.streams.account_feed import AccountFeed, AccountFeedParams, AccountOutside
from mmbot.adapters.zo.streams.books import BookStream
from mmbot.adapters.zo.streams.frames import AccountFrame, TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate, ReferencePrice
from mmbot.errors import VenueError
from mmbot.exchange.serving.reference import binance_symbol
from tests.simulation.bot import Setting

BACKOFF = BackoffParams(most_s=2.0, attempts=60)
CONNECTION = ConnectionParams(backoff=BACKOFF, silent_s=3.0)
ACCOUNT_CONNECTION = ConnectionParams(backoff=BACKOFF)
# The outside and the venue may disagree by so much; beyond it one of them is wrong.
APART = 0.015


class Eyes:
    """Open it, let `watch` run, and read. Prices are ticks, positions lots by market id."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.stack = AsyncExitStack()
        self.clock = EngineClock()
        self.lots: Counter[int] = Counter()
        # Orders known to be over, and the newest update each was judged by.
        self.gone: dict[int, None] = {}
        self.prices: dict[int, tuple[float, int]] = {}
        self.http: ZoHttp
        self.catalog: Catalog
        self.books: BookStream
        self.feed: AccountFeed
        self.adopted: AccountView | None = None

    async def open(self) -> None:
        """Connect; tries until the venue answers."""
        venue = VenueParams(http_url=self.setting.url)
        self.http = await self.stack.enter_async_context(
            open_http(venue, self.setting.clock, PER_MIN)
        )
        while True:
            try:
                self.catalog = await self.http.info()
                await self.read_time()
            except VenueError:
                await asyncio.sleep(0.3)
            else:
                break
        self._subscribe(venue)

    def _subscribe(self, venue: VenueParams) -> None:
        setting = self.setting
        markets = [
            BookedMarket(number, listing, OrderBook())
            for number, listing in enumerate(self.catalog.listings.values())
        ]
        params = StreamParams(connection=CONNECTION, fetch=BACKOFF)
        outside = Outside(self.http.orderbook, setting.clock, setting.rng)
        self.books = BookStream(venue.ws_origin, markets, self, outside, params)
        self.feed = AccountFeed(
            venue.ws_origin,
            setting.account,
            self,
            AccountOutside(self.http.account, self.catalog, setting.clock, setting.rng),
            AccountFeedParams(connection=ACCOUNT_CONNECTION, fetch=BACKOFF),
        )
        outer = [
            ReferenceMarket(
                each.index, binance_symbol(each.listing.symbol), 10.0**each.listing.price_decimals
            )
            for each in markets
        ]
        url = reference_url(setting.reference_url, ["localhost"], [each.symbol for each in outer])
        self.reference = ReferenceFeed(
            url, outer, self.priced, ReferenceParams(), setting.clock, setting.rng
        )

    async def watch(self) -> None:
        """Keep everything known until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.books.run(), name="books")
            group.create_task(self.feed.run(), name="account")
            group.create_task(self.reference.run(), name="reference")
            group.create_task(self._time(), name="clock")

    async def read_time(self) -> None:
        """Ask the engine for its time; VenueError when it does not say."""
        sample = await self.http.timestamp()
        self.clock.observe(sample.engine_s, sample.sent_ns, sample.received_ns)

    async def _time(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            try:
                await self.read_time()
            except VenueError:
                continue

    def blind(self, market: int) -> str | None:
        """Say why a market cannot be quoted now, if so."""
        now_ns = self.setting.clock()
        state = self.clock.state(now_ns)
        bid, _, ask, _ = self.books.markets[market].book.touch(False)
        price, at_ns = self.prices.get(market, (0.0, 0))
        if not self.feed.sync.synced:
            return "account"
        if state is not ClockState.OK:
            return f"engine clock {state}"
        if not self.books.syncs[market].synced:
            return "book"
        if not 0 < bid < ask:
            return "one-sided or crossed"
        if now_ns - at_ns > 2_000_000_000:
            return "reference"
        if abs((bid + ask) / 2 / price - 1) > APART:
            return "reference and book are apart"
        return None

    def book(self, event: BookUpdate | BookGap) -> None:
        """See MarketSink."""

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        """See MarketSink."""

    def priced(self, event: ReferencePrice) -> None:
        """Take a reference price."""
        self.prices[event.market] = (event.mid_ticks, event.ts_recv_ns)

    def account_adopted(self, view: AccountView, now_ns: int) -> None:  # noqa: ARG002 - AccountSink's
        """See AccountSink."""
        self.adopted = view
        self.lots = Counter({each.market_id: each.lots for each in view.positions})

    def account_changed(self, frame: AccountFrame, now_ns: int) -> None:  # noqa: ARG002
        """See AccountSink."""
        for fill in frame.fills:
            self.lots[fill.market_id] += fill.lots * fill.side
            if not fill.remaining:
                self.gone[fill.order_id] = None
        for order in frame.cancels:
            self.gone[order.order_id] = None

    def account_gap(self, reason: str, now_ns: int) -> None:
        """See AccountSink."""

    def account_proved(self, view: AccountView, now_ns: int) -> None:
        """See AccountSink: what is kept here was right already."""

    def account_doubt(self, reason: str, now_ns: int) -> None:
        """See AccountSink: positions are right, and no more is kept here."""
