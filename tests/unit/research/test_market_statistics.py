"""Market statistics against hand-worked series."""

from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.research.market_statistics import (
    MarketSeries,
    Taker,
    autocorrelation,
    correlation,
    crash_and_rebound,
    kurtosis,
    market_statistics,
    max_drawdown,
    mids_of,
    quantile,
    variance,
    variance_ratio,
)

SECOND = 1_000_000_000


def test_small_samples_by_hand() -> None:
    assert variance([1.0, 3.0]) == 1.0
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(x) for x in range(100)], 0.99) == 99.0
    # Fourth moment of -2, 0, 0, 2 is 8, variance 2: 8 / 4.
    assert kurtosis([-2.0, 0.0, 0.0, 2.0]) == 2.0
    # Alternating signs about 0: three products of -1 over a sum of squares of 4.
    assert autocorrelation([1.0, -1.0, 1.0, -1.0], 1) == -0.75
    assert correlation([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == pytest.approx(1.0)
    assert correlation([1.0, 2.0, 3.0], [-2.0, -4.0, -6.0]) == pytest.approx(-1.0)
    assert max_drawdown([100.0, 120.0, 90.0, 130.0, 110.0]) == pytest.approx(0.30)
    # Falls from 100 to 80, regains 5 of 20.
    assert crash_and_rebound([100.0, 100.0, 80.0, 85.0], 1, 1, 1) == pytest.approx((-0.2, 0.25))


def test_nothing_to_measure_is_nan() -> None:
    assert isnan(variance([]))
    assert isnan(quantile([], 0.5))
    assert isnan(autocorrelation([1.0], 1))
    assert isnan(correlation([1.0, 1.0], [1.0, 2.0]))


def test_variance_ratio_of_trend_free_and_bouncing_prices() -> None:
    # A bouncing price goes nowhere in two steps.
    assert variance_ratio([0.0, 1.0] * 50, 2) == pytest.approx(0.0, abs=1e-9)
    # Steps +1 +1 -1 -1 repeated: one-step variance 1; two-step moves 2 0 -2 0, variance 2: 2 / 2.
    prices = [0.0, 1.0, 2.0, 1.0] * 100 + [0.0]
    assert variance_ratio(prices, 2) == pytest.approx(1.0, abs=0.01)


def test_mid_is_carried_over_a_missing_side() -> None:
    assert mids_of([0, 10, 10, 12], [11, 12, 0, 14]) == [11.0, 11.0, 11.0, 13.0]
    with pytest.raises(ValueError, match="both a bid and an ask"):
        mids_of([0, 1], [2, 0])


def test_prints_of_one_taker_are_one() -> None:
    series = MarketSeries(SECOND)
    series.add_prints([(1, 1, 100, 3), (1, 1, 104, 1), (1, -1, 99, 2)])
    series.add_prints([(1, -1, 98, 2), (2, -1, 98, 2)])
    assert series.takers == [Taker(1, 1, 101.0, 4), Taker(1, -1, 98.5, 4), Taker(2, -1, 98.0, 2)]


def steps(mids: list[int], takers: list[tuple[int, int, int, int]]) -> MarketSeries:
    series = MarketSeries(SECOND)
    series.add_touches((i * SECOND, mid - 10, 30, mid + 10, 10) for i, mid in enumerate(mids))
    series.add_prints(takers)
    return series


def test_a_price_stepping_up_once() -> None:
    # 120 s at 10,000 ticks (1 bps = 1 tick), then 5 ticks higher; one buyer of 4 and one seller of
    # 2 lots at second 118: the mid is 5 higher 5 s later.
    flat = [10_000] * 120 + [10_005] * 60
    series = steps(flat, [(118 * SECOND, 1, 10_010, 4), (118 * SECOND, -1, 9_990, 2)])
    found = market_statistics(series, lots_per_unit=20.0)
    assert found.seconds == 180
    assert found.spread_median_bps == 20.0
    assert found.spread_p99_bps == 20.0
    assert found.touch_depth_median_units == 2.0
    assert found.touch_depth_p1_to_median == 1.0
    assert found.trades_per_min == pytest.approx(2 / 3)
    # Impact: buys 4 x 5, sells 2 x -5, over 6 lots. Kept: 4 x (10 - 5) + 2 x (10 + 5), over 6.
    assert found.impact_5s_bps == pytest.approx(10 / 6)
    assert found.realised_half_spread_5s_bps == pytest.approx(50 / 6)
    # One move of 5 in 179: variance 25/179 - (5/179)^2.
    assert found.vol_1s_bps == pytest.approx((25 / 179 - (5 / 179) ** 2) ** 0.5)
    assert found.worst_60s_pct == 0.0
    assert found.max_drawdown_pct == 0.0
    # Two takers in one bin of 18: mean 1/9, variance 4/18 - 1/81.
    assert found.fano_10s == pytest.approx((4 / 18 - 1 / 81) * 9)


def test_a_fall_shows_as_drawdown_and_worst_minute() -> None:
    falling = [10_000] * 100 + [10_000 - i for i in range(100)] + [9_900] * 100
    found = market_statistics(steps(falling, [(0, 1, 10_010, 1)]), 1.0)
    assert found.max_drawdown_pct == pytest.approx(1.0)
    assert found.worst_60s_pct == pytest.approx(-0.6)


def test_imbalance_that_knows_the_next_move() -> None:
    series = MarketSeries(SECOND)
    ups = [1 if i % 3 else -1 for i in range(200)]
    mid = 10_000
    for i, up in enumerate(ups):
        heavy, light = (30, 10) if up > 0 else (10, 30)
        series.add_touches([(i * SECOND, mid - 5, heavy, mid + 5, light)])
        mid += up
    series.add_prints([(0, 1, 10_005, 1)])
    assert market_statistics(series, 1.0).imbalance_ic_1s == pytest.approx(1.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=3, max_size=30))
def test_autocorrelation_is_bounded_and_blind_to_scale(values: list[float]) -> None:
    found = autocorrelation(values, 1)
    if not isnan(found):
        assert -1.0 - 1e-9 <= found <= 1.0 + 1e-9
