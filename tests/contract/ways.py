"""Two ways into one exchange: straight into the engine, and over sockets through our client.

Both give the same client (`ZoHttp`) with another transport below it, and note every answer and
every stream message as bytes, so that what was said can be compared.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import Connection, ConnectionParams
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.rest.transport import Reply, Timeouts, Transport
from mmbot.adapters.zo.streams import subscriptions
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.running.operation import Operation
from mmbot.exchange.running.pacing import TICK_NS, SteppedPace
from mmbot.exchange.serving.opening import open_floor
from mmbot.exchange.serving.server import ExchangeServer, ServerOptions
from mmbot.exchange.views.asked import ViewRules
from mmbot.exchange.views.frames import encode
from mmbot.exchange.views.rest import answer
from tests.contract.people import Person

START_S = 1_800_000_000
STREAMS = (
    *(f"{kind}@{symbol}" for kind in ("deltas", "trades") for symbol in ("BTCUSD", "ETHUSD")),
    *("candle@BTCUSD:1", "account@1", "account@2", "account@3"),
)
MS = 10**6
Json = dict[str, Any]


class Said(NamedTuple):
    """One answer: what was asked, its status, its bytes."""

    target: str
    status: int
    body: bytes


@dataclass
class Transcript:
    """What a venue said in a scenario."""

    answers: list[Said] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)


class Way(ABC):
    """A venue to try; `exchange` is its engine, for rules and audits only."""

    exchange: Exchange

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.http: ZoHttp
        self._people = 0

    async def person(self) -> Person:
        """Let somebody new come in: account 1, 2, 3, each with 10,000 USD and a session."""
        self._people += 1
        return await Person(self.http, self._people).open()

    @abstractmethod
    async def step(self, ms: int) -> None:
        """Let engine time pass."""

    @abstractmethod
    async def index(self, market: int, price: float) -> None:
        """Set an oracle price, USD."""

    @abstractmethod
    async def frames(self, least: int = 0) -> list[bytes]:
        """Return what the streams said, once they have said so much."""


class InProcess(Way):
    """Bytes into `Exchange.act`, `rest.answer` and `take_changes`, without a server."""

    def __init__(self, params: ExchangeParams, start_s: int) -> None:
        super().__init__()
        self.exchange = Exchange(params, start_s * 10**9)
        self._rules = ViewRules()
        self.http = ZoHttp(_Straight(self), _Straight(self))  # type: ignore[arg-type]

    def said(self, target: str, body: bytes | None) -> Reply:
        """Answer a request."""
        split = urlsplit(target)
        if body is not None:
            found, status, kind = self.exchange.act(body), 200, "application/octet-stream"
        else:
            told = answer(self.exchange, split.path, dict(parse_qsl(split.query)), self._rules)
            found, status, kind = told.body, told.status, told.content_type
        self.publish()
        self.transcript.answers.append(Said(target, status, found))
        return Reply(status, kind, "", found)

    def publish(self) -> None:
        """Note what the streams would say."""
        for change in self.exchange.take_changes():
            messages = encode(self.exchange, change, STREAMS, self._rules)
            self.transcript.frames += [payload for _, payload in messages]

    async def step(self, ms: int) -> None:
        until_ns = self.exchange.state.now_ns + ms * MS
        while (now_ns := self.exchange.state.now_ns) < until_ns:
            self.exchange.advance(min(until_ns, now_ns + TICK_NS))
        self.publish()

    async def index(self, market: int, price: float) -> None:
        decimals = self.exchange.params.markets[market].price_decimals
        self.exchange.set_index(market, price * 10**decimals)
        self.publish()

    async def frames(self, least: int = 0) -> list[bytes]:
        assert len(self.transcript.frames) >= least
        return self.transcript.frames


class _Straight:
    """A transport with nothing to carry."""

    def __init__(self, way: InProcess) -> None:
        self._way = way
        self.sent = 0

    async def get(self, target: str) -> Reply:
        return self._way.said(target, None)

    async def post(self, target: str, body: bytes) -> Reply:
        return self._way.said(target, body)


class _Noted(Transport):
    """The client's transport; what comes is noted."""

    transcript: Transcript

    async def get(self, target: str) -> Reply:
        return self._noted(target, await super().get(target))

    async def post(self, target: str, body: bytes) -> Reply:
        return self._noted(target, await super().post(target, body))

    def _noted(self, target: str, reply: Reply) -> Reply:
        self.transcript.answers.append(Said(target, reply.status, reply.body))
        return reply


