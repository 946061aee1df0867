"""The live venue at the product's own exchange, both in one loop whose time runs fast.

Sockets are real; every timer, the exchange's clock and the venue's clock come from the loop, so
that seconds of waiting take milliseconds and both sides agree on how many they are.
"""

import asyncio
import selectors
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any

import aiohttp

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.action_line import ActionLine, LineParams
from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.streams.account_feed import AccountFeedParams
from mmbot.adapters.zo.streams.account_sync import AccountParams
from mmbot.adapters.zo.trading.params import (
    Access,
    Hooks,
    Start,
    Surroundings,
    TradedAccount,
    TradingParams,
)
from mmbot.adapters.zo.trading.venue import ZoVenue
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import (
    Event,
    Fill,
    Hindrance,
    OrderUpdate,
    Restatement,
    Transfer,
    VenueSnapshot,
)
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.model import Order, Trade
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.running.operation import Operation
from mmbot.exchange.serving.opening import open_floor
from mmbot.exchange.serving.server import ExchangeServer, ServerOptions
from mmbot.execution.order_ids import OrderIds
from tests.exchange.served import START_S, Served, Trader

SPEED = 20
LIFETIME_S = 5
PRICE = 600_000
FAST = BackoffParams(first_s=0.05, most_s=0.5, attempts=10**9)
# Everything is looked at much more often here.
FASTER_PER_MIN = 6_000.0
PARAMS = TradingParams(
    tick_ms=20,
    clock_ms=200,
    reconcile_ms=1_000,
    audit_ms=3_000,
    sweep_ms=200,
    feed=AccountFeedParams(
        connection=ConnectionParams(backoff=FAST),
        fetch=FAST,
        account=AccountParams(reorder_ms=400, silent_ms=5_000),
    ),
)


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout if not timeout else timeout / SPEED)


class FastLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds are shorter."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return time.monotonic() * SPEED


