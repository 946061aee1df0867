"""Replays of the real capture: the kernel alone, and with the bot deciding every 100 ms."""

import time
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from mmbot import assemble
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import ENDED, Replay
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.domain.market import Market
from mmbot.domain.quotes import Room
from mmbot.quoting.state import QuotingLimits, QuotingState
from mmbot.quoting.strategy import MarketMaker, QuotingParams
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds
from tests.bench.capture import SHARED, depth_stream
from tests.bench.registry import Skipped, bench, time_ns

EVENTS = SHARED / "reference/btcusdt_20240808.events.npz"
STEP_NS = 100_000_000
LATENCY_NS = 5_000_000
ROW_BYTES = 40
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
    """Three levels a side, deciding every 100 ms."""
    return load([], ["defaults.levels.count=3", "defaults.requote.min_interval_ms=100"]).config


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
    "replay_market_maker",
    unit="M rows/s",
    must=4.0,
    goal=16.0,
    higher=True,
    peers={"hftbacktest MM": 11.3, "nautilus MM": 0.755, "python engine": 0.43},
)
def replay_market_maker(runs: int) -> list[float]:
    """The product's engine and strategy, everything recorded, deciding every 100 ms."""
    feed = events()
    samples = []
    for _ in range(runs):
        run = assemble.recorded_run(settings(), [feed], assemble.RunOptions())
        start_s = time.perf_counter()
        replay(run.engine, run.venue, run.watch, keep_going=lambda: True)
        samples.append(feed.rows / (time.perf_counter() - start_s) / 1e6)
    return samples


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
    params = QuotingParams.model_validate({"levels": {"count": 3}})
    maker = MarketMaker(params, limits, MARKET)
    state = QuotingState(MARKET, book, equity_uusd=10_000_000_000, free_uusd=9_000_000_000)
    state.room = Room(40, 60)
    state.position_lots = 10
    deltas = stream.deltas[:2000]

    def work() -> None:
        now_ns = 0
        for bids, asks in deltas:
            book.apply(bids[:1], asks[:1])
            now_ns += 50_000_000
            state.now_ns = state.book_ts_ns = now_ns
            maker.decide(state)

    return [sample / 1000 for sample in time_ns(work, len(deltas), runs)]
