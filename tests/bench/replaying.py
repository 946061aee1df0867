"""Replays of the real capture: the kernel alone, and with the bot deciding every 100 ms."""

import time
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from struct import Struct

from mmbot import assemble
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import ENDED, Replay
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.domain.quotes import Room
from mmbot.ports import RunObserver
from mmbot.quoting.params import QuotingParams
from mmbot.quoting.state import QuotingLimits, QuotingState
from mmbot.quoting.strategy import MarketMaker
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds
from tests.bench.capture import SHARED, depth_stream
from tests.bench.registry import Skipped, bench, time_ns

ROW = Struct("<qqqqII")
FLAG_LOCAL = 0x40000000
FOREVER_NS = (1 << 63) - 2
EVENTS = SHARED / "reference/btcusdt_20240808.events.npz"
STEP_NS = 100_000_000
LATENCY_NS = 5_000_000
ROW_BYTES = 40
LEVELS = 3
DECISIONS = 2000
DEPTH_KINDS = (1, 4)
LOCAL_ONLY = 0x7FFFFFFF
MARKET = Market("BTCUSDT", Decimal("0.1"), Decimal("0.001"))


class MemoryFeed:
    """Rows read before the clock starts."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.market = MARKET
        self.rows = sum(map(len, chunks)) // ROW_BYTES
        self._chunks = chunks

    def chunks(self) -> Iterator[bytes]:
        """The rows again."""
        return iter(self._chunks)

    def notes(self) -> list[str]:
        """Nothing to remark."""
        return []


@cache
def events() -> MemoryFeed:
    """Read the events file once."""
    if not EVENTS.exists():
        raise Skipped(f"{EVENTS} is not there")
    (feed,) = open_feeds([EVENTS], "events", FeedOptions(grids={"*": MARKET}))
    return MemoryFeed(list(feed.chunks()))


@cache
def settings() -> Config:
    """The shipped defaults: two levels a side, deciding every 100 ms."""
    return load([]).config


@bench(
    "replay_empty",
    unit="M rows/s",
    must=15.0,
    goal=25.0,
    higher=True,
    peers={"hftbacktest hash": 12.8, "hftbacktest ROI": 17.4},
)
def replay_empty(runs: int) -> list[float]:
    """Both clocks and both books over the events, an empty strategy woken every 100 ms."""
    feed = events()
    return [_empty_run(feed) for _ in range(runs)]


def _empty_run(feed: MemoryFeed) -> float:
    kernel = Replay([OrderBook()])
    kernel.set_latency([(0, LATENCY_NS)], [(0, LATENCY_NS)])
    for chunk in feed.chunks():
        kernel.feed(0, chunk, False)
    kernel.feed(0, b"", True)
    now_ns = kernel.start_ns
    start_s = time.perf_counter()
    while kernel.advance(now_ns) != ENDED:
        now_ns += STEP_NS
    return feed.rows / (time.perf_counter() - start_s) / 1e6


@bench(
    "book_update",
    unit="ns/level",
    must=40.0,
    goal=25.0,
    peers={
        "hftbacktest hash": 26.0,
        "hftbacktest ROI": 12.0,
        "cryptofeed": 85.0,
        "nautilus": 233.0,
    },
)
def book_update(runs: int) -> list[float]:
    """Depth rows applied to one book, one after another."""
    rows = [
        (exch, local, ticks, lots, flags & LOCAL_ONLY, 0)
        for chunk in events().chunks()
        for exch, local, ticks, lots, flags, _ in ROW.iter_unpack(chunk)
        if flags & FLAG_LOCAL and flags & 0xFF in DEPTH_KINDS
    ]
    packed = b"".join(ROW.pack(*row) for row in rows)
    samples = []
    for _ in range(runs):
        kernel = Replay([OrderBook()])
        kernel.feed(0, packed, True)
        start_ns = time.perf_counter_ns()
        kernel.advance(FOREVER_NS)
        samples.append((time.perf_counter_ns() - start_ns) / len(rows))
    return samples


@bench(
    "replay_market_maker",
    unit="M rows/s",
    must=4.0,
    goal=16.0,
    higher=True,
    peers={"hftbacktest MM": 11.3, "nautilus MM": 0.755, "python engine": 0.43},
)
def replay_market_maker(runs: int) -> list[float]:
    """The product's engine and strategy deciding every 100 ms, no notes taken, as the peers do."""
    return [_bot_run(Unobserved()) for _ in range(runs)]


@bench("replay_market_maker_recorded", unit="M rows/s", must=4.0, goal=16.0, higher=True)
def replay_market_maker_recorded(runs: int) -> list[float]:
    """The same with everything a report needs recorded at every step."""
    return [_bot_run(None) for _ in range(runs)]


class Unobserved:
    """A RunObserver that looks away."""

    def batch(self, batch: Batch) -> None:
        """Ignore what was sent."""

    def step(self, now_ns: int) -> None:
        """Ignore how things stand."""


def _bot_run(observer: RunObserver | None) -> float:
    feed = events()
    run = assemble.recorded_run(settings(), [feed], assemble.RunOptions())
    watch = run.watch if observer is None else observer
    start_s = time.perf_counter()
    replay(run.engine, run.venue, watch, keep_going=lambda: True)
    return feed.rows / (time.perf_counter() - start_s) / 1e6


@bench("decision_3_levels", unit="us", must=20.0, goal=8.0, peers={"zo-mm TypeScript": 49.5})
def decision(runs: int) -> list[float]:
    """Book changed -> desired quotes, three levels a side, on the real book."""
    stream = depth_stream()
    book = OrderBook()
    book.snapshot(stream.snapshot.bids, stream.snapshot.asks)
    limits = QuotingLimits(
        max_book_spread_ratio=0.05,
        book_max_age_ns=2_000_000_000,
        reference_max_age_ns=2_000_000_000,
        market_exposure_ratio=0.3,
        side_exposure_ratio=0.25,
    )
    params = QuotingParams.model_validate({"levels": {"count": LEVELS}})
    maker = MarketMaker(params, limits, MARKET)
    state = QuotingState(MARKET, book)
    state.equity_uusd, state.free_uusd = 10_000_000_000, 9_000_000_000
    state.room = Room(40, 60)
    state.position_lots = 10
    best_bid, _, best_ask, _ = book.touch()

    def work() -> None:
        for now_ns in range(1, DECISIONS + 1):
            # The imbalance changes, so the width and every price do.
            book.set_level(Side.BID, best_bid, now_ns % 977 + 1)
            state.now_ns = state.book_ts_ns = now_ns
            quotes = maker.decide(state)
        if len(quotes.bids) != LEVELS or len(quotes.asks) != LEVELS:
            raise RuntimeError(f"expected {LEVELS} levels a side around {best_ask}, got {quotes}")

    return [sample / 1000 for sample in time_ns(work, DECISIONS, runs)]
