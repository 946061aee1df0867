"""Shadow quotes against their oracle and markets small enough to work out by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext.shadows import DEPTH_COUNT, Shadows
from tests.oracle.shadows import OracleShadows

SECOND = 1_000_000_000
STEP = 100_000_000
CALM = (99_990, 100_010)


def quoted(lag_ns: int = 0) -> Shadows:
    """Shadows of a calm market: fair 100,000 ticks, one bps is ten of them."""
    shadows = Shadows(900.0, 5 * SECOND)
    shadows.step(0, 100_000.0, CALM, 0, 0, lag_ns)
    return shadows


def wait(shadows: Shadows, until_ns: int, touch: tuple[int, int] = CALM) -> None:
    """Let steps of half a second pass in which nobody trades."""
    for now in range(STEP * 5, until_ns + 1, STEP * 5):
        shadows.step(now, sum(touch) / 2, touch, 0, 0, 0)


def test_a_sweep_fills_every_depth_it_passes_and_no_other() -> None:
    # Bids at 99,995, 99,990, 99,985 ... takers sold down to 99,985: beyond the first two alone.
    shadows = quoted()
    shadows.step(STEP, 100_000.0, CALM, 0, 99_985, 0)
    assert shadows.filled == 2
    # Five seconds later the mid is 99,980: markouts of -1.5 and -1 bps.
    wait(shadows, 5 * SECOND)
    shadows.step(5 * SECOND + STEP, 99_980.0, (99_970, 99_990), 0, 0, 0)
    table = shadows.table()
    assert [row[1] for row in table[:3]] == [1.0, 1.0, 0.0]
    assert table[0][2] == pytest.approx(-15 / 99_995 * 1e4)
    assert table[1][2] == pytest.approx(-10 / 99_990 * 1e4)


def test_a_book_that_comes_through_fills_as_well() -> None:
    shadows = quoted()
    shadows.step(STEP, 99_900.0, (99_880, 99_960), 0, 0, 0)
    # Bids down to 4 bps, at 99,960, are met by the ask.
    assert shadows.filled == 6


def test_a_print_at_the_price_is_not_beyond_it() -> None:
    shadows = quoted()
    shadows.step(STEP, 100_000.0, CALM, 100_005, 99_995, 0)
    assert shadows.filled == 0


def test_they_stand_where_fair_was_a_delay_ago() -> None:
    late, prompt = quoted(2 * STEP), quoted()
    for shadows, lag in ((late, 2 * STEP), (prompt, 0)):
        shadows.step(STEP, 100_050.0, (100_040, 100_060), 0, 0, lag)
        # The book has met the asks at 100,005 to 100,040, six of them.
        assert shadows.filled == 6
        # Takers buy at 100,070: beyond asks at 100,055, 100,060 and 100,065 around 100,050; around
        # 100,000 those near enough would have traded at once, and only 100,060 is left.
        shadows.step(2 * STEP, 100_050.0, (100_040, 100_060), 100_070, 0, lag)
    assert (late.filled, prompt.filled) == (7, 9)


def test_nothing_is_known_of_a_time_nobody_looked() -> None:
    shadows = quoted()
    shadows.step(3 * SECOND, 100_000.0, CALM, 0, 99_900, 0)
    assert shadows.filled == 0
    shadows.step(3 * SECOND + STEP, 100_000.0, CALM, 0, 99_900, 0)
    assert shadows.filled == 8
    # Nor of a markout that was due long before.
    shadows.step(60 * SECOND, 100_000.0, CALM, 0, 0, 0)
    assert all(row[1] == 0.0 for row in shadows.table())


def test_a_tick_wider_than_every_depth_keeps_them_apart() -> None:
    shadows = Shadows(900.0, 5 * SECOND)
    # At 20 ticks a depth of 9 bps is a hundredth of one.
    shadows.step(0, 20.0, (19, 21), 0, 0, 0)
    shadows.step(STEP, 20.0, (19, 21), 0, 15, 0)
    # Bids at 19, 18, 17 and 16 are beyond 15.
    assert shadows.filled == 4


def test_state_goes_on_with_its_age() -> None:
    first = quoted()
    first.step(STEP, 100_000.0, CALM, 0, 99_985, 0)
    wait(first, 6 * SECOND)
    scale, rows = first.state()
    second = Shadows(900.0, 5 * SECOND)
    second.restore(scale, rows, 900.0)
    for before, after in zip(first.table(), second.table(), strict=True):
        assert after[1] == pytest.approx(before[1] / math.e)
        assert after[2] == pytest.approx(before[2])


@pytest.mark.parametrize(
    "rows",
    [[], [(1.0, 0.0, 0.0)] * 7, [(-1.0, 0.0, 0.0)] * 8, [(math.nan, 0.0, 0.0)] * 8,
     [(1.0, 9.0, 0.0)] * 8],
)  # fmt: skip
def test_a_damaged_state_is_refused(rows: list[tuple[float, float, float]]) -> None:
    with pytest.raises(ValueError, match="not a state"):
        Shadows(900.0, 5 * SECOND).restore(1.0, rows, 0.0)


MOVES = st.lists(
    st.tuples(
        st.integers(1, 8),  # tenths of a second
        st.integers(-30, 30),  # fair from mid
        st.integers(-40, 40),  # mid
        st.integers(1, 60),  # width of the book
        st.integers(-50, 50),  # takers sold at
        st.integers(-50, 50),  # takers bought at
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(MOVES, st.integers(0, 4), st.sampled_from([0.4, 1.0, 3.7]))
def test_equals_the_oracle(
    moves: list[tuple[int, int, int, int, int, int]], lag: int, scale: float
) -> None:
    kernel, oracle = Shadows(30.0, SECOND), OracleShadows(30.0, SECOND)
    kernel.rescale(scale)
    oracle.scale = scale
    now, mid = 0, 50_000
    for tenths, away, moved, width, sold, bought in moves:
        now += tenths * STEP
        mid += moved
        touch = (mid - width, mid + width)
        trades = (mid + bought if bought > 0 else 0, mid + sold if sold < 0 else 0)
        for each in (kernel, oracle):
            each.step(now, float(mid + away), touch, *trades, lag * STEP)
        for one, other in zip(kernel.table(), oracle.table(), strict=True):
            assert one == pytest.approx(other, rel=1e-9, abs=1e-7)
    assert len(oracle.table()) == DEPTH_COUNT
