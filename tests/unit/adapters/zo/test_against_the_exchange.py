"""The client against the product's own exchange: what it reads is what the exchange knows."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from mmbot.adapters.zo.engine_time import ClockState, EngineClock
from mmbot.adapters.zo.keys.session import read_engine_time, session_request, submit
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.answers import Catalog, Listing
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.rest.own_trades import own_trades
from mmbot.adapters.zo.wire.actions import CancelByClientId, PlaceOrder, SessionAction
from mmbot.adapters.zo.wire.outcomes import Accepted, Outcome, Placed, Rejected
from mmbot.adapters.zo.wire.refusals import Group
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner, WalletSigner
from mmbot.domain.order import FillMode, Side
from tests.fakes.exchange import LocalExchange, local_exchange

ATOMS_PER_UUSD = 10**6


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    """A busy exchange."""
    with local_exchange() as running:
        yield running


class Trader:
    """A wallet with a session, at an exchange."""

    def __init__(self, http: ZoHttp) -> None:
        self.http = http
        self.clock = EngineClock()
        self.wallet = Keypair.generate()
        self.account_id = 0
        self.catalog = Catalog((), ())
        self.btc: Listing
        self._signer: SessionSigner
        self._nonce = 0

    async def begin(self, lifetime_s: int) -> None:
        """Read what there is, and make a session."""
        self.catalog = await self.http.info()
        self.btc = self.catalog.listings[0]
        user = await self.http.user(self.wallet.public)
        assert user is not None
        (self.account_id,) = user.account_ids
        stamp = await read_engine_time(self.http, self.clock)
        request = session_request(WalletSigner(self.wallet), stamp, 3600)
        session = await submit(self.http, "http://here", request)
        self._signer = session.signer(self.account_id, lifetime_s)

    async def send(self, action: SessionAction) -> tuple[bytes, Outcome]:
        """Send an action stamped by the engine's clock; its bytes and what became of it."""
        self._nonce += 1
        now_ns = time.monotonic_ns()
        stamp = self.clock.stamp(self._signer.lifetime_s, now_ns)
        body = self._signer.sign(action, stamp, self._nonce, self.clock.now_s(now_ns))
        outcome = await self.http.act(body, action, self.account_id)
        if isinstance(outcome, Accepted):
            self.clock.accepted(stamp, now_ns, time.monotonic_ns())
        return body, outcome


def order(trader: Trader, mode: FillMode, ticks: int, lots: int, client_id: int) -> PlaceOrder:
    return PlaceOrder(trader.btc.market_id, Side.BID, mode, ticks, lots, client_id)


@pytest.mark.parametrize("lifetime_s", [5, 60])
def test_a_day_at_the_exchange(exchange: LocalExchange, lifetime_s: int) -> None:
    async def day() -> None:
        async with open_http(VenueParams(http_url=exchange.url)) as http:
            trader = Trader(http)
            await trader.begin(lifetime_s)
            best = (await http.orderbook(trader.btc)).asks[0]
            _, bought = await trader.send(
                order(trader, FillMode.IOC, best.ticks * 11 // 10, 20_000, 1)
            )
            assert isinstance(bought, Accepted), bought
            (taken,) = bought.results
            assert isinstance(taken, Placed)
            lots = sum(fill.lots for fill in taken.fills)
            assert lots == 20_000
            far = order(trader, FillMode.POST_ONLY, best.ticks // 2, 7, 2)
            body, rested = await trader.send(far)
            assert isinstance(rested, Accepted)
            again = await http.act(body, far, trader.account_id)
            assert isinstance(again, Rejected)
            assert again.refusal.group is Group.G2
            await check_account(trader, lots)
            await check_records(trader, taken, rested)
            _, gone = await trader.send(CancelByClientId(2))
            assert isinstance(gone, Accepted)
            _, late = await trader.send(CancelByClientId(2))
            assert isinstance(late, Rejected)
            assert late.refusal.group is Group.G4
            assert trader.clock.state(time.monotonic_ns()) is ClockState.OK

    asyncio.run(day())


async def check_account(trader: Trader, lots: int) -> None:
    account = await trader.http.account(trader.account_id, trader.catalog)
    assert account is not None
    (resting,) = account.orders
    assert (resting.client_order_id, resting.lots, resting.side) == (2, 7, Side.BID)
    (position,) = account.positions
    assert position.lots == lots
    assert account.balances[0] < 10_000 * 10**6
    assert account.margins.mf_uusd > account.margins.mmf_uusd > 0


async def check_records(trader: Trader, taken: Placed, rested: Accepted) -> None:
    http, catalog = trader.http, trader.catalog
    trades = await own_trades(http, trader.account_id, catalog, 0)
    assert [(own.trade.ticks, own.trade.lots) for own in trades] == [
        (fill.ticks, fill.lots) for fill in taken.fills
    ]
    assert all(own.side is Side.BID and not own.is_maker for own in trades)
    last = trades[-1].trade.trade_id
    assert await own_trades(http, trader.account_id, catalog, last) == []
    (placed,) = rested.results
    assert isinstance(placed, Placed)
    assert placed.order_id is not None
    shown = await http.order(placed.order_id, catalog)
    assert shown is not None
    assert shown.ticks is not None
    assert 0 < shown.ticks < trades[0].trade.ticks
    assert (shown.placed_lots, shown.mode) == (7, FillMode.POST_ONLY)
    assert shown.finalization is None
    brackets = await http.fee_brackets()
    assert await http.fee_tier(trader.account_id) in brackets
    live = {each.market_id: each for each in await http.markets_live(catalog)}
    stats = await http.stats(trader.btc)
    assert set(live) == set(catalog.listings)
    assert stats.index_price is not None
    assert stats.open_interest_lots is not None
    await http.pnl(trader.account_id)


@pytest.mark.parametrize("offset_s", [600, -600])
def test_the_clock_follows_an_engine_whose_time_is_elsewhere(offset_s: int) -> None:
    async def trade(url: str) -> None:
        async with open_http(VenueParams(http_url=url)) as http:
            trader = Trader(http)
            # The exchange takes the fault up at its next turn.
            while abs((await http.timestamp()).engine_s - time.time()) < 500:
                continue
            await trader.begin(60)
            cheap = (await http.orderbook(trader.btc)).bids[0].ticks // 2
            _, outcome = await trader.send(order(trader, FillMode.POST_ONLY, cheap, 1, 5))
            assert isinstance(outcome, Accepted), outcome

    with local_exchange() as exchange:
        exchange.faults({"knob": "eng.clock_offset", "s": offset_s})
        asyncio.run(asyncio.wait_for(trade(exchange.url), 10))
