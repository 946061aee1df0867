"""Fair price: its three sources, the sampling of the reference offset, and its refusals."""

import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbot.quoting.fair import FairPrice, FairPriceParams
from tests.unit.quoting.scene import SECOND, UNKNOWN, book, limits, state

MID = 1000005.0


def fair_price(source: str, **reference: Any) -> FairPrice:
    params = FairPriceParams.model_validate({"source": source, "reference": reference})
    return FairPrice(params, limits())


def at(second: float, reference: float | None, age_s: float = 0.0) -> Any:
    now = int(second * SECOND)
    return state(now_ns=now, reference_ticks=reference, reference_ts_ns=now - int(age_s * SECOND))


def test_mid_is_the_mid() -> None:
    assert fair_price("mid").price(state(), MID, UNKNOWN) == MID


def test_micro_leans_to_the_heavier_side() -> None:
    # Spec section 11: 100000.6666..., that is (1000000 * 0.5 + 1000010 * 1.0) / 1.5 ticks.
    found = fair_price("micro").price(state(), MID, UNKNOWN)
    assert found == pytest.approx(1000006.6666666666, abs=1e-9)


def test_micro_does_not_read_our_own_orders() -> None:
    # Half of the best bid is ours: what is left is as heavy as the ask.
    own = book()
    own.set_own(1, 1000000, 50000)
    assert fair_price("micro").price(state(book=own), MID, UNKNOWN) == MID
    literal = FairPrice(FairPriceParams(source="micro", exclude_own=False), limits())
    assert literal.price(state(book=own), MID, UNKNOWN) == pytest.approx(
        1000006.6666666666, abs=1e-9
    )


def test_micro_of_a_missing_side_is_refused() -> None:
    fair = fair_price("micro").price(state(book=book(bids=[])), MID, UNKNOWN)
    assert fair == "fair price not a positive number"


def test_reference_warms_up_once_a_second() -> None:
    fair = fair_price("reference", min_samples_count=3)
    # Many decisions within a second are one sample.
    for second in (10.0, 10.1, 10.999, 11.0, 11.5):
        assert fair.price(at(second, 1000000.0), MID, UNKNOWN) == "reference warming up"
    assert fair.price(at(12.0, 1000000.0), MID, UNKNOWN) == MID


def test_reference_adds_the_median_offset() -> None:
    fair = fair_price("reference", min_samples_count=1)
    # Offsets 5, then 9, then 6: the median follows, 5, 7, 6.
    assert fair.price(at(1, 1000.0), 1005.0, UNKNOWN) == 1005.0
    assert fair.price(at(2, 1000.0), 1009.0, UNKNOWN) == 1007.0
    assert fair.price(at(3, 2000.0), 2006.0, UNKNOWN) == 2006.0
    # Within the second nothing is sampled, and the reference moves the price at once.
    assert fair.price(at(3.5, 1990.0), 2006.0, UNKNOWN) == 1996.0


def test_an_offset_jump_takes_half_a_window() -> None:
    fair = fair_price("reference", min_samples_count=1, offset_window_s=5)
    for second in range(5):
        fair.price(at(second, 1000.0), 1010.0, UNKNOWN)
    prices = [fair.price(at(5 + n, 1000.0), 1025.0, UNKNOWN) for n in range(4)]
    assert prices == [1010.0, 1010.0, 1025.0, 1025.0]


def test_a_pause_as_long_as_the_window_forgets() -> None:
    fair = fair_price("reference", min_samples_count=2, offset_window_s=10)
    fair.price(at(1, 1000.0), 1010.0, UNKNOWN)
    assert fair.price(at(10, 1000.0), 1020.0, UNKNOWN) == 1015.0
    assert fair.price(at(20, 1000.0), 1020.0, UNKNOWN) == "reference warming up"
    assert fair.price(at(21, 1000.0), 1020.0, UNKNOWN) == 1020.0


def test_time_going_backwards_is_not_sampled() -> None:
    fair = fair_price("reference", min_samples_count=1)
    fair.price(at(50, 1000.0), 1010.0, UNKNOWN)
    assert fair.price(at(49, 1000.0), 1025.0, UNKNOWN) == 1010.0


