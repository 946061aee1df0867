"""A trader at work: books and account from the streams, random actions, and a ledger of his own.

The ledger is folded from what the client says alone; the exchange's own sums are only compared.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from random import Random

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import Clock, steady_clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.streams.account_feed import AccountFeed, AccountFeedParams, AccountOutside
from mmbot.adapters.zo.streams.account_sync import AccountParams
from mmbot.adapters.zo.streams.book_sight import BookParams
from mmbot.adapters.zo.streams.books import BookStream
from mmbot.adapters.zo.streams.frames import AccountFrame, TradesFrame
from mmbot.adapters.zo.wire.actions import Atomic, CancelByClientId, CancelById, SessionAction
from mmbot.adapters.zo.wire.outcomes import Accepted, Rejected, Unknown
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.domain.order import FillMode, Side
from tests.contract.people import Person, order

QUICK = BackoffParams(first_s=0.005, most_s=0.05, attempts=100_000)
CONNECTION = ConnectionParams(backoff=QUICK)
SIZES = ((10, 200), (10, 300), (50, 2_000))
# What a market maker may be told when everybody is honest; anything else fails the test.
USUAL = {
    "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS",
    "IMMEDIATE_ORDER_GOT_NO_FILLS",
    "ORDER_EXECUTION_FILL_OR_KILL",
    "ORDER_NOT_FOUND",
    "POSITION_NOT_FOUND",
    "POSITION_STATE_ORDER_SIDE",
    "ORDER_SIZE_EXCEEDS_POSITION_SIZE",
}
WAIT_S = 20.0


class Ledger:
    """Positions as the account stream tells them; see AccountSink."""

    def __init__(self) -> None:
        self.lots: Counter[int] = Counter()
        self.balance: Decimal | None = None
        self.adoptions = 0
        self.frames = 0
        self.last_update = 0

    def account_adopted(self, view: AccountView, now_ns: int) -> None:  # noqa: ARG002 - AccountSink's
        """Begin from what REST shows."""
        self.adoptions += 1
        self.lots = Counter({each.market_id: each.lots for each in view.positions})
        self.balance = None

    def account_changed(self, frame: AccountFrame, now_ns: int) -> None:  # noqa: ARG002 - AccountSink's
        """Fold one update."""
        assert frame.update_id > self.last_update
        self.last_update = frame.update_id
        self.frames += 1
        for fill in frame.fills:
            self.lots[fill.market_id] += fill.lots * fill.side
        self.balance = frame.balances.get("0", self.balance)

    def account_gap(self, reason: str, now_ns: int) -> None:
        """See AccountSink: the next adoption repairs it."""

    def account_doubt(self, reason: str, now_ns: int) -> None:
        """See AccountSink: sizes are right, and sizes are all that is folded here."""

    def account_proved(self, view: AccountView, now_ns: int) -> None:
        """See AccountSink: what agrees changes nothing."""


class Desk:
    """One user with a connection for books and one for the account; `open` it before use."""

    def __init__(self, url: str, seed: int, book: BookParams | None = None) -> None:
        self._venue = VenueParams(http_url=url)
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._rng = Random(seed)
        self._seed = seed
        self._book = book or BookParams()
        self.ledger = Ledger()
        self.told: Counter[str] = Counter()
        self.person: Person
        self.http: ZoHttp
        self.books: BookStream
        self.feed: AccountFeed

    async def open(self, clock: Clock | None = None) -> None:
        """Log in and listen; `clock` instead of the steady one."""
        clock = clock or steady_clock()
        self.http = await self._stack.enter_async_context(open_http(self._venue, clock))
        self.person = await Person(self.http, self._seed).open()
        catalog, rng = self.person.catalog, Random(self._seed)
        markets = [
            BookedMarket(number, listing, OrderBook())
            for number, listing in enumerate(catalog.listings.values())
        ]
        self.books = BookStream(
            self._venue.ws_origin,
            markets,
            self,
            Outside(self.http.orderbook, clock, rng),
            StreamParams(
                connection=CONNECTION, book=self._book, fetch=QUICK, tick_ms=10, with_trades=True
            ),
        )
        self.feed = AccountFeed(
            self._venue.ws_origin,
            self.person.account_id,
            self.ledger,
            AccountOutside(self.http.account, catalog, clock, rng),
            AccountFeedParams(
                connection=CONNECTION,
                account=AccountParams(reorder_ms=50),
                fetch=QUICK,
                tick_ms=10,
            ),
        )
        self._tasks = [asyncio.create_task(self.books.run()), asyncio.create_task(self.feed.run())]
        await self.in_step()

    async def close(self) -> None:
        """Be gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def book(self, event: BookUpdate | BookGap) -> None:
        """See MarketSink."""

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:  # noqa: ARG002
        """See MarketSink."""
        self.told["prints"] += len(frame.trades)

    async def in_step(self) -> None:
        """Wait until every book and the account are known again."""
        await self._comes_true(
            lambda: self.feed.sync.synced and all(sync.synced for sync in self.books.syncs)
        )

    async def caught_up(self) -> None:
        """Wait until books and account are those that REST shows, then compare them."""
        for market, sync in zip(self.books.markets, self.books.syncs, strict=True):
            for _ in range(1_000):
                view = await self.http.orderbook(market.listing)
                if sync.reached == view.update_id:
                    break
                await asyncio.sleep(0.002)
            else:
                raise AssertionError(f"{market.listing.symbol}: {sync.health()}")
            for side, levels in ((Side.BID, view.bids), (Side.ASK, view.asks)):
                assert market.book.levels(side, 100_000, False) == list(levels)
        for _ in range(1_000):
            account = await self.person.account()
            resting = {each.order_id: each.lots for each in account.orders}
            held = {each.market_id: each.lots for each in account.positions if each.lots}
            mine = {market: lots for market, lots in self.ledger.lots.items() if lots}
            if self.feed.sync.synced and (self.feed.sync.resting, mine) == (resting, held):
                return
            await asyncio.sleep(0.002)
        raise AssertionError((self.feed.sync.reason, self.feed.sync.resting, resting, mine, held))

    async def _comes_true(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():  # noqa: ASYNC110 - what is waited for knows no events
                await asyncio.sleep(0.002)

    async def trade(self, actions: int) -> None:
        """Do so many random things, each with what is known at that moment."""
        for _ in range(actions):
            action = self._choose()
            if action is None:
                continue
            outcome = await self.person.do(action)
            self.told[type(outcome).__name__] += 1
            if isinstance(outcome, Rejected):
                assert outcome.refusal.name in USUAL, (action, outcome)
                self.told[outcome.refusal.name] += 1
            else:
                assert isinstance(outcome, Accepted | Unknown)

    async def leave(self) -> None:
        """Cancel whatever rests, as REST tells it, until nothing does."""
        for _ in range(10):
            resting = (await self.person.account()).orders
            if not resting:
                return
            for each in resting:
                await self.person.cancel(each.order_id)
        raise AssertionError("orders that cannot be cancelled")

    def _choose(self) -> SessionAction | None:
        rng = self._rng
        place = rng.randrange(len(self.books.syncs))
        sync, market = self.books.syncs[place], self.books.markets[place]
        mine = sorted(self.feed.sync.resting)
        if mine and (not sync.synced or len(mine) > 12 or rng.random() < 0.15):
            return CancelById(rng.choice(mine))
        bid, _, ask, _ = market.book.touch(False)
        if not sync.synced or not 0 < bid < ask:
            return None
        kind = rng.random()
        side = rng.choice(list(Side))
        lots = rng.randint(*SIZES[place])
        touch, other = (bid, ask) if side is Side.BID else (ask, bid)
        if kind < 0.35:
            parts = [CancelById(each) for each in rng.sample(mine, min(len(mine), 2))]
            aways = (rng.randint(0, 30), rng.randint(0, 30))
            quotes = [
                order(
                    each,
                    best - each * rng.randint(0, 30),
                    lots,
                    FillMode.POST_ONLY,
                    market_id=place,
                )
                for each, best, away in zip((Side.BID, Side.ASK), (bid, ask), aways, strict=True)
            ]
            return Atomic((*parts, *quotes))
        if kind < 0.6:
            ticks = touch - side * rng.randint(-2, 20)
            return order(side, ticks, lots, FillMode.POST_ONLY, market_id=place)
        if kind < 0.7:
            return order(side, other + side * rng.randint(0, 5), lots, market_id=place)
        if kind < 0.8:
            ticks = other + side * rng.randint(-3, 200)
            return order(side, ticks, 5 * lots, FillMode.IOC, market_id=place)
        if kind < 0.85:
            return order(side, other + 50 * side, lots, FillMode.FOK, market_id=place)
        held = self.ledger.lots[place]
        if kind < 0.95 and held:
            closing = Side.ASK if held > 0 else Side.BID
            deep = (bid if held > 0 else ask) + 500 * closing
            return order(closing, deep, abs(held), FillMode.IOC, market_id=place, reduce_only=True)
        return CancelByClientId(rng.randrange(1 << 20))
