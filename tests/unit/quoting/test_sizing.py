"""Sizing: the three modes by hand, the floors and ceilings of an order, and its arithmetic."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbot.cext.ladder import Rungs, stack
from mmbot.domain.market import Market
from mmbot.domain.order import Level
from mmbot.quoting.sizing import Budget, SizingCalculator, SizingParams
from tests.unit.quoting.scene import BTC, INVERSE, USD, limits

EQUITY = 10_000 * USD
FREE = 4_000 * USD
TICKS = [1_000_000, 999_000, 500_000]  # 100000.0, 99900.0 and 50000.0 dollars


def sizing(market: Market = BTC, levels: int = 3, **settings: Any) -> SizingCalculator:
    return SizingCalculator(SizingParams(**settings), limits(), market, levels)


def sized(calculator: SizingCalculator, ticks: list[int], free: int | None = FREE) -> list[int]:
    return bought(calculator, ticks, calculator.budget(EQUITY, free))


def bought(calculator: SizingCalculator, ticks: list[int], budget: Budget) -> list[int]:
    """Lots of a lone level at each of these prices; 0 when it is dropped."""
    rungs = Rungs(1, calculator.max_lots, calculator.bounds, Level)
    lots = []
    for price, worth in zip(ticks, budget.levels, strict=False):
        bids, _ = rungs.quotes(price + 0.5, 0.0, (0, 0), (worth,), -1, (2**62, 0))
        lots.append(sum(level.lots for level in bids))
    return lots


def orders(calculator: SizingCalculator, wanted: list[tuple[int, int]]) -> tuple[Level, ...]:
    """What the kernel leaves of each order alone, no side being full."""
    kept = [stack([ticks], [lots], -1, -1, calculator.bounds) for ticks, lots in wanted]
    return tuple(Level(*order) for found in kept for order in found)


@pytest.mark.parametrize(
    ("settings", "lots"),
    [
        # 100 dollars: 0.001 BTC; 0.0010010... ; 0.002.
        ({}, [100, 100, 200]),
        ({"fixed_usd": 250}, [250, 250, 500]),
        # Larger than the largest order of 1000 dollars: cut.
        ({"fixed_usd": 5000}, [1000, 1001, 2000]),
        ({"fixed_base": "0.00499"}, [499, 499, 499]),
        ({"fixed_base": "0.004999"}, [499, 499, 499]),
        # A fixed base size wins over fixed_usd, and is cut to 1000 dollars too.
        ({"fixed_base": "0.0105", "fixed_usd": 100}, [1000, 1001, 1050]),
        # 2 % of 4000 free dollars: 80; 5 %: 200.
        ({"mode": "percentage"}, [80, 80, 160]),
        ({"mode": "percentage", "percentage_of_free_collateral_pct": 5}, [200, 200, 400]),
        # 30 % of 10000: 3000 dollars; half of it is cut to 1000, 30 % are 900, 20 % are 600.
        ({"mode": "tiered"}, [1000, 900, 1200]),
        # 5 % are 150 dollars, a tenth 300, and the rest is cut.
        ({"mode": "tiered", "tier_weights": (0.05, 0.1, 0.85)}, [150, 300, 2000]),
    ],
)
def test_modes_by_hand(settings: dict[str, Any], lots: list[int]) -> None:
    assert sized(sizing(**settings), TICKS) == lots


@pytest.mark.parametrize(
    ("settings", "lots"),
    [
        # Ten dollars a contract at any price.
        ({}, [10, 10, 10]),
        ({"fixed_usd": 99}, [9, 9, 9]),
        ({"fixed_base": 42}, [42, 42, 42]),
        ({"fixed_base": 420}, [100, 100, 100]),
        ({"mode": "percentage"}, [8, 8, 8]),
        ({"mode": "tiered"}, [100, 90, 60]),
    ],
)
def test_inverse_modes_by_hand(settings: dict[str, Any], lots: list[int]) -> None:
    assert sized(sizing(INVERSE, **settings), TICKS) == lots
    assert sized(sizing(INVERSE, **settings), TICKS[:2]) == lots[:2]


def test_sizes_follow_equity_and_free_collateral_as_if_nothing_rested() -> None:
    tiered, share = sizing(mode="tiered"), sizing(mode="percentage")
    # Half the equity: 1500 dollars a market, 750, 450 and 300 a level.
    halved = tiered.budget(EQUITY // 2, 0)
    assert bought(tiered, [1_000_000] * 3, halved) == [750, 450, 300]
    # Equity is nothing to a share of free collateral but for the cap of the side.
    assert bought(share, [1_000_000], share.budget(EQUITY // 2, FREE // 2)) == [40]
    assert bought(share, [1_000_000], share.budget(EQUITY, 0)) == [0]
    assert bought(share, [1_000_000], share.budget(EQUITY, -5 * USD)) == [0]
    assert bought(share, [1_000_000], share.budget(EQUITY, None)) == [0]
    assert sized(sizing(INVERSE, mode="percentage"), TICKS, None) == [0, 0, 0]


def test_the_side_may_hold_a_quarter_of_equity() -> None:
    # 2500 dollars: one lot at one tick is a micro-dollar; ten dollars a contract.
    linear, inverse = sizing(), sizing(INVERSE)
    assert linear.budget(EQUITY, None).side == 2_500_000_000
    assert inverse.budget(EQUITY, None).side == 250
    assert linear.budget(-EQUITY, None).side == 0


@settings(max_examples=100)
@given(st.integers(1, 10**7), st.integers(1, 5000))
def test_double_the_price_is_half_the_lots(ticks: int, dollars: int) -> None:
    calculator = sizing(fixed_usd=dollars, min_order_usd=0, max_order_usd=10**6)
    low, high = (sized(calculator, [price])[0] for price in (ticks, 2 * ticks))
    assert high == low // 2


@settings(max_examples=150)
@given(
    st.sampled_from(["0.1", "0.5", "0.00001", "10"]),
    st.sampled_from(["1", "0.001", "0.00001", "0.3"]),
    st.lists(st.integers(1, 10**8), min_size=1, max_size=3),
    st.sampled_from(["fixed", "percentage", "tiered"]),
    st.integers(0, 10**12),
)
def test_lots_are_the_notional_floored(
    tick: str, lot: str, ticks: list[int], mode: str, money: int
) -> None:
    market = Market("ANY", Decimal(tick), Decimal(lot))
    calculator = sizing(market, mode=mode, fixed_usd=321, min_order_usd=0, max_order_usd=10**5)
    budget = calculator.budget(money, money)
    shares = {
        "fixed": [Fraction(321)] * 3,
        "percentage": [Fraction(money * 2, 100 * USD)] * 3,
        "tiered": [Fraction(money * 3 * part, 100 * USD) for part in (5, 3, 2)],
    }[mode]
    for lots, price, share in zip(bought(calculator, ticks, budget), ticks, shares, strict=False):
        worth = Fraction(tick) * price * Fraction(lot)
        wanted = min(share, Fraction(10**5))
        # Money counts in micro-dollars: two of them are the error of rounding.
        assert (lots + 1) * worth > wanted - Fraction(2, USD)
        assert lots * worth <= wanted


def test_orders_keep_to_the_smallest_and_largest() -> None:
    # 10 to 1000 dollars at 100000: 10 to 1000 lots.
    found = orders(sizing(), [(1_000_000, lots) for lots in (0, 9, 10, 11, 1000, 1001, 3000)])
    assert [lots for _, lots in found] == [10, 11, 1000, 1000, 1000]
    # Ten dollars at 50000 are 20 lots.
    assert orders(sizing(), [(500_000, 19), (500_000, 20)]) == (Level(500_000, 20),)
    # Ten dollars at 99900.0 are 10.01 lots: ten are not enough.
    assert orders(sizing(), [(999_000, 10), (999_000, 11)]) == (Level(999_000, 11),)
    contracts = orders(sizing(INVERSE), [(5, 0), (5, 1), (5, 100), (5, 101)])
    assert contracts == (Level(5, 1), Level(5, 100), Level(5, 100))


def test_the_markets_own_minimum_counts_after_every_cut() -> None:
    coarse = Market("COARSE", Decimal("0.1"), Decimal("0.00001"), min_lots=150)
    assert orders(sizing(coarse), [(1_000_000, 149), (1_000_000, 150)]) == (Level(1_000_000, 150),)
    # The largest order, 100 lots, is smaller than the market takes: nothing is left.
    assert orders(sizing(coarse, max_order_usd=100), [(1_000_000, 200)]) == ()


def test_a_minimum_between_two_grains_is_met_from_above() -> None:
    # One tick times one lot is 4 dollars: the least order above 10 dollars has 3, worth 12.
    market = Market("GRAIN", Decimal(4), Decimal(1))
    assert orders(sizing(market), [(1, 2), (1, 3)]) == (Level(1, 3),)
    assert orders(sizing(market, min_order_usd=12), [(1, 2), (1, 3)]) == (Level(1, 3),)
    assert orders(sizing(market, min_order_usd=0), [(1, 1)]) == (Level(1, 1),)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**7), st.integers(0, 10**9)),
        max_size=6,
        unique_by=lambda x: x[0],
    ),
    st.integers(0, 500),
    st.integers(500, 5000),
    st.booleans(),
)
def test_orders_are_within_bounds_and_in_place(
    stacked: list[tuple[int, int]], least: int, most: int, inverse: bool
) -> None:
    market = INVERSE if inverse else BTC
    calculator = sizing(
        market, min_order_usd=least, max_order_usd=most, fixed_usd=500, levels=len(stacked)
    )
    found = dict(orders(calculator, stacked))
    for price, lots in stacked:
        # A lot at a tick is a micro-dollar, a contract ten dollars.
        unit = Fraction(10) if inverse else Fraction(price, USD)
        if price in found:
            assert 1 <= found[price] <= lots
            assert least <= found[price] * unit <= most
        else:
            assert lots * unit < least or (most // unit) * unit < least or most < unit or not lots


def test_settings_that_could_never_quote_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_order_usd 5 is below min_order_usd 10"):
        SizingParams(max_order_usd=Decimal(5))
    with pytest.raises(ValidationError, match="fixed_usd 9 is below min_order_usd 10"):
        SizingParams(fixed_usd=Decimal(9))
    assert SizingParams(fixed_usd=Decimal(9), fixed_base=Decimal(1)).fixed_base == 1
    assert SizingParams(fixed_usd=Decimal(9), mode="tiered").mode == "tiered"
    assert SizingParams(tier_weights=(1.0, 0.0)).tier_weights == (1.0, 0.0)
    for weights in ((0.5, 0.4), (0.5, 0.6), (1.5, -0.5)):
        with pytest.raises(ValidationError, match="must add up to 1"):
            SizingParams(tier_weights=weights)


@settings(max_examples=30)
@given(st.integers(EQUITY, 10**30))
def test_absurd_money_does_not_overflow(money: int) -> None:
    fine = Market("FINE", Decimal("1e-8"), Decimal("1e-8"))
    calculator = sizing(fine, mode="tiered", max_order_usd=10**12)
    budget = calculator.budget(money, money)
    assert 0 < sum(bought(calculator, [1, 1, 1], budget)) < 2**62
    assert 0 < budget.side < 2**63
