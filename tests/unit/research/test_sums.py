"""Running sums against sums over the whole list."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.errors import InvariantViolation
from mmbot.research.sums import Drawdown, EquitySums, MarketSums, QuoteSample, Thinned

SAMPLES = st.lists(
    st.builds(
        QuoteSample,
        ts_ns=st.integers(0, 10_000),
        market=st.just(0),
        mid_half_ticks=st.integers(100, 300),
        position_lots=st.integers(-5, 5),
        pnl_atoms=st.just(0),
        bid_quote_ticks=st.sampled_from([0, 90, 95]),
        ask_quote_ticks=st.sampled_from([0, 100, 110]),
        bid_lots=st.just(1),
        ask_lots=st.just(1),
    ),
    min_size=2,
    max_size=30,
)


@settings(max_examples=100)
@given(SAMPLES, st.integers(0, 5))
def test_integrals_equal_the_plain_sums(samples: list[QuoteSample], limit: int) -> None:
    samples.sort(key=lambda one: one.ts_ns)
    sums = MarketSums()
    for here, after in pairwise(samples):
        sums.hold(here, after.ts_ns, limit)
    spans = [(s, after.ts_ns - s.ts_ns) for s, after in pairwise(samples)]
    both = [(s, ns) for s, ns in spans if s.bid_quote_ticks and s.ask_quote_ticks]
    assert sums.span_ns == samples[-1].ts_ns - samples[0].ts_ns
    assert sums.two_sided_ns == sum(ns for _, ns in both)
    assert sums.quoting_ns == sum(ns for s, ns in spans if s.bid_quote_ticks or s.ask_quote_ticks)
    assert sums.spread_tick_ns == sum(
        ns * (s.ask_quote_ticks - s.bid_quote_ticks) for s, ns in both
    )
    assert sums.mid_half_tick_ns == sum(ns * s.mid_half_ticks for s, ns in both)
    assert sums.lot_ns == sum(ns * s.position_lots for s, ns in spans)
    assert sums.abs_lot_ns == sum(ns * abs(s.position_lots) for s, ns in spans)
    assert sums.square_lot_ns == sum(ns * s.position_lots**2 for s, ns in spans)
    at_limit = sum(ns for s, ns in spans if limit and abs(s.position_lots) >= limit)
    assert sums.limit_ns == at_limit


def test_time_going_back_is_refused() -> None:
    later = QuoteSample(10, 0, 200, 0, 0, 0, 0, 0, 0)
    with pytest.raises(InvariantViolation, match="9 ns comes after 10 ns"):
        MarketSums().hold(later, 9, 0)


@settings(max_examples=150)
@given(st.lists(st.integers(50, 150), min_size=1, max_size=40))
def test_drawdown_equals_the_search_over_all_pairs(path: list[int]) -> None:
    drawdown = Drawdown(100)
    for ts_ns, equity in enumerate(path):
        drawdown.add(ts_ns, equity)
    # The initial equity counts as a peak at the time of the first sample.
    known = [(0, 100), *enumerate(path)]
    falls = [
        (high - low, Fraction(high - low, high), after - before)
        for place, (before, high) in enumerate(known)
        for after, low in known[place:]
        if high > low
    ]
    assert drawdown.deepest_uusd == max((fall for fall, _, _ in falls), default=0)
    share = Fraction(drawdown.share_fall_uusd, drawdown.share_peak_uusd)
    assert share == max((share for _, share, _ in falls), default=0)
    assert drawdown.longest_ns == _longest(path)


def _longest(path: list[int]) -> int:
    """The longest time below the running peak, counted from the last moment at that peak."""
    longest = since = 0
    peak = max(100, path[0])
    for ts_ns, equity in enumerate(path):
        if equity >= peak:
            peak, since = equity, ts_ns
        longest = max(longest, ts_ns - since)
    return longest


@settings(max_examples=150)
@given(st.integers(2, 20), st.integers(0, 500))
def test_thinning_keeps_an_even_grid_from_the_start(limit: int, count: int) -> None:
    series: Thinned[int] = Thinned(limit)
    for point in range(count):
        series.add(point)
    assert series.points == list(range(0, count, series.stride))
    assert len(series.points) < limit
    # No coarser than it must be: half the stride would have reached the limit.
    assert series.stride == 1 or len(range(0, count, series.stride // 2)) >= limit


def test_a_series_needs_room() -> None:
    with pytest.raises(ValueError, match="room for 2 points, not 1"):
        Thinned(1)


def test_the_last_point_is_kept_once() -> None:
    series: Thinned[str] = Thinned(10)
    first, last = "first", "last"
    series.add(first)
    series.keep(first)
    series.keep(last)
    assert series.points == ["first", "last"]


def test_minutes_close_at_their_last_equity() -> None:
    equity = EquitySums(1000, 100)
    minute = 60_000_000_000
    for ts_ns, change in ((0, 5), (minute - 1, 2), (minute, 10), (4 * minute, -1)):
        equity.change(ts_ns, change)
    equity.finish(4 * minute + 1)
    assert equity.closes == [(0, 1007), (1, 1017), (4, 1016)]
    assert [point.net_uusd for point in equity.series.points] == [1005, 1007, 1017, 1016, 1016]
