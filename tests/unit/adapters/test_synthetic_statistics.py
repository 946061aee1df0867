"""Every market type shows the statistics of the strategy page: means of five runs of 10,000 steps.

The bands are the page's, widened by 30 % of their ends; a figure given without a band gets 30 %
either way. NOISY: figures given without a band whose error over five seeds exceeds 30 %; they get
the band of the normal market or two standard errors. The page has no ranging market: its figures
are this project's own.
"""

from dataclasses import asdict
from decimal import Decimal
from functools import cache
from itertools import pairwise
from math import isnan
from statistics import fmean

import pytest

from mmbot.adapters.sim.flow import SUBSTEP_NS, MarketType
from mmbot.adapters.sim.synthetic import SyntheticMarket, undisturbed
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.domain.market import Market
from mmbot.research.market_statistics import (
    MarketSeries,
    autocorrelation,
    crash_and_rebound,
    market_statistics,
    mids_of,
)

BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.001"))
STEPS = 10_000
SEEDS = (1, 2, 3, 4, 5)
PER_SECOND = 20
WIDER = 0.3

Band = tuple[float, float]
NOISY_TREND: Band = (0.07, 1.9)
NOISY_IMPACT: Band = (0.02, 0.37)
TABLE: dict[MarketType, dict[str, Band | float]] = {
    MarketType.NORMAL: {
        "vol_1s_bps": (1.00, 1.22),
        "spread_median_bps": (2.9, 3.4),
        "spread_p99_bps": 7.2,
        "touch_depth_median_units": 12.0,
        "touch_depth_p1_to_median": 0.33,
        "trades_per_min": (16.9, 18.3),
        "trend_t": (0.07, 1.9),
        "worst_60s_pct": -0.40,
        "max_drawdown_pct": 1.5,
        "abs_return_acf_30s": 0.07,
        "kurtosis_1s": 8.6,
        "fano_10s": 2.4,
        "imbalance_ic_1s": (0.14, 0.17),
        "impact_5s_bps": (0.02, 0.37),
        "realised_half_spread_5s_bps": 1.49,
        "variance_ratio_60s": (0.5, 1.7),
    },
    MarketType.ILLIQUID: {
        "vol_1s_bps": (0.92, 1.13),
        "spread_median_bps": (14.6, 18.4),
        "spread_p99_bps": (52, 73),
        "touch_depth_median_units": 2.4,
        "touch_depth_p1_to_median": 0.33,
        "trades_per_min": (2.4, 3.2),
        "trend_t": NOISY_TREND,
        "worst_60s_pct": -0.57,
        "max_drawdown_pct": 2.3,
        "kurtosis_1s": 15.8,
        "fano_10s": 2.5,
        "imbalance_ic_1s": 0.19,
        "impact_5s_bps": 4.2,
        "realised_half_spread_5s_bps": 4.1,
        "return_acf_1s": 0.65,
    },
    MarketType.TRENDING: {
        "vol_1s_bps": (0.98, 1.25),
        "spread_median_bps": 3.1,
        "spread_p99_bps": 7.3,
        "touch_depth_median_units": 12.0,
        "touch_depth_p1_to_median": 0.33,
        "trades_per_min": 17.6,
        "trend_t": (2.9, 5.6),
        "worst_60s_pct": -0.35,
        "abs_return_acf_30s": 0.07,
        "kurtosis_1s": 9.2,
        "fano_10s": 2.4,
        "imbalance_ic_1s": 0.16,
        "impact_5s_bps": NOISY_IMPACT,
        "realised_half_spread_5s_bps": 1.40,
        "sign_acf_1": (0.55, 0.65),
    },
    MarketType.RANGING: {
        "vol_1s_bps": (1.00, 1.22),
        "spread_median_bps": (2.9, 3.4),
        "trades_per_min": (16.9, 18.3),
        "trend_t": (0.0, 0.1),
        "worst_60s_pct": -0.20,
        "max_drawdown_pct": 0.29,
        "imbalance_ic_1s": 0.12,
        "variance_ratio_60s": (0.2, 0.35),
        "range_sd_bps": (3.0, 3.6),
        "excursion_bps": (12, 22),
    },
    MarketType.VOLATILE: {
        "vol_1s_bps": (5.3, 8.0),
        "spread_median_bps": (5.1, 7.8),
        "spread_p99_bps": (19, 44),
        "touch_depth_median_units": 7.0,
        "touch_depth_p1_to_median": 0.33,
        "trades_per_min": 50.6,
        "trend_t": NOISY_TREND,
        "worst_60s_pct": -3.0,
        "max_drawdown_pct": 8.4,
        "abs_return_acf_30s": (0.07, 0.27),
        "kurtosis_1s": 10.2,
        "fano_10s": 2.3,
        "imbalance_ic_1s": (0.02, 0.06),
        "impact_5s_bps": 1.9,
        "realised_half_spread_5s_bps": 1.9,
    },
    MarketType.FLASH_CRASH: {
        "vol_1s_bps": (1.31, 1.49),
        "spread_median_bps": 3.2,
        "spread_p99_bps": (18, 38),
        "touch_depth_median_units": 11.6,
        "touch_depth_p1_to_median": 0.13,
        "trades_per_min": 17.9,
        "trend_t": (1.6, 3.6),
        "worst_60s_pct": (-5.5, -5.3),
        "max_drawdown_pct": 8.6,
        "abs_return_acf_30s": 0.36,
        "kurtosis_1s": 19.6,
        "fano_10s": 2.4,
        "imbalance_ic_1s": 0.13,
        "impact_5s_bps": NOISY_IMPACT,
        "realised_half_spread_5s_bps": 2.0,
        "crash_pct": -8.0,
        "rebound": (0.53, 0.63),
    },
    MarketType.TOXIC: {
        "vol_1s_bps": (1.64, 1.76),
        "spread_median_bps": 3.1,
        "spread_p99_bps": 7.0,
        "touch_depth_median_units": 11.9,
        "touch_depth_p1_to_median": 0.33,
        "trades_per_min": 18.4,
        "trend_t": NOISY_TREND,
        "worst_60s_pct": -0.54,
        "max_drawdown_pct": 1.9,
        "kurtosis_1s": 9.3,
        "fano_10s": 2.5,
        "imbalance_ic_1s": 0.12,
        "impact_5s_bps": (2.4, 2.9),
        "realised_half_spread_5s_bps": (-1.4, -0.95),
    },
}
CASES = [(kind, name) for kind, figures in TABLE.items() for name in figures]


