"""What the models cost: a decision with the recommended preset, and each estimator a sample."""

import random
from collections.abc import Callable

from mmbot.cext.estimates import Arrivals, OrderFlow, Slopes, Volatility
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.shadows import Shadows
from mmbot.config.presets import RECOMMENDED
from mmbot.domain.events import PublicTrades
from mmbot.domain.order import Side
from mmbot.domain.quotes import Room
from mmbot.quoting.params import QuotingParams
from mmbot.quoting.state import QuotingLimits, QuotingState
from mmbot.quoting.strategy import MarketMaker
from tests.bench.capture import depth_stream
from tests.bench.registry import bench, time_ns
from tests.bench.replaying import MARKET

LEVELS = 3
DECISIONS = 2000
CALLS = 50_000
STEP_NS = 100_000_000
SECOND_NS = 1_000_000_000
MID = 600_000


@bench("decision_recommended_3_levels", unit="us", must=35.0, goal=15.0)
def decision(runs: int) -> list[float]:
    """Book changed, takers traded -> everything learned and desired quotes, on the real book."""
    stream = depth_stream()
    book = OrderBook()
    book.snapshot(stream.snapshot.bids, stream.snapshot.asks)
    limits = QuotingLimits(
        max_book_spread_ratio=0.05,
        book_max_age_ns=2 * SECOND_NS,
        reference_max_age_ns=2 * SECOND_NS,
        market_exposure_ratio=0.3,
        side_exposure_ratio=0.25,
    )
    stages = {
        name: keys for name, keys in RECOMMENDED.items() if name in QuotingParams.model_fields
    }
    params = QuotingParams.model_validate(stages | {"levels": {"count": LEVELS}})
    maker = MarketMaker(params, limits, MARKET)
    state = QuotingState(MARKET, book)
    state.equity_uusd, state.free_uusd = 10_000_000_000, 9_000_000_000
    state.room = Room(40, 60)
    state.position_lots = 10
    best_bid, _, best_ask, _ = book.touch()
    began = [SECOND_NS]

    def work() -> None:
        quotes = None
        for number in range(1, DECISIONS + 1):
            now_ns = began[0] + number * STEP_NS
            book.set_level(Side.BID, best_bid, number % 977 + 1)
            state.now_ns = state.book_ts_ns = state.reference_ts_ns = now_ns
            state.reference_ticks = best_bid + number % 7
            if number % 10 == 0:
                # Takers go up to 10 bps beyond, the price comes back: some depth pays.
                state.takers.take(PublicTrades(now_ns, now_ns, 0, best_ask + number % 600, 0, 9, 0))
            maker.observe(state)
            quotes = maker.decide(state)
            state.takers.forget()
        began[0] = now_ns
        if quotes is None or len(quotes.bids) != LEVELS or len(quotes.asks) != LEVELS:
            raise RuntimeError(f"expected {LEVELS} levels a side around {best_ask}, got {quotes}")

    return [sample / 1000 for sample in time_ns(work, DECISIONS, runs)]


def _timed(runs: int, take: Callable[[int, int], None]) -> list[float]:
    """Time a sample: `take` is given a time that never goes back, and a number between 0 and 99."""
    dice = random.Random(1)
    values = [dice.randrange(100) for _ in range(CALLS)]
    now = [SECOND_NS]

    def work() -> None:
        at = now[0]
        for value in values:
            at += STEP_NS
            take(at, value)
        now[0] = at

    return time_ns(work, CALLS, runs)


@bench("estimator_volatility", unit="ns", must=1000.0, goal=400.0)
def volatility(runs: int) -> list[float]:
    kernel = Volatility(30.0, 600.0, 1.0, 0.2, 50.0)
    return _timed(runs, lambda now, value: kernel.update(now, MID + float(value)))


@bench("estimator_slopes", unit="ns", must=1000.0, goal=400.0)
def slopes(runs: int) -> list[float]:
    """Both slopes, a sample taken in and one matured."""
    kernel = Slopes(SECOND_NS, 120.0, 50.0, (0.3, 0.8))
    return _timed(runs, lambda now, value: kernel.update(now, MID + value, value / 100, 0.5, 5.0))


@bench("estimator_arrivals", unit="ns", must=1000.0, goal=400.0)
def arrivals(runs: int) -> list[float]:
    kernel = Arrivals(600.0, 20.0, 0.4, 1.4)
    return _timed(runs, lambda now, value: kernel.update(now, value / 10, -1.0, 1.0))


@bench("estimator_order_flow", unit="ns", must=1000.0, goal=400.0)
def order_flow(runs: int) -> list[float]:
    kernel = OrderFlow()
    return _timed(runs, lambda now, value: kernel.quotes(now, MID, value + 1, MID + 1, 50))


@bench("estimator_shadows", unit="ns", must=1000.0, goal=400.0)
def shadows(runs: int) -> list[float]:
    """Sixteen virtual quotes judged and made anew; once a decision, not once an event."""
    kernel = Shadows(900.0, 5 * SECOND_NS)
    touch = (MID - 5, MID + 5)
    return _timed(
        runs, lambda now, value: kernel.step(now, MID + value / 50, touch, MID + value, 0, STEP_NS)
    )