class OverSockets(Way):
    """The served exchange on loopback, our client, our stream connection, /_ctl/."""

    def __init__(self, server: ExchangeServer, url: str, control: aiohttp.ClientSession) -> None:
        super().__init__()
        self.server = server
        self.url = url
        self.exchange = server.floor.operation.exchange
        self._control = control
        self.connection: Connection

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect client and streams."""
        params = VenueParams(http_url=self.url)
        pools = (_Noted(params.http_origin, Timeouts()), _Noted(params.http_origin, Timeouts()))
        for pool in pools:
            pool.transcript = self.transcript
            await stack.enter_async_context(pool)
        self.http = ZoHttp(*pools)
        url = subscriptions.stream_url(str(params.ws_origin), STREAMS)
        backoff = ConnectionParams(backoff=BackoffParams(first_s=0.01, most_s=0.1))
        self.connection = Connection(url, self, backoff, steady_clock(), Random(1))
        listening = asyncio.create_task(self.connection.run())
        stack.push_async_callback(asyncio.wait, [listening])
        stack.callback(listening.cancel)
        await until(lambda: self.connection.connected)

    def opened(self, now_ns: int) -> None:
        """See Listener."""

    def closed(self, reason: str, now_ns: int) -> None:
        """See Listener."""

    def frame(self, frame: bytes, now_ns: int) -> None:  # noqa: ARG002 - Listener's
        """See Listener."""
        self.transcript.frames.append(frame)

    async def control(self, name: str, body: Json) -> Json:
        """Ask /_ctl/ for something."""
        async with self._control.post(f"{self.url}/_ctl/{name}", json=body) as reply:
            assert reply.status == 200, await reply.text()
            found: Json = await reply.json()
            return found

    async def step(self, ms: int) -> None:
        await self.control("step", {"ms": ms})

    async def index(self, market: int, price: float) -> None:
        await self.control("index", {"market": market, "price": price})

    async def frames(self, least: int = 0) -> list[bytes]:
        await until(lambda: len(self.transcript.frames) >= least)
        return self.transcript.frames


@asynccontextmanager
async def in_process(params: ExchangeParams, start_s: int = START_S) -> AsyncIterator[Way]:
    """Open an exchange without a server."""
    way = InProcess(params, start_s)
    yield way
    assert way.exchange.violations() == []


@asynccontextmanager
async def over_sockets(params: ExchangeParams, start_s: int = START_S) -> AsyncIterator[Way]:
    """Serve an exchange and connect to it."""
    exchange = Exchange(params, start_s * 10**9)
    operation = Operation(exchange, SteppedPace(start_s * 10**9), None, None)
    symbols = {market.symbol: place for place, market in enumerate(params.markets)}
    faults = Faults(7, lambda: operation.pace.now_ns, symbols)
    server = ExchangeServer(open_floor(operation, faults), ServerOptions(control=True))
    address = await server.start("127.0.0.1", 0)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        control = await stack.enter_async_context(aiohttp.ClientSession())
        way = OverSockets(server, f"http://{address.authority}", control)
        await way.open(stack)
        yield way
        assert exchange.violations() == []
        assert not server.broken.done()


WAYS = {"in process": in_process, "over sockets": over_sockets}


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to come true, not for long."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.001)