def widened(figure: Band | float) -> Band:
    low, high = figure if isinstance(figure, tuple) else (figure, figure)
    return low - WIDER * abs(low), high + WIDER * abs(high)


def run(kind: MarketType, seed: int) -> dict[str, float]:
    synthetic = SyntheticMarket(kind, seed, BTC, STEPS)
    series = MarketSeries(SUBSTEP_NS)
    for piece in undisturbed(synthetic):
        series.add_touches(piece.touches)
        series.add_prints(piece.prints)
    figures = {
        name: float(value)
        for name, value in asdict(market_statistics(series, synthetic.lots_per_unit)).items()
    }
    bps = mids_of(series.bids, series.asks)[::PER_SECOND]
    bps = [(mid / bps[0] - 1) * 10_000 for mid in bps]
    mean = fmean(bps)
    figures["range_sd_bps"] = fmean((x - mean) ** 2 for x in bps) ** 0.5
    figures["excursion_bps"] = max(abs(x) for x in bps)
    figures["crash_pct"], figures["rebound"] = crash_and_rebound(
        [100 + x / 100 for x in bps], 6_000, 90, 600
    )
    figures["crash_pct"] *= 100
    calm = bps[:6_000]
    figures["calm_acf_1s"] = autocorrelation([b - a for a, b in pairwise(calm)], 1)
    return figures