@pytest.mark.parametrize(
    ("reference", "age_s", "reason"),
    [
        (None, 0, "no reference price"),
        (1000.0, 2, "reference older than 2000 ms"),
        (float("nan"), 0, "reference price not a positive number"),
        (float("inf"), 0, "reference price not a positive number"),
        (-float("inf"), 0, "reference price not a positive number"),
        (0.0, 0, "reference price not a positive number"),
        (-5.0, 0, "reference price not a positive number"),
        (1e300, 0, "reference price not a positive number"),
        # The mid is MID: a thousand coins, another coin, 3.1 % above and below.
        (MID * 1000, 0, "reference more than 3 % from the mid"),
        (MID / 30, 0, "reference more than 3 % from the mid"),
        (MID * 1.031, 0, "reference more than 3 % from the mid"),
        (MID * 0.969, 0, "reference more than 3 % from the mid"),
    ],
)
@pytest.mark.parametrize("fallback", ["none", "mid"])
def test_an_unusable_reference(
    reference: float | None, age_s: float, reason: str, fallback: str
) -> None:
    fair = fair_price("reference", min_samples_count=1, fallback=fallback)
    fair.price(at(99, 1000.0), 1010.0, UNKNOWN)
    found = fair.price(at(100, reference, age_s), MID, UNKNOWN)
    assert found == (reason if fallback == "none" else MID)
    # And it has left no sample behind.
    assert fair.price(at(102, 1000.0), 1010.0, UNKNOWN) == 1010.0


def test_a_reference_without_a_time_is_none() -> None:
    seen = state(reference_ticks=1000.0, reference_ts_ns=None)
    assert (
        fair_price("reference", min_samples_count=1).price(seen, MID, UNKNOWN)
        == "no reference price"
    )


def test_just_fresh_enough() -> None:
    fair = fair_price("reference", min_samples_count=1)
    assert fair.price(at(100, 1000.0, 2 - 1e-6), 1010.0, UNKNOWN) == 1010.0


def test_a_price_below_one_tick_is_a_price() -> None:
    assert fair_price("reference", min_samples_count=1).price(at(1, 0.5), 0.75, UNKNOWN) == 0.75


def test_a_sum_not_above_zero_is_refused() -> None:
    fair = fair_price("reference", min_samples_count=1)
    fair.price(at(1, 1.5), 0.5, UNKNOWN)
    # The offset is -1: nothing is left of 1, and less than nothing of a half.
    for reference in (1.0, 0.5):
        assert fair.price(at(1.5, reference), 0.5, UNKNOWN) == "fair price not a positive number"


def test_three_percent_is_still_a_price_and_so_is_one_tick() -> None:
    fair = fair_price("reference", min_samples_count=1)
    assert fair.price(at(1, MID * 1.0299), MID, UNKNOWN) == pytest.approx(MID)
    # Prices of a few ticks: half of one is no mismatch.
    low = fair_price("reference", min_samples_count=1)
    assert low.price(at(1, 4.0), 3.5, UNKNOWN) == 3.5
    assert low.price(at(2, 5.0), 3.5, UNKNOWN) == "reference more than 3 % from the mid"


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-250, 250), st.integers(9_000, 11_000)),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 8),
    st.integers(1, 8),
)
def test_reference_is_the_median_of_the_last_samples(
    steps: list[tuple[int, int, int]], window: int, least: int
) -> None:
    least = min(least, window)
    fair = fair_price("reference", offset_window_s=window, min_samples_count=least)
    samples: list[int] = []
    second, sampled = 0, None
    for wait, offset, reference in steps:
        second += wait
        if sampled is not None and second - sampled >= window:
            samples = []
        if sampled is None or second > sampled:
            samples = [*samples, offset][-window:]
            sampled = second
        found = fair.price(at(second, float(reference)), float(reference + offset), UNKNOWN)
        if len(samples) < least:
            assert found == "reference warming up"
        else:
            assert found == reference + statistics.median(samples)


def test_settings_that_could_never_quote_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_samples_count 11 never fits"):
        fair_price("reference", offset_window_s=10, min_samples_count=11)
    with pytest.raises(ValidationError, match="min_levels_count 6 is above book_levels 5"):
        FairPriceParams(min_levels_count=6)
    assert FairPriceParams(min_levels_count=5).book_levels == 5
    reachable = fair_price("reference", offset_window_s=10, min_samples_count=10)
    assert reachable.price(state(), MID, UNKNOWN)