class LoopPace:
    """Engine time goes as the loop's."""

    stepped = False

    def __init__(self) -> None:
        self._since_s = asyncio.get_running_loop().time()

    @property
    def now_ns(self) -> int:
        passed_s = asyncio.get_running_loop().time() - self._since_s
        return START_S * 10**9 + round(passed_s * 1e9)

    def later(self, delay_ns: int, call: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(delay_ns / 1e9, call)


class Heard:
    """What the venue told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.trades: list[OwnTrade] = []
        self.late: list[OwnTrade] = []
        self.warnings: list[str] = []
        self.notices: list[Notice] = []

    async def until(self, holds: Callable[[], bool], most_s: float = 60.0) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(most_s):
            while not holds():  # noqa: ASYNC110 - the truth of another program
                await asyncio.sleep(0.05)

    async def told(self, order_id: int, state: OrderState) -> None:
        await self.until(lambda: state in self.states(order_id))

    def states(self, order_id: int) -> list[OrderState]:
        """What was told of an order."""
        return [
            event.state
            for event in self.events
            if isinstance(event, OrderUpdate) and event.order_id == order_id
        ]

    def reasons(self, order_id: int) -> list[str | None]:
        return [
            event.reason
            for event in self.events
            if isinstance(event, OrderUpdate) and event.order_id == order_id
        ]

    def fills(self) -> dict[int, Fill]:
        """The last telling of every execution, by its number."""
        return {event.trade_id: event for event in self.events if isinstance(event, Fill)}

    def restated(self) -> list[Restatement]:
        return [event for event in self.events if isinstance(event, Restatement)]

    def position(self) -> int:
        """Signed lots as an engine would have them: the fills once each, and what was restated."""
        first = next(event for event in self.events if isinstance(event, VenueSnapshot))
        told = sum(fill.side * fill.lots for fill in self.fills().values())
        return first.lots[0] + told + sum(each.lots for each in self.restated())

    def hindered(self) -> set[str]:
        """The names of the hindrances in force."""
        held: dict[tuple[str, int | None], str | None] = {}
        for event in self.events:
            if isinstance(event, Hindrance):
                held[event.name, event.market] = event.reason
        return {name for (name, _), reason in held.items() if reason is not None}

    def transfers(self) -> list[int]:
        return [event.uusd for event in self.events if isinstance(event, Transfer)]

    def snapshot_has(self, order_id: int) -> bool:
        snapshots = [event for event in self.events if isinstance(event, VenueSnapshot)]
        return any(order.order_id == order_id for order in snapshots[-1].orders)


class Desk(Heard):
    """The venue under test, what it told, and the truth."""

    def __init__(self, served: Served, faults: Faults, owner: Trader, other: Trader) -> None:
        super().__init__()
        self.served = served
        self.owner = owner
        self.other = other
        self.ids = OrderIds(7, 3)
        self.venue: ZoVenue
        self.cursor = 0
        self.lost: set[int] = set()
        self.renew: Callable[[Start], ZoVenue]
        self.market: Market
        self._faults = faults
        self._run: asyncio.Task[None] | None = None

    def clock(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    async def control(self, *entries: dict[str, Any]) -> None:
        """Set faults in the place of those that are set."""
        await self.served.set(*entries)

    def take(self, trades: Sequence[OwnTrade], cursor: int) -> None:
        """Keep trades; whoever begins at `cursor` must not lack any up to there."""
        self.cursor = cursor
        self.trades += trades
        kept = {own.trade.trade_id for own in self.trades}
        self.lost |= {each.trade_id for each in self.truth() if each.trade_id <= cursor} - kept

    def truth(self) -> list[Trade]:
        """The owner's trades in truth."""
        mine = self.owner.account
        made = self.served.exchange.state.trades
        return [each for each in made if mine in (each.maker_id, each.taker_id)]

    def begin(self) -> None:
        """Let the venue run."""
        loop = asyncio.get_running_loop()
        self._run = loop.create_task(self.venue.run(self.events.append))

    async def stop(self) -> None:
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
            self._run = None

    def place(self, side: Side = Side.BID, ticks: int = PRICE, lots: int = 10, **more: Any) -> int:
        """Place one order; its id."""
        order = self.order(side, ticks, lots, **more)
        self.submit(order)
        return order.order_id

    def order(
        self, side: Side = Side.BID, ticks: int = PRICE, lots: int = 10, **more: Any
    ) -> Place:
        mode = more.pop("mode", FillMode.LIMIT)
        return Place(0, self.ids.next(), side, ticks, lots, mode)

    def submit(self, *actions: Place | Cancel) -> None:
        self.venue.submit(Batch(self.clock(), actions))

    def cancel(self, order_id: int) -> None:
        self.submit(Cancel(0, order_id))

    def orders(self) -> dict[int, Order]:
        """What rests in truth, by client id."""
        return {order.client_order_id or 0: order for order in self.owner.orders().values()}

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def sneak(self, side: Side, lots: int, ticks: int, who: Trader | None = None) -> None:
        """Have the other trader take from the book past the faults of the network."""
        trader = who or self.other
        order = pb.PlaceOrder(
            session_id=trader.session,
            price=ticks,
            size=lots,
            side=pb.BID if side is Side.BID else pb.ASK,
            fill_mode=pb.IMMEDIATE_OR_CANCEL,
        )
        self.served.server.floor.operation.act(trader.signed(pb.Action(place_order=order)))

    async def ready(self) -> None:
        """Wait until nothing hinders."""
        await self.until(lambda: bool(self.events) and not self.hindered())


@asynccontextmanager
async def desk(params: TradingParams = PARAMS, start: Start | None = None) -> AsyncIterator[Desk]:
    """Serve an exchange, give the venue an account on it, and look for broken rules at the end."""
    pace = LoopPace()
    exchange = Exchange(ExchangeParams(auto_fund_usd=10_000), pace.now_ns)
    operation = Operation(exchange, pace, None, None)
    symbols = {market.symbol: place for place, market in enumerate(exchange.params.markets)}
    faults = Faults(7, lambda: pace.now_ns, symbols)
    server = ExchangeServer(open_floor(operation, faults, True), ServerOptions(control=True))
    address = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        served = Served(server, address, session)
        owner, other = await Trader(served).open(), await Trader(served, 2).open()
        found = Desk(served, faults, owner, other)
        venue_params = VenueParams(http_url=served.url)
        async with open_http(venue_params, found.clock, FASTER_PER_MIN) as http:
            # Of a busy machine nothing is expected in a hurry.
            line = ActionLine(venue_params.http_origin, LineParams(wait_s=2.0))
            catalog = await http.info()
            found.market = catalog.listings[0].market(0)
            key = owner._key
            keypair = Keypair(bytes(key) + bytes(key.verify_key))
            signer = SessionSigner(keypair, owner.session, owner.account, LIFETIME_S)
            wallet = bytes(owner._wallet.verify_key)
            found.renew = partial(
                ZoVenue,
                Access(http, line, venue_params.ws_origin),
                TradedAccount(signer, wallet, catalog, (catalog.listings[0],), found.ids),
                Surroundings(found.clock, Random(5), EngineClock()),
                Hooks(
                    found.take,
                    found.warnings.append,
                    late=found.late.append,
                    notice=found.notices.append,
                ),
                params,
            )
            found.venue = found.renew(start or Start(previous_run_clean=True))
            try:
                yield found
                assert exchange.violations() == []
                assert found.lost == set()
            finally:
                await found.stop()
                line.close()
                await session.close()
                await server.stop()


async def taken(desk: Desk, side: Side, lots: int, ticks: int) -> pb.Receipt:
    """Have the other trader take from the book."""
    fields = {"side": pb.BID if side is Side.BID else pb.ASK}
    mode = {"fill_mode": pb.IMMEDIATE_OR_CANCEL}
    return await desk.other.send(desk.other.place(ticks, lots, **fields, **mode))


def play(work: Callable[[Desk], Awaitable[None]], **options: Any) -> None:
    """Run a test at a desk whose venue is ready."""

    async def whole() -> None:
        async with asyncio.timeout(20 * SPEED), desk(**options) as found:
            found.begin()
            await found.ready()
            await work(found)

    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(whole())
