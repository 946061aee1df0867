"""A live bot of one market without sockets: what a venue tells it is handed over as bytes.

Everything of the bot is the product, wired as `assemble.live` does it; a connection is a transport
that keeps what is written. `now_ns` is what all of it takes for the time.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import uvloop

from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.market_terms import BookedMarket, Outside
from mmbot.adapters.zo.rest.action_line import ActionLine, LineParams
from mmbot.adapters.zo.rest.answers import BookView, Catalog, Listing, Token
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import Access, Surroundings, TradedAccount, TradingParams
from mmbot.adapters.zo.trading.sending import Sending
from mmbot.adapters.zo.wire.signing import SessionSigner
from mmbot.assemble import BATCH_SIZE, Footing, RunOptions, build_engine
from mmbot.assemble.live.bookkeeping import Bookkeeping
from mmbot.assemble.live.feeds import BookFeed
from mmbot.assemble.live.heart import NoHeart
from mmbot.assemble.live.watchers import Keepers
from mmbot.cext.orderbook import OrderBook
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch
from mmbot.domain.events import AccountSnapshot, IndexPrice
from mmbot.engine import Engine, VenueTraits
from mmbot.execution.order_ids import OrderIds
from mmbot.ledger.opening import open_ledger
from mmbot.ledger.rows import RunStart
from mmbot.ports import Emit, Leftovers, VenueFigures
from mmbot.risk.breaker import Breaker
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.works import Works
from tests.bench.live_moves import CENTRE_TICKS

START_S = 1_767_225_600
START_NS = START_S * 1_000_000_000
EQUITY_UUSD = 1_000_000_000_000
CONNECTIONS = 6
STEP_NS = 10_000_000
WAIT_S = 0.02
LOOKS = 500
ONE = Decimal(1)
LISTING = Listing(0, "M00USD", 1, 5, 0, 0, Decimal("0.02"), Decimal("0.01"), Decimal("0.0125"))
Answer = Callable[[list[bytes]], tuple[list[bytes], int]]
"""From the bodies of requests to their receipts, and the last action the venue knows of."""
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "


class Written:
    """What was written since it was last asked, and when the first of it."""

    def __init__(self) -> None:
        self.first_ns: int | None = None
        self.requests: list[tuple[asyncio.Protocol, bytes]] = []

    def take(self) -> list[tuple[asyncio.Protocol, bytes]]:
        """Return the requests and forget them."""
        self.first_ns = None
        taken, self.requests = self.requests, []
        return taken


class Recording(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self, protocol: asyncio.Protocol, written: Written) -> None:
        super().__init__()
        self._protocol = protocol
        self._written = written

    def write(self, data: Any) -> None:
        written = self._written
        if written.first_ns is None:
            written.first_ns = time.perf_counter_ns()
        written.requests.append((self._protocol, data))

    def abort(self) -> None:
        """There is nothing to end."""


class RecordingLoop(uvloop.Loop):
    """Whoever connects gets a Recording."""

    written = Written()

    async def create_connection(
        self, protocol_factory: Callable[[], Any], *_args: Any, **_options: Any
    ) -> Any:
        """See the loop."""
        protocol = protocol_factory()
        transport = Recording(protocol, self.written)
        protocol.connection_made(transport)
        return transport, protocol


class Books(BookFeed):
    """The books without a connection."""

    async def run(self, emit: Emit) -> None:
        """See LiveFeed."""
        self._emit = emit
        await asyncio.get_running_loop().create_future()


class Sends:
    """A Venue that sends, and is told by answers alone what became of it."""

    def __init__(self, known: Knowledge, sending: Sending, line: ActionLine) -> None:
        self._known = known
        self._sending = sending
        self._line = line

    def submit(self, batch: Batch) -> None:
        """See Venue."""
        self._sending.sender.submit(batch, (0,))

    async def run(self, emit: Emit) -> None:
        """See Venue."""
        self._known.outlet.connect(emit)
        await self._line.run()

    async def cancel_all(self, deadline_s: float) -> Leftovers:  # noqa: ARG002 - Venue's
        """See Venue."""
        return Leftovers(proven=True)


class Welcome(NamedTuple):
    """What a venue knows of the bot, and the book as the bot finds it."""

    signer: SessionSigner
    view: BookView


class Rig:
    """A bot; `live.run()` begins."""

    def __init__(self, config: Config, http: ZoHttp, place: Path, welcome: Welcome) -> None:
        self.now_ns = START_NS
        self._engine_clock = EngineClock()
        self._tell_time()
        self._view = welcome.view
        self._ids = OrderIds(config.instance.id, epoch=1)
        self.line = ActionLine(config.venue.http_origin, LineParams(connections=CONNECTIONS))
        self._wire(config, http, welcome.signer)
        book = OrderBook()
        self.books = Books(
            config.venue.ws_origin,
            [BookedMarket(0, LISTING, book)],
            Outside(_no_snapshot, self.clock, Random(1)),
            (),
        )
        self.live = self._live(config, self._engine(config, book), place)

    def clock(self) -> int:
        """Return the time it is."""
        return self.now_ns

    async def begin(self) -> None:
        """Let the bot see its book and its money, and warm up; then it trades.

        That it is warm is seen by a task on the real clock: no time passes until it has.
        """
        await _until(lambda: self.line.opened > CONNECTIONS)
        stream = self.books.streams[0]
        stream.opened(self.now_ns)
        stream.syncs[0].snapshot(self._view, stream.syncs[0].epoch, self.now_ns)
        works = self.live.works
        for _ in range(works.params.warmup_ms * 1_000_000 // STEP_NS):
            self.account()
            self.now_ns += STEP_NS
        await _until(lambda: works.engine.stops.reason(0) is None)

    def account(self) -> None:
        """Tell what is polled: the account, an index price, the engine's time."""
        self._tell_time()
        emit, now_ns = self.known.outlet.tell, self.now_ns
        equity = EQUITY_UUSD
        emit(AccountSnapshot(0, now_ns, equity, equity, 0, 0, bankruptcy=False))
        emit(IndexPrice(0, now_ns, 0, float(CENTRE_TICKS)))

    def hear(self, delta: bytes) -> None:
        """Let the stream of the book tell that."""
        self.books.streams[0].frame(delta, self.now_ns)

    def answer(self, answer: Answer) -> int:
        """Hand over what the venue says to what was written; how many requests there were.

        `answer` may ask the venue itself; see there.
        """
        taken = RecordingLoop.written.take()
        receipts, reached = answer([request.partition(b"\r\n\r\n")[2] for _, request in taken])
        for (protocol, _), receipt in zip(taken, receipts, strict=True):
            protocol.data_received(b"%b%d\r\n\r\n%b" % (_ANSWER, len(receipt), receipt))
        # The stream of the account tells no more than the receipts do.
        self.known.joins.told_to(reached)
        return len(taken)

    def _tell_time(self) -> None:
        self._engine_clock.observe(self.now_ns // 1_000_000_000, self.now_ns, self.now_ns)

    def _wire(self, config: Config, http: ZoHttp, signer: SessionSigner) -> None:
        catalog = Catalog([LISTING], [Token(0, "USDC", 6, 10_000)])
        traded = TradedAccount(signer, None, catalog, (LISTING,), self._ids)
        access = Access(http, self.line, config.venue.ws_origin)
        outside = Surroundings(self.clock, Random(1), self._engine_clock)
        params = TradingParams(cancels_per_s=config.rate_limits.cancels_per_second)
        self.known = Knowledge(access, traded, outside, params)
        self.sending = Sending(access, traded, outside, params, self.known)

    def _engine(self, config: Config, book: OrderBook) -> Engine:
        traits = VenueTraits(batch_size=BATCH_SIZE, book_includes_own=True, has_index=True)
        footing = Footing(self._ids, Breaker(config.risk.loss), traits)
        return build_engine(config, [LISTING.market(0)], [book], RunOptions(), footing)

    def _live(self, config: Config, engine: Engine, place: Path) -> MarketMakerLive:
        self.ledger = ledger = open_ledger(
            place / "ledger.db", params=config.storage, now_ns=self.now_ns
        )
        start = RunStart(self.now_ns, "live", "bench#1", config.instance.id, 1, "", "", "")
        run = ledger.begin_run(start, (LISTING.market(0),))
        keeping = Bookkeeping(ledger, run, engine, config.runtime, self.clock)
        return MarketMakerLive(
            Works(
                engine=engine,
                venue=Sends(self.known, self.sending, self.line),
                figures=VenueFigures,
                feeds=[self.books],
                book_age_ms=self.books.age_ms,
                keeper=Keepers(keeping, None),
                heart=NoHeart(),
                clock=self.clock,
                params=config.runtime,
            )
        )


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if true():
            return
        await asyncio.sleep(WAIT_S)
    raise TimeoutError("the bot does not begin to trade")


async def _no_snapshot(_listing: Listing) -> BookView:
    raise AssertionError("nothing is fetched while a bench runs")
