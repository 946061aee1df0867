"""Spread: by hand, and its bounds for any imbalance."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbot.quoting.spread import SpreadCalculator, SpreadParams

# 15 to 125 bps, as in spec section 11.
SPREAD = SpreadCalculator(SpreadParams(min_bps=15, max_bps=125))


@pytest.mark.parametrize(
    ("imbalance", "spread"),
    [
        (0.0, 0.0015),
        # 0.0015 + 0.0110 / 3
        (1 / 3, 0.0051666666666666667),
        (-1 / 3, 0.0051666666666666667),
        (0.5, 0.0070),
        (1.0, 0.0125),
        (-1.0, 0.0125),
    ],
)
def test_by_hand(imbalance: float, spread: float) -> None:
    assert SPREAD.spread(imbalance) == pytest.approx(spread, rel=1e-12)


@pytest.mark.parametrize("imbalance", [float("nan"), float("inf"), -float("inf"), 1.5, -7.0])
def test_beyond_reason_is_the_widest(imbalance: float) -> None:
    assert SPREAD.spread(imbalance) == pytest.approx(0.0125, rel=1e-12)


@settings(max_examples=100)
@given(
    st.floats(0.001, 5000),
    st.floats(0.001, 5000),
    st.lists(st.floats(-1, 1), min_size=2, max_size=2),
)
def test_bounded_even_and_rising(one: float, other: float, imbalances: list[float]) -> None:
    low, high = sorted((one, other))
    spread = SpreadCalculator(SpreadParams(min_bps=low, max_bps=high)).spread
    less, more = sorted(imbalances, key=abs)
    assert low * 1e-4 <= spread(less) <= spread(more) <= high * 1e-4
    assert spread(less) == spread(-less)


def test_crossed_bounds_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"max_bps 5.0 is below min_bps 8.0"):
        SpreadParams(min_bps=8, max_bps=5)
