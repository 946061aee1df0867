"""The rolling kernels against their oracles and hand-worked numbers."""

import math
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext.rolling import EwmaVariance, Moves, Ring, RollingMedian, Tokens
from tests.oracle.rolling import OracleMedian, OracleRing, OracleTokens, OracleVariance

CHECKED = settings(max_examples=150, deadline=None, derandomize=True)
SECOND = 1_000_000_000
VALUES = st.floats(-1e6, 1e6, allow_nan=False, width=32)
TIMED = st.lists(st.tuples(st.integers(-2 * SECOND, 5 * SECOND), VALUES), max_size=40)


def _times(steps: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Turn steps in time, a few of them backwards, into times that are never negative."""
    now, timed = 10 * SECOND, []
    for step, value in steps:
        now = max(0, now + step)
        timed.append((now, value))
    return timed


@pytest.mark.parametrize("make", [OracleVariance, EwmaVariance])
def test_variance_of_a_hand_worked_series(
    make: Callable[[float], EwmaVariance | OracleVariance],
) -> None:
    rolling = make(2.0)
    assert math.isnan(rolling.variance)
    for ts_ns, value in [(0, 10.0), (2 * SECOND, 14.0), (4 * SECOND, 12.0)]:
        rolling.update(ts_ns, value)
    # Changes 4 and -2 over 2 s each, the first one half-life old:
    # (0.5 * 16 + 4) / (0.5 * 2 + 2) = 12 / 3.
    assert rolling.variance == pytest.approx(4.0)


def test_sigma_is_the_root_and_count_counts() -> None:
    rolling = EwmaVariance(2.0)
    assert math.isnan(rolling.sigma)
    for ts_ns, value in [(0, 10.0), (2 * SECOND, 14.0), (SECOND, 99.0), (2 * SECOND, 14.0)]:
        rolling.update(ts_ns, value)
    assert rolling.sigma == pytest.approx(math.sqrt(8.0))
    assert (rolling.count, rolling.ignored) == (3, 1)


@CHECKED
@given(TIMED, st.floats(0.1, 100.0))
def test_variance_equals_the_oracle(steps: list[tuple[int, float]], half_life_s: float) -> None:
    kernel, oracle = EwmaVariance(half_life_s), OracleVariance(half_life_s)
    for ts_ns, value in _times(steps):
        kernel.update(ts_ns, value)
        oracle.update(ts_ns, value)
        assert kernel.variance == pytest.approx(oracle.variance, rel=1e-9, nan_ok=True)
    assert kernel.ignored == oracle.ignored
    assert kernel.count == len(oracle.samples)


@pytest.mark.parametrize("make", [OracleMedian, RollingMedian])
def test_median_of_the_last_three(make: Callable[[int], RollingMedian | OracleMedian]) -> None:
    rolling = make(3)
    medians = []
    for value in (5.0, 1.0, 3.0, 9.0, 9.0, 2.0):
        rolling.push(value)
        medians.append(rolling.median)
    # {5} {1,5} {1,3,5} {1,3,9} {3,9,9} {2,9,9}
    assert medians == [5.0, 3.0, 3.0, 3.0, 9.0, 9.0]
    rolling.clear()
    assert math.isnan(rolling.median)


@CHECKED
@given(
    st.lists(st.one_of(VALUES, st.sampled_from([-1.0, 0.0, 1.0]), st.none()), max_size=80),
    st.integers(1, 9),
)
def test_median_equals_the_oracle(values: list[float | None], capacity: int) -> None:
    kernel, oracle = RollingMedian(capacity), OracleMedian(capacity)
    for value in values:
        for rolling in (kernel, oracle):
            if value is None:
                rolling.clear()
            else:
                rolling.push(value)
        assert kernel.median == pytest.approx(oracle.median, rel=0, abs=0, nan_ok=True)
        assert kernel.count == len(oracle.values)


@pytest.mark.parametrize("make", [OracleRing, Ring])
def test_ring_answers_as_of_a_time(make: Callable[[int], Ring | OracleRing]) -> None:
    ring = make(3)
    assert math.isnan(ring.at(0))
    assert math.isnan(ring.mean())
    for ts_ns, value in [(10, 1.0), (20, 2.0), (20, 3.0), (15, 99.0), (30, 7.0)]:
        ring.push(ts_ns, value)
    # Capacity 3 let go of (10, 1.0); (15, 99.0) ran backwards.
    assert math.isnan(ring.at(19))
    assert [ring.at(20), ring.at(29), ring.at(30), ring.at(99)] == [3.0, 3.0, 7.0, 7.0]
    assert ring.mean() == 4.0
    assert ring.ignored == 1


@CHECKED
@given(TIMED, st.integers(1, 9), st.lists(st.integers(0, 60 * SECOND), max_size=5))
def test_ring_equals_the_oracle(
    steps: list[tuple[int, float]], capacity: int, asked: list[int]
) -> None:
    kernel, oracle = Ring(capacity), OracleRing(capacity)
    for ts_ns, value in _times(steps):
        kernel.push(ts_ns, value)
        oracle.push(ts_ns, value)
        assert len(kernel) == len(oracle.kept)
        assert kernel.mean() == pytest.approx(oracle.mean(), rel=1e-9, abs=1e-6)
        for at_ns in (*asked, ts_ns - 1, ts_ns):
            assert kernel.at(at_ns) == pytest.approx(oracle.at(at_ns), rel=0, abs=0, nan_ok=True)
    assert kernel.ignored == oracle.ignored


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    variance, median, ring = EwmaVariance(1.0), RollingMedian(2), Ring(2)
    with pytest.raises(ValueError, match="finite"):
        variance.update(1, value)
    with pytest.raises(ValueError, match="finite"):
        ring.push(1, value)
    with pytest.raises(ValueError, match="finite"):
        median.push(value)
    assert (variance.count, median.count, len(ring)) == (0, 0, 0)


@pytest.mark.parametrize("half_life_s", [0.0, -1.0, math.nan, math.inf])
def test_half_life_must_be_finite_and_positive(half_life_s: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        EwmaVariance(half_life_s)


@CHECKED
@given(
    TIMED,
    st.lists(st.floats(0, 100, width=32), min_size=40, max_size=40),
    st.integers(0, 4 * SECOND),
)
def test_moves_are_told_as_of_before_the_sample(
    steps: list[tuple[int, float]], spreads: list[float], back_ns: int
) -> None:
    kernel, variance, ring = Moves(2.0, 5, 7), OracleVariance(2.0), OracleRing(5)
    median: list[float] = []
    for (ts_ns, value), spread in zip(_times(steps), spreads, strict=False):
        samples, usual, sigma, move = kernel.take(ts_ns, back_ns, value, spread)
        assert samples == min(len(median), 7)
        expected = statistics.median(median[-7:]) if median else math.nan
        assert usual == pytest.approx(expected, nan_ok=True)
        assert sigma == pytest.approx(math.sqrt(variance.variance), rel=1e-6, nan_ok=True)
        assert move == pytest.approx(abs(value - ring.at(ts_ns - back_ns)), nan_ok=True)
        variance.update(ts_ns, value)
        ring.push(ts_ns, value)
        median.append(spread)
    assert kernel.sigma == pytest.approx(math.sqrt(variance.variance), rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("make", [RollingMedian, Ring])
def test_capacity_must_be_positive(make: Callable[[int], object]) -> None:
    with pytest.raises(ValueError, match="capacity"):
        make(0)


def test_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time"):
        Ring(1).push(-1, 0.0)
    with pytest.raises(ValueError, match="time"):
        EwmaVariance(1.0).update(-1, 0.0)


@pytest.mark.parametrize("make", [OracleTokens, Tokens])
def test_tokens_come_back_a_period_after_they_were_spent(
    make: Callable[[int, int], Tokens | OracleTokens],
) -> None:
    tokens = make(3, SECOND)
    tokens.spend(0, 2)
    tokens.spend(SECOND // 2, 1)
    assert (tokens.free(SECOND // 2), tokens.free(SECOND - 1), tokens.free(SECOND)) == (0, 0, 2)
    assert (tokens.free(SECOND * 3 // 2), tokens.capacity) == (3, 3)


@CHECKED
@given(
    st.integers(1, 6),
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), max_size=40),
)
def test_tokens_equal_the_oracle(
    capacity: int, period_ns: int, spendings: list[tuple[int, int]]
) -> None:
    tokens, oracle = Tokens(capacity, period_ns), OracleTokens(capacity, period_ns)
    now_ns = 0
    for gap_ns, count in spendings:
        now_ns += gap_ns
        free = tokens.free(now_ns)
        assert free == oracle.free(now_ns)
        for one in (tokens, oracle):
            one.spend(now_ns, min(count, free))


def test_misuse_of_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity must be at least 1"):
        Tokens(0, 1)
    tokens = Tokens(2, 10)
    for count in (3, -1):
        with pytest.raises(ValueError, match=f"{count} tokens asked for, 2 left"):
            tokens.spend(0, count)
