"""The embedded exchange as a program of a simulation: the real server, on the loop's time."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from mmbot.adapters.sim.flow import MarketType
from mmbot.domain.market import Market
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.params import ExchangeParams, MarketParams
from mmbot.exchange.running.flows import Flows, Source, SyntheticFlow
from mmbot.exchange.running.journal import Kind
from mmbot.exchange.running.operation import Background, Operation
from mmbot.exchange.running.pacing import Pace
from mmbot.exchange.serving.opening import open_floor
from mmbot.exchange.serving.server import Address, ExchangeServer, ServerOptions
from tests.simulation.loop import VirtualLoop

START_NS = 1_800_000_000 * 10**9
HOST, PORT, NAME = "127.0.0.1", 8000, "localhost"

# Sub-steps of 50 ms in an event of a market: most seeds play fewer and larger events, for the sake
# of time; every fourth plays all.
COARSE, FINE_EVERY = 4, 4
# As often as a market does anything.
TICK_NS = 50_000_000

Watch = Callable[[Kind, bytes, Any], None]


class LoopPace:
    """Engine time goes with the loop's."""

    stepped = False

    def __init__(self, loop: VirtualLoop, start_ns: int = START_NS) -> None:
        self._loop = loop
        self.start_ns = start_ns

    @property
    def now_ns(self) -> int:
        """The engine time it is now."""
        return self.start_ns + self._loop.now_ns

    def later(self, delay_ns: int, call: Callable[[], None]) -> None:
        """Call back when `delay_ns` have passed."""
        self._loop.call_later(delay_ns / 1e9, call)


class WatchedOperation(Operation):
    """Tells everything that was done to the exchange, at once."""

    def __init__(self, exchange: Exchange, pace: Pace, background: Background) -> None:
        super().__init__(exchange, pace, background, None)
        self.watches: list[Watch] = []

    def _do(self, kind: Kind, content: bytes) -> Any:
        result = super()._do(kind, content)
        for watch in self.watches:
            watch(kind, content, result)
        return result


class Venue:
    """An exchange that is open: its engine, its faults and the server's address."""

    def __init__(self, loop: VirtualLoop, params: ExchangeParams, seed: int) -> None:
        self.pace = LoopPace(loop)
        self.exchange = Exchange(params, self.pace.now_ns)
        self.operation = WatchedOperation(
            self.exchange, self.pace, Flows(_sources(self.exchange, seed))
        )
        symbols = {market.symbol: place for place, market in enumerate(params.markets)}
        self.faults = Faults(seed, lambda: self.pace.now_ns, symbols)
        self.floor = open_floor(self.operation, self.faults)
        self.server: ExchangeServer
        self.is_open = asyncio.Event()
        self.address = Address(HOST, PORT)

    async def serve(self) -> None:
        """Be open until cancelled; whatever breaks the exchange is raised."""
        self.server = ExchangeServer(self.floor, ServerOptions(tick_ns=TICK_NS))
        self.address = await self.server.start(HOST, PORT)
        self.is_open.set()
        try:
            await self.server.broken
        finally:
            await self.server.stop()

    @property
    def url(self) -> str:
        """Address of its REST interface, by name, so that names can fail to be found."""
        return f"http://{NAME}:{self.address.port}"

    @property
    def reference_url(self) -> str:
        """Address of the reference stream."""
        return f"ws://{NAME}:{self.address.port}/reference"

    def outside(self, market: int) -> float | None:
        """What a market trades at elsewhere, in ticks, whatever the reference stream says."""
        assert self.operation.background is not None
        return self.operation.background.outside(market)


def _sources(exchange: Exchange, seed: int) -> list[Source]:
    sources: list[Source] = []
    for place, params in enumerate(exchange.params.markets):
        ticks = exchange.state.markets[place].index_ticks
        assert ticks is not None
        kind = MarketType.NORMAL
        steps = COARSE if seed % FINE_EVERY else 1
        now_ns = exchange.state.now_ns
        clob = exchange.clobs[place]
        flow = SyntheticFlow(clob, _grid(params, place), kind, seed, now_ns, ticks)
        flow.substeps = steps
        sources.append(flow)
    return sources


def _grid(params: MarketParams, place: int) -> Market:
    tick, lot = (Decimal(1).scaleb(-n) for n in (params.price_decimals, params.size_decimals))
    return Market(params.symbol, tick, lot, index=place)