@cache
def means(kind: MarketType) -> dict[str, float]:
    runs = [run(kind, seed) for seed in SEEDS]
    return {name: fmean(figures[name] for figures in runs) for name in runs[0]}


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_statistic_is_in_its_band(kind: MarketType, name: str) -> None:
    low, high = widened(TABLE[kind][name])
    assert low <= means(kind)[name] <= high


@pytest.mark.parametrize("kind", MarketType)
def test_stylised_facts_hold_in_every_market(kind: MarketType) -> None:
    figures = means(kind)
    assert not any(isnan(value) for value in figures.values())
    assert figures["kurtosis_1s"] > 4
    assert figures["sign_acf_1"] > 0.1
    assert figures["fano_10s"] > 1.5
    # The crash itself is a trend of 90 s; before it the market is as calm as any.
    if kind is not MarketType.ILLIQUID:
        assert abs(figures["calm_acf_1s"]) < 0.25


def test_markets_differ_in_the_way_their_names_say() -> None:
    normal = means(MarketType.NORMAL)
    assert means(MarketType.ILLIQUID)["spread_median_bps"] > 4 * normal["spread_median_bps"]
    assert means(MarketType.VOLATILE)["vol_1s_bps"] > 4 * normal["vol_1s_bps"]
    assert means(MarketType.TOXIC)["realised_half_spread_5s_bps"] < 0
    assert normal["realised_half_spread_5s_bps"] > 0
    assert means(MarketType.TRENDING)["trend_t"] > 2 * normal["trend_t"]
    assert means(MarketType.RANGING)["variance_ratio_60s"] < 0.5


def markout_5s_bps(kind: MarketType, seed: int) -> float:
    """Mean move in a bot's favour, five seconds after fills of quotes 3 bps around the mid.

    Requotes every 100 ms, requests take 100 ms, one unit a side.
    """
    synthetic = SyntheticMarket(kind, seed, BTC, 3_000)
    book = OrderBook()
    replay = Replay([book], prints=True, horizons=(5_000_000_000,))
    replay.set_latency([(0, 100_000_000)], [(0, 0)])
    fills: dict[int, tuple[int, int]] = {}
    marked: dict[int, float] = {}
    order_id, due_ns = 0, synthetic.next_ns
    status = 2
    while status != 3:
        status = replay.advance(due_ns)
        if status == 2:
            rows = synthetic.chunk(*replay.best(0), replay.take_prints(0), 1)
            replay.feed(0, rows, synthetic.finished)
        elif status == 1:
            for response in replay.take_responses():
                if response[6] is not None:
                    ticks, *_, number = response[6]
                    fills[number] = (1 if response[2] % 2 else -1, ticks)
        else:
            due_ns += 100_000_000
            bid, _, ask, _ = book.touch()
            for old in (order_id - 1, order_id):
                if order_id:
                    replay.cancel(0, old)
            half = round(3 * (bid + ask) / 20_000)
            mid = (bid + ask) // 2
            replay.submit(0, order_id + 1, 1, mid - half, 16, 1)
            replay.submit(0, order_id + 2, -1, mid + half, 16, 1)
            order_id += 2
    for fill, _, mid_half_ticks, matured in replay.take_marks():
        side, ticks = fills.get(fill, (0, 0))
        if matured and side:
            marked[fill] = side * (mid_half_ticks / 2 - ticks) / ticks * 10_000
    assert len(marked) > 30
    return fmean(marked.values())


def test_a_bot_at_3_bps_earns_in_normal_and_loses_to_the_informed() -> None:
    assert markout_5s_bps(MarketType.NORMAL, 1) > 0
    assert markout_5s_bps(MarketType.TOXIC, 1) < 0
    assert markout_5s_bps(MarketType.VOLATILE, 1) < 0
