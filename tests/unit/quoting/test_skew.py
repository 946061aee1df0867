"""Skew: the position ratio, the deadband, and the sign table in both directions."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.quoting.skew import InventoryManager, InventoryParams
from tests.unit.quoting.scene import BTC, INVERSE, USD, limits

HALF = 2_000_010  # a mid of 100000.5 dollars
EQUITY = 10_000 * USD


def inventory(**settings: Any) -> InventoryManager:
    return InventoryManager(InventoryParams(**settings), limits(), BTC)


@pytest.mark.parametrize(
    ("lots", "ratio"),
    [
        # Spec section 11: 1500.0075 of 3000 dollars.
        (1500, 0.5000025),
        (-1500, -0.5000025),
        (0, 0.0),
        # 3000 dollars are 2999.985 lots.
        (2999, 2999.014995 / 3000),
        (3000, 1.0),
        (-3000, -1.0),
        (10**9, 1.0),
        (-(10**9), -1.0),
    ],
)
def test_position_ratio_by_hand(lots: int, ratio: float) -> None:
    assert inventory().position_ratio(lots, HALF, EQUITY) == pytest.approx(ratio, rel=1e-12)


@pytest.mark.parametrize("equity", [0, -1, -EQUITY, 1])
def test_without_equity_any_position_is_full(equity: int) -> None:
    found = [inventory().position_ratio(lots, HALF, equity) for lots in (1, -1, 0)]
    assert found == [1.0, -1.0, 0.0]


def test_an_absolute_cap_counts_when_it_is_tighter() -> None:
    def ratio(cap: int | None) -> float:
        bounds = limits(max_position_uusd=cap)
        return InventoryManager(InventoryParams(), bounds, BTC).position_ratio(150, HALF, EQUITY)

    # 150.00075 dollars of 3000, of 600, and of 3000 again when the cap is looser.
    assert ratio(None) == ratio(6000 * USD) == pytest.approx(0.05000025)
    assert ratio(600 * USD) == pytest.approx(0.25000125)


def test_inverse_contracts_are_worth_their_face() -> None:
    # 150 contracts of 10 dollars are half of 3000 dollars at any price.
    manager = InventoryManager(InventoryParams(), limits(), INVERSE)
    assert manager.position_ratio(150, 1, EQUITY) == 0.5
    assert manager.position_ratio(-150, 10**7, EQUITY) == -0.5


@settings(max_examples=100)
@given(
    st.integers(-(10**7), 10**7),
    st.integers(1, 10**8),
    st.integers(1, 10**13),
    st.integers(1, 200),
)
def test_position_ratio_is_value_over_limit(
    lots: int, half: int, equity: int, percent: int
) -> None:
    bounds = limits(market_exposure_ratio=percent / 100)
    found = InventoryManager(InventoryParams(), bounds, BTC).position_ratio(lots, half, equity)
    # A lot at one half tick is 0.1 * 0.00001 / 2 dollars: half a micro-dollar.
    value, limit = Fraction(abs(lots) * half, 2), Fraction(equity * percent, 100)
    exact = min(Fraction(1), value / limit) * (1 if lots > 0 else -1)
    assert abs(found - exact) <= Fraction(2) / limit + Fraction(1, 10**12)


@pytest.mark.parametrize(
    ("direction", "ratio", "skew"),
    [
        # 20 bps at the limit; the deadband of 5 % itself does not skew.
        ("reduce", 0.5, -0.001),
        ("reduce", -0.5, 0.001),
        ("reduce", 1.0, -0.002),
        ("reduce", 0.05, 0.0),
        ("reduce", -0.05, 0.0),
        ("reduce", 0.0500001, -0.0001000002),
        ("reduce", -0.0500001, 0.0001000002),
        ("reduce", 0.0, 0.0),
        ("literal", 0.5, 0.001),
        ("literal", -0.5, -0.001),
        ("literal", 0.05, 0.0),
    ],
)
def test_skew_by_hand(direction: str, ratio: float, skew: float) -> None:
    assert inventory(direction=direction).skew(ratio) == pytest.approx(skew, rel=1e-9)


def test_exactly_at_the_deadband_of_a_real_position() -> None:
    # 150 lots at 100000.0 are 150 dollars, 5 % of 3000 to the cent: no skew; a lot more: skew.
    manager = inventory()
    assert manager.skew(manager.position_ratio(150, 2_000_000, EQUITY)) == 0.0
    assert manager.skew(manager.position_ratio(151, 2_000_000, EQUITY)) < 0.0


@settings(max_examples=100)
@given(
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(0, 100),
    st.floats(0, 1000),
)
def test_sign_table_and_monotony(one: float, other: float, deadband: float, most: float) -> None:
    reduce = inventory(deadband_pct=deadband, max_shift_bps=most)
    literal = inventory(deadband_pct=deadband, max_shift_bps=most, direction="literal")
    for ratio in (one, other):
        assert reduce.skew(ratio) * ratio <= 0
        assert literal.skew(ratio) == -reduce.skew(ratio)
        assert reduce.skew(-ratio) == -reduce.skew(ratio)
    less, more = sorted((one, other), key=abs)
    assert abs(reduce.skew(less)) <= abs(reduce.skew(more)) <= most * 1e-4 * 1.0000001


def test_reservation_by_hand() -> None:
    # 100000.5 * (1 - 0.001000005) = 99900.49899...; in ticks ten times that.
    found = inventory().reservation(1000005.0, -0.001000005)
    assert found == pytest.approx(999004.989999975, rel=1e-13)
    # A bias of 3 bps: 1000000 * 1.0003, whatever the skew adds.
    assert inventory(bias_bps=3).reservation(1e6, 0.0) == pytest.approx(1000300.0)
    assert inventory(bias_bps=-3).reservation(1e6, 0.001) == pytest.approx(1000700.0)


def test_not_a_number_does_not_skew() -> None:
    assert inventory().skew(float("nan")) == 0.0
