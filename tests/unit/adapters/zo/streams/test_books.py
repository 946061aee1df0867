import asyncio
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from itertools import pairwise
from random import Random

import pytest
import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import BookView, Listing
from mmbot.adapters.zo.streams.book_sight import BookParams
from mmbot.adapters.zo.streams.books import BookStream
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.domain.order import Level
from mmbot.errors import RateLimited, Unavailable
from tests.fakes.market import FakeMarket
from tests.fakes.socket_server import SocketServer, socket_server

FAST = BackoffParams(first_s=0.001, most_s=0.01, attempts=10**9)
PARAMS = StreamParams(
    connection=ConnectionParams(backoff=FAST), fetch=FAST, tick_ms=5, with_trades=True
)
GRIDS = {"BTCUSD": (1, 5), "ETHUSD": (2, 4)}


def listing(market_id: int, symbol: str) -> Listing:
    one = Decimal(1)
    return Listing(market_id, symbol, *GRIDS[symbol], 0, 0, one, one, one)


class Venue:
    """Two markets: their frames over sockets, their books on request, with faults."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.markets = {name: FakeMarket(name, grid, self.rng) for name, grid in GRIDS.items()}
        self.peers: set[ServerConnection] = set()
        self.faults = 0.0
        self.fetched = 0
        self.lag = 0

    async def script(self, peer: ServerConnection) -> None:
        self.peers.add(peer)
        try:
            await peer.wait_closed()
        finally:
            self.peers.discard(peer)

    async def tell(self, frame: bytes) -> None:
        for peer in list(self.peers):
            try:
                await peer.send(frame, text=True)
            except ConnectionClosed:
                self.peers.discard(peer)

    async def change(self) -> None:
        frame = self.rng.choice(list(self.markets.values())).change()
        fate = self.rng.random()
        if fate >= self.faults:
            await self.tell(frame)
        elif fate < self.faults * 0.2:
            await self.tell(frame)
            await self.tell(frame)
        elif fate < self.faults * 0.3:
            await self.tell(frame[:-9])
        elif fate < self.faults * 0.4:
            for peer in list(self.peers):
                peer.transport.abort()

    async def fetch(self, listing: Listing) -> BookView:
        self.fetched += 1
        market = self.markets[listing.symbol]
        if self.rng.random() < self.faults:
            raise self.rng.choice([Unavailable("no"), RateLimited("slow", 0.001)])
        seen = list(market.history)[-1 - (self.rng.randrange(3) if self.faults else self.lag)]
        await asyncio.sleep(self.rng.random() * 0.005)
        bids, asks = market.levels(seen)
        return BookView(
            seen, tuple(Level(*each) for each in bids), tuple(Level(*each) for each in asks)
        )


class Bot:
    """The sink, with both books."""

    def __init__(self) -> None:
        self.books = {name: OrderBook() for name in GRIDS}
        self.events: list[BookUpdate | BookGap] = []
        self.prints: list[tuple[int, TradesFrame]] = []

    def book(self, event: BookUpdate | BookGap) -> None:
        self.events.append(event)

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        assert now_ns > 0
        self.prints.append((index, frame))

    def equals(self, venue: Venue) -> bool:
        return all(
            (book.levels(1, 999, False), book.levels(-1, 999, False))
            == venue.markets[name].levels(venue.markets[name].update_id)
            for name, book in self.books.items()
        )


Doing = Callable[[SocketServer, Venue, Bot, BookStream], Awaitable[None]]


def play(doing: Doing, params: StreamParams = PARAMS, seed: int = 1) -> Bot:
    async def run() -> Bot:
        venue, bot = Venue(seed), Bot()
        async with socket_server(venue.script) as server:
            markets = [
                BookedMarket(20 + number, listing(number, name), bot.books[name])
                for number, name in enumerate(GRIDS)
            ]
            stream = BookStream(
                Origin("ws", "127.0.0.1", server.port),
                markets,
                bot,
                Outside(venue.fetch, steady_clock(), Random(seed)),
                params,
            )
            async with asyncio.TaskGroup() as group:
                task = group.create_task(stream.run())
                await doing(server, venue, bot, stream)
                task.cancel()
        assert len(asyncio.all_tasks()) == 1
        return bot

    return uvloop.run(run())


def reached(stream: BookStream, generation: int) -> bool:
    return stream.connection.generation >= generation


def all_synced(stream: BookStream) -> bool:
    return all(health.synced for health in stream.health().values())


def test_books_are_built_and_followed() -> None:
    async def doing(server: SocketServer, venue: Venue, bot: Bot, stream: BookStream) -> None:
        await server.until(lambda: all_synced(stream))
        assert server.paths == ["/ws/deltas@BTCUSD&trades@BTCUSD&deltas@ETHUSD&trades@ETHUSD"]
        for _ in range(200):
            await venue.change()
        await server.until(lambda: bot.equals(venue))

    bot = play(doing)
    assert {event.market for event in bot.events} == {20, 21}
    assert [event for event in bot.events[:-2] if isinstance(event, BookGap)] == []
    # The end of the stream is a gap in every book.
    assert all(isinstance(event, BookGap) for event in bot.events[-2:])


@pytest.mark.parametrize("seed", range(1, 6))
def test_books_equal_the_venue_after_any_faults(seed: int) -> None:
    async def doing(_server: SocketServer, venue: Venue, bot: Bot, stream: BookStream) -> None:
        venue.faults = 0.2
        for _ in range(400):
            await venue.change()
            if venue.rng.random() < 0.2:
                await asyncio.sleep(0.001)
        venue.faults = 0.0
        async with asyncio.timeout(10):
            # A lost last update shows with the next one, as on any market that moves.
            while not (all_synced(stream) and bot.equals(venue)):
                for _ in range(3):
                    await venue.change()
                await asyncio.sleep(0.02)
        health = stream.health()
        assert sum(each.gaps for each in health.values()) > 3
        assert stream.connection.generation > 1

    bot = play(doing, seed=seed)
    for market in (20, 21):
        kinds = [type(event) for event in bot.events if event.market == market]
        assert BookGap in kinds
        # Between two gaps there is always a book that was good.
        assert (BookGap, BookGap) not in set(pairwise(kinds))


def test_a_stream_that_goes_silent_is_replaced() -> None:
    params = StreamParams(
        connection=ConnectionParams(backoff=FAST),
        fetch=FAST,
        tick_ms=5,
        book=BookParams(silent_ms=80),
    )

    async def doing(server: SocketServer, venue: Venue, bot: Bot, stream: BookStream) -> None:
        await server.until(lambda: all_synced(stream))
        # Quiet markets: REST says the same again and again, and the connection stays.
        await asyncio.sleep(0.4)
        assert stream.connection.generation == 1
        assert venue.fetched > 5
        # Now they move and the stream does not tell: a zombie, pongs or not.
        for market in venue.markets.values():
            market.change()
        await server.until(lambda: stream.connection.generation > 1, 3.0)
        await server.until(lambda: all_synced(stream) and bot.equals(venue))

    play(doing, params)


def test_a_snapshot_older_than_the_stream_is_not_used() -> None:
    async def doing(server: SocketServer, venue: Venue, bot: Bot, stream: BookStream) -> None:
        venue.lag = 4
        await server.until(lambda: len(venue.peers) == 1)
        for market in venue.markets.values():
            for _ in range(3):
                await venue.tell(market.change())
        await asyncio.sleep(0.1)
        assert not any(health.synced and health.applied for health in stream.health().values())
        venue.lag = 0
        await server.until(lambda: all_synced(stream) and bot.equals(venue))

    play(doing)


def test_trades_come_with_the_number_of_their_market() -> None:
    async def doing(server: SocketServer, venue: Venue, bot: Bot, stream: BookStream) -> None:
        await server.until(lambda: all_synced(stream))
        await venue.tell(
            b'{"trades":{"market_symbol":"ETHUSD","trades":[{"trade_id":9,"side":"ask",'
            b'"price":2500.25,"size":0.5,"physical_time":"2026-09-13T06:44:44.117406033Z"}]}}'
        )
        await venue.tell(b'{"later":1}')
        await server.until(lambda: bool(bot.prints))
        assert stream.connection.generation == 1

    ((index, frame),) = play(doing).prints
    assert index == 21
    assert (frame.trades[0].ticks, frame.trades[0].lots) == (250025, 5000)


def test_forced_reconnects_leave_no_socket_and_no_task() -> None:
    before = len(os.listdir("/proc/self/fd"))

    async def doing(server: SocketServer, venue: Venue, bot: Bot, stream: BookStream) -> None:
        for generation in range(1, 201):
            await server.until(partial(reached, stream, generation))
            stream.connection.give_up("forced")
        await server.until(lambda: all_synced(stream) and bot.equals(venue))
        assert len(venue.peers) == 1

    play(doing)
    assert len(os.listdir("/proc/self/fd")) <= before
