"""The account stream against the product's own exchange: a trader, faults, and what REST says."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import uvloop

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.keys.session import read_engine_time, session_request, submit
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.answers import AccountView, Catalog
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.streams.account_feed import AccountFeed, AccountFeedParams, AccountOutside
from mmbot.adapters.zo.streams.account_sync import AccountParams
from mmbot.adapters.zo.wire.actions import CancelById, PlaceOrder
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner, WalletSigner
from mmbot.domain.order import FillMode, Side
from tests.fakes.exchange import LocalExchange, local_exchange
from tests.unit.adapters.zo.accounts import Ledger

FAST = BackoffParams(first_s=0.01, most_s=0.1, attempts=10**9)
PARAMS = AccountFeedParams(
    connection=ConnectionParams(backoff=FAST),
    fetch=FAST,
    account=AccountParams(reorder_ms=100, silent_ms=400),
)


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    with local_exchange() as running:
        yield running


class Trader:
    """Places, takes and cancels at random on the first market."""

    def __init__(self, http: ZoHttp, signer: SessionSigner, catalog: Catalog) -> None:
        self.http = http
        self.signer = signer
        self.catalog = catalog
        self.clock = EngineClock()
        self.dice = Random(1)

    async def account(self) -> AccountView:
        view = await self.http.account(self.signer.account_id, self.catalog)
        assert view is not None
        return view

    async def act(self) -> None:
        action: PlaceOrder | CancelById
        orders = (await self.account()).orders
        if orders and self.dice.random() < 0.3:
            action = CancelById(self.dice.choice(orders).order_id)
        else:
            book = await self.http.orderbook(self.catalog.listings[0])
            side = self.dice.choice([Side.BID, Side.ASK])
            taking = self.dice.random() < 0.5
            best = (book.asks if (side is Side.BID) is taking else book.bids)[0].ticks
            mode = FillMode.IOC if taking else FillMode.LIMIT
            ticks = best + 20 * side if taking else best
            action = PlaceOrder(0, side, mode, ticks, self.dice.randint(1, 400))
        stamp_s = await read_engine_time(self.http, self.clock)
        now_s = self.clock.now_s(time.monotonic_ns())
        body = self.signer.sign(action, stamp_s, secrets.randbits(32), now_s)
        await self.http.act(body, action, self.signer.account_id)


async def open_trader(http: ZoHttp) -> Trader:
    wallet = WalletSigner(Keypair.generate())
    user = await http.user(wallet.pubkey)
    assert user is not None
    stamp_s = await read_engine_time(http, EngineClock())
    stored = await submit(http, "here", session_request(wallet, stamp_s, 3600))
    return Trader(http, stored.signer(user.account_ids[0], 60), await http.info())


async def equal(trader: Trader, feed: AccountFeed, ledger: Ledger) -> None:
    """Wait until the ledger has the position and orders that REST shows."""
    async with asyncio.timeout(10):
        while True:
            view = await trader.account()
            theirs = (
                sum(held.lots for held in view.positions),
                {order.order_id: order.lots for order in view.orders},
            )
            if feed.sync.synced and (ledger.position, feed.sync.resting) == theirs:
                return
            await asyncio.sleep(0.01)


def play(exchange: LocalExchange, *faults: dict[str, Any]) -> Ledger:
    async def run() -> Ledger:
        params = VenueParams(http_url=exchange.url)
        ledger = Ledger()
        async with open_http(params) as http:
            trader = await open_trader(http)
            account_id = trader.signer.account_id
            outside = AccountOutside(http.account, trader.catalog, steady_clock(), Random(1))
            feed = AccountFeed(params.ws_origin, account_id, ledger, outside, PARAMS)
            task = asyncio.create_task(feed.run())
            await equal(trader, feed, ledger)
            await asyncio.to_thread(exchange.faults, *faults)
            for _ in range(40):
                await trader.act()
            await asyncio.to_thread(exchange.faults)
            await equal(trader, feed, ledger)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return ledger

    exchange.faults()
    return uvloop.run(run())


def test_the_ledger_is_the_account_of_rest(exchange: LocalExchange) -> None:
    ledger = play(exchange)
    assert [told for told in ledger.told if told.startswith("gap")] == ["gap: cancelled"]
    assert sum(len(frame.fills) for frame in ledger.updates) > 5
    assert any(frame.cancels for frame in ledger.updates)


@pytest.mark.parametrize(
    "fault",
    [
        {"knob": "acct.dup", "p": 0.5},
        {"knob": "acct.reorder", "p": 0.3},
        {"knob": "acct.delay", "p": 0.3, "ms": 50},
        {"knob": "acct.coalesce", "p": 0.3},
        {"knob": "acct.drop_fill", "p": 0.3},
        {"knob": "ws.rst", "every_n": 10},
        {"knob": "ws.half_open"},
        {"knob": "ws.big_frame", "p": 0.1},
        {"knob": "acct.foreign_order", "next_n": 1},
    ],
    ids=lambda fault: fault["knob"],
)
def test_after_any_fault_the_ledger_is_the_account_of_rest(
    exchange: LocalExchange, fault: dict[str, Any]
) -> None:
    play(exchange, fault)


def test_what_is_replayed_or_lost_around_a_connection_counts_once(exchange: LocalExchange) -> None:
    play(
        exchange,
        {"knob": "acct.replay"},
        {"knob": "acct.gap_on_subscribe", "ms": 100},
        {"knob": "ws.close", "next_n": 1},
    )
