import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import AccountView, Catalog
from mmbot.adapters.zo.streams.account_feed import AccountFeed, AccountFeedParams, AccountOutside
from mmbot.adapters.zo.streams.account_sync import AccountParams
from mmbot.errors import Unavailable
from tests.fakes.account import FakeAccount
from tests.fakes.socket_server import SocketServer, socket_server
from tests.unit.adapters.zo.accounts import ACCOUNT, CATALOG, GRID, Ledger, view

FAST = BackoffParams(first_s=0.001, most_s=0.01, attempts=10**9)


class Venue:
    """One account: its frames over sockets, its state on request, with faults."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.account = FakeAccount(ACCOUNT, GRID, self.rng)
        self.peers: set[ServerConnection] = set()
        self.late: list[bytes] = []
        self.sent: list[bytes] = []
        self.faults = 0.0

    async def script(self, peer: ServerConnection) -> None:
        # An old burst may be replayed behind a new connection.
        for frame in self.sent[-5:]:
            await peer.send(frame, text=True)
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

    async def act(self) -> None:
        frame = self.account.act()
        self.sent.append(frame)
        fate = self.rng.random() / self.faults if self.faults else 1.0
        if fate < 0.3:
            self.late.append(frame)
            return
        if fate < 0.5:
            return
        if fate < 0.6:
            for peer in list(self.peers):
                peer.transport.abort()
        elif fate < 0.7:
            frame = frame[:-5]
        await self.tell(frame)
        if fate < 0.9:
            await self.tell(frame)
        while self.late:
            await self.tell(self.late.pop())

    async def fetch(self, account_id: int, catalog: Catalog) -> AccountView | None:
        assert (account_id, catalog) == (ACCOUNT, CATALOG)
        if self.rng.random() < self.faults:
            raise Unavailable("no")
        seen = list(self.account.history)[-1 - (self.rng.randrange(2) if self.faults else 0)]
        answer = view(seen, *self.account.history[seen])
        await asyncio.sleep(self.rng.random() * 0.005)
        return answer


Doing = Callable[[SocketServer, Venue, Ledger, AccountFeed], Awaitable[None]]


def play(doing: Doing, seed: int, **params: int) -> Ledger:
    async def run() -> Ledger:
        venue, ledger = Venue(seed), Ledger()
        async with socket_server(venue.script) as server:
            feed = AccountFeed(
                Origin("ws", "127.0.0.1", server.port),
                ACCOUNT,
                ledger,
                AccountOutside(venue.fetch, CATALOG, steady_clock(), Random(seed)),
                AccountFeedParams(
                    connection=ConnectionParams(backoff=FAST),
                    fetch=FAST,
                    tick_ms=5,
                    account=AccountParams(**params),
                ),
            )
            async with asyncio.TaskGroup() as group:
                task = group.create_task(feed.run())
                await doing(server, venue, ledger, feed)
                task.cancel()
        assert server.paths[0] == f"/ws/account@{ACCOUNT}"
        assert len(asyncio.all_tasks()) == 1
        return ledger

    return uvloop.run(run())


def equal(venue: Venue, ledger: Ledger, feed: AccountFeed) -> bool:
    known = (ledger.position, feed.sync.resting)
    return feed.sync.synced and known == (venue.account.position, venue.account.orders)


def test_the_ledger_follows_the_account() -> None:
    async def doing(server: SocketServer, venue: Venue, ledger: Ledger, feed: AccountFeed) -> None:
        await server.until(lambda: feed.sync.synced and bool(venue.peers))
        for _ in range(100):
            await venue.act()
        await server.until(lambda: equal(venue, ledger, feed))

    ledger = play(doing, 1)
    told = [each for each in ledger.told if not each.startswith("doubt")]
    assert told[0].startswith("adopted")
    assert all(each.startswith("changed") for each in told[1:-1])
    assert told[-1] == "gap: cancelled"
    assert len(told) == 102


def test_the_ledger_equals_the_account_after_any_faults() -> None:
    async def doing(server: SocketServer, venue: Venue, ledger: Ledger, feed: AccountFeed) -> None:
        await server.until(lambda: feed.sync.synced and bool(venue.peers))
        venue.faults = 0.3
        for _ in range(400):
            await venue.act()
            if venue.rng.random() < 0.3:
                await asyncio.sleep(0.002)
        venue.faults = 0.0
        async with asyncio.timeout(10):
            while not equal(venue, ledger, feed):
                await venue.act()
                await asyncio.sleep(0.03)
        assert feed.sync.gaps > 3
        assert feed.connection.generation > 3

    for seed in range(1, 5):
        play(doing, seed, reorder_ms=20)


def test_a_silent_stream_is_replaced_when_rest_knows_more() -> None:
    async def doing(server: SocketServer, venue: Venue, ledger: Ledger, feed: AccountFeed) -> None:
        await server.until(lambda: feed.sync.synced and bool(venue.peers))
        await asyncio.sleep(0.3)
        assert feed.connection.generation == 1
        venue.account.act()
        await server.until(lambda: feed.connection.generation > 1)
        await server.until(lambda: equal(venue, ledger, feed))

    assert (
        "gap: the account changes and its stream is silent" in play(doing, 1, silent_ms=1500).told
    )
