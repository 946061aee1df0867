"""Kernels as Python calls them, and a loop over plain dictionaries to compare machines by."""

import random

from mmbot.cext.clob import Clob
from mmbot.cext.ladder import Rungs
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.rolling import RollingMedian
from mmbot.domain.order import Level
from tests.bench.capture import depth_stream
from tests.bench.registry import bench, time_ns

CALLS = 100_000


@bench("baseline_dict_update", unit="ns/level", peers={"the peers' machine": 68.0})
def baseline_dict_update(runs: int) -> list[float]:
    stream = depth_stream()

    def work() -> None:
        bids, asks = dict(stream.snapshot.bids), dict(stream.snapshot.asks)
        for delta in stream.deltas:
            for side, levels in ((bids, delta.bids), (asks, delta.asks)):
                for ticks, lots in levels:
                    if lots:
                        side[ticks] = lots
                    else:
                        side.pop(ticks, None)

    return time_ns(work, stream.levels, runs)


@bench("book_apply_python", unit="ns/level", peers={"hummingbot": 200.0, "nautilus": 233.0})
def book_apply_python(runs: int) -> list[float]:
    """Levels handed over as Python pairs, as a slow feed would."""
    stream = depth_stream()

    def work() -> None:
        book = OrderBook()
        book.snapshot(*stream.snapshot)
        apply = book.apply
        for bids, asks in stream.deltas:
            apply(bids, asks)

    return time_ns(work, stream.levels, runs)


@bench(
    "book_top10",
    unit="ns",
    must=150.0,
    goal=80.0,
    peers={
        "hftbacktest ROI from numba": 159.0,
        "hftbacktest hash from numba": 918.0,
        "cryptofeed": 1980.0,
        "sortedcontainers": 3126.0,
        "hummingbot": 6857.0,
    },
)
def book_top10(runs: int) -> list[float]:
    stream = depth_stream()
    book = OrderBook()
    book.snapshot(*stream.snapshot)
    for bids, asks in stream.deltas:
        book.apply(bids, asks)
    top = book.top

    def work() -> None:
        for _ in range(CALLS):
            top(10)

    return time_ns(work, CALLS, runs)


@bench("rolling_median_300", unit="ns", peers={"zo-market-maker, Node": 31_000.0})
def rolling_median(runs: int) -> list[float]:
    dice = random.Random(1)
    values = [dice.gauss(0.0, 1.0) for _ in range(CALLS)]
    median = RollingMedian(300)

    def work() -> None:
        for value in values:
            median.push(value)
            median.median  # noqa: B018 - reading is what is timed

    return time_ns(work, CALLS, runs)


@bench("ladder_3_levels", unit="ns")
def ladder(runs: int) -> list[float]:
    """Both sides as the product asks for them: priced, sized, merged and cut."""
    rungs = Rungs(3, 10**6, (True, 10**6, 10**9, 1), Level)
    touch, worths, rooms = (1000000, 1000010), (10**8, 8 * 10**7, 6 * 10**7), (200, 200)

    def work() -> None:
        for _ in range(CALLS // 10):
            rungs.quotes(1000005.0, 0.0015, touch, worths, 10**9, rooms)

    return time_ns(work, CALLS // 10, runs)


@bench("clob_place_cancel", unit="ns/pair")
def clob_place_cancel(runs: int) -> list[float]:
    """A post-only order and its cancel among 500 resting orders of other owners."""
    dice = random.Random(1)
    market = Clob()
    for order_id in range(1, 501):
        side = 1 if order_id % 2 else -1
        market.place(order_id, 1 + order_id % 9, side, 10_000 - side * dice.randint(1, 200), 5, 1)
    place, cancel = market.place, market.cancel

    def work() -> None:
        for order_id in range(501, 501 + CALLS):
            place(order_id, 99, 1, 9_990, 5, 1)
            cancel(order_id)

    return time_ns(work, CALLS, runs)
