"""Market: grid conversions, notional and settlement money against exact fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.market import Contract, Market

BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.00001"))
# 100 dollars a contract, half-dollar ticks.
INVERSE = Market(
    "BTCUSD-INV",
    Decimal("0.5"),
    Decimal(1),
    contract=Contract.INVERSE,
    contract_size=Decimal(100),
)
GRIDS = st.sampled_from(
    [Decimal(text) for text in ("0.1", "0.5", "0.25", "0.001", "1e-8", "1", "10", "0.3")]
)
LOTS = st.integers(1, 10**9)
TICKS = st.integers(1, 10**9)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    return Market(
        "ANY",
        draw(GRIDS),
        draw(GRIDS),
        contract=draw(st.sampled_from(Contract)),
        contract_size=draw(st.sampled_from([Decimal(1), Decimal("0.1"), Decimal(100)])),
    )


def dollars(market: Market, half_ticks: int, lots: int) -> Fraction:
    """Notional by the contract's definition."""
    size = Fraction(market.lot) * lots * Fraction(market.contract_size)
    if market.contract is Contract.INVERSE:
        return size
    return size * Fraction(market.tick) * half_ticks / 2


def earned(market: Market, opened: int, closed: int, lots: int) -> Fraction:
    """Settlement currency `lots` long earn between two prices in ticks, by definition."""
    size = Fraction(market.lot) * lots * Fraction(market.contract_size)
    before, after = (Fraction(market.tick) * ticks for ticks in (opened, closed))
    if market.contract is Contract.INVERSE:
        return size * (1 / before - 1 / after)
    return size * (after - before)


@settings(max_examples=150)
@given(markets(), st.integers(1, 2 * 10**9), st.integers(-(10**9), 10**9))
def test_notional_is_rounded_up_to_a_micro_dollar(market: Market, half: int, lots: int) -> None:
    exact = dollars(market, half, abs(lots)) * 10**6
    assert 0 <= market.notional_uusd(half, lots) - exact < 1


@settings(max_examples=150)
@given(markets(), st.integers(-(10**6), 10**15), st.integers(1, 2 * 10**9))
def test_lots_for_is_the_most_that_fits(market: Market, uusd: int, half: int) -> None:
    lots = market.lots_for(uusd, half)
    assert lots >= 0
    if uusd > 0:
        assert dollars(market, half, lots) * 10**6 <= uusd
        assert dollars(market, half, lots + 1) * 10**6 > uusd
    else:
        assert lots == 0


def test_lots_for_without_a_price_is_nothing() -> None:
    assert BTC.lots_for(10**9, 0) == 0
    assert BTC.lots_for(10**9, -5) == 0
    assert INVERSE.lots_for(10**9, 0) == 0


@settings(max_examples=150)
@given(markets(), TICKS, TICKS, LOTS)
def test_profit_is_the_difference_of_unit_values(
    market: Market, opened: int, closed: int, lots: int
) -> None:
    atoms = lots * (market.unit_value(2 * closed) - market.unit_value(2 * opened))
    exact = earned(market, opened, closed, lots) / Fraction(market.atom)
    if market.contract is Contract.LINEAR:
        assert atoms == exact
    else:
        # Each unit value is rounded once, and its constant may be cut at the 28th digit.
        assert abs(atoms - exact) <= 2 * lots


@settings(max_examples=100)
@given(markets(), st.lists(TICKS, min_size=2, max_size=2, unique=True))
def test_a_long_lot_never_loses_by_a_rising_price(market: Market, prices: list[int]) -> None:
    low, high = sorted(prices)
    assert market.unit_value(2 * low) <= market.unit_value(2 * high)


@settings(max_examples=100)
@given(markets(), TICKS, LOTS, st.integers(-(10**6), 10**6))
def test_fee_is_the_rate_of_the_value(market: Market, ticks: int, lots: int, ppb: int) -> None:
    value = dollars(market, 2 * ticks, lots)
    if market.contract is Contract.INVERSE:
        value /= Fraction(market.tick) * ticks
    exact = value * ppb / 10**9 / Fraction(market.atom)
    fee = market.fee(ticks, lots, ppb)
    if market.contract is Contract.LINEAR:
        assert fee == exact
    else:
        assert abs(fee - exact) <= 1 + lots * abs(ppb) / 10**9


def test_linear_numbers_by_hand() -> None:
    # 0.015 BTC at 100000.5: 1500.0075 dollars. Half ticks: 2 * 1000005.
    assert BTC.notional_uusd(2_000_010, 1500) == 1_500_007_500
    assert BTC.notional_uusd(2_000_010, -1500) == 1_500_007_500
    # 100 dollars at 100000: 0.001 BTC; at 100000.1 a little less, floored.
    assert BTC.lots_for(100_000_000, 2_000_000) == 100
    assert BTC.lots_for(100_000_000, 2_000_002) == 99
    # 2 bps of 0.001 BTC at 100000: 2 cents.
    fee = BTC.fee(1_000_000, 100, 200_000)
    assert BTC.money(fee) == Decimal("0.02")
    assert BTC.atoms_to_uusd(fee, 2_000_000) == 20_000
    assert BTC.atoms_to_uusd(-fee, 2_000_000) == -20_000
    # One dollar up on 0.001 BTC: a tenth of a cent.
    gain = 100 * (BTC.unit_value(2_000_020) - BTC.unit_value(2_000_000))
    assert BTC.money(gain) == Decimal("0.001")


def test_inverse_numbers_by_hand() -> None:
    # 7 contracts of 100 dollars are 700 dollars at any price.
    assert INVERSE.notional_uusd(1, 7) == 700_000_000
    assert INVERSE.lots_for(700_000_000, 1) == 7
    assert INVERSE.lots_for(699_999_999, 1) == 6
    # 10 contracts from 50000 to 100000: 1000 * (1/50000 - 1/100000) = 0.01 BTC.
    gain = 10 * (INVERSE.unit_value(400_000) - INVERSE.unit_value(200_000))
    assert INVERSE.money(gain) == Decimal("0.01")
    # Worth 1000 dollars at 100000: half ticks 400000.
    assert INVERSE.atoms_to_uusd(gain, 400_000) == 1_000_000_000
    assert INVERSE.atoms_to_uusd(-gain - 1, 400_000) == -1_000_000_001


@settings(max_examples=150)
@given(markets(), st.integers(-(10**30), 10**30), st.integers(1, 10**9))
def test_money_is_exact(market: Market, atoms: int, half: int) -> None:
    exact = Fraction(market.atom) * atoms
    assert Fraction(market.money(atoms)) == exact
    if market.contract is Contract.INVERSE:
        exact *= Fraction(market.tick) * half / 2
    assert market.atoms_to_uusd(atoms, half) == (exact * 10**6).__floor__()


@settings(max_examples=100)
@given(markets(), st.integers(-(10**18), 10**18))
def test_grid_values_round_trip(market: Market, steps: int) -> None:
    assert market.ticks(market.price(steps)) == steps
    assert market.lots(market.size(steps)) == steps
    assert market.floor_ticks(market.price(steps)) == steps
    assert market.ceil_ticks(market.price(steps)) == steps
    assert market.floor_lots(market.size(steps)) == steps


@settings(max_examples=200)
@given(markets(), st.decimals("-1e12", "1e12", allow_nan=False, allow_infinity=False))
def test_rounding_goes_the_way_it_says(market: Market, value: Decimal) -> None:
    ticks, lots = (Fraction(value) / Fraction(step) for step in (market.tick, market.lot))
    assert market.floor_ticks(value) == ticks.__floor__()
    assert market.ceil_ticks(value) == ticks.__ceil__()
    assert market.floor_lots(value) == lots.__floor__()
    if ticks.denominator == 1:
        assert market.ticks(value) == ticks
    else:
        with pytest.raises(ValueError, match="price"):
            market.ticks(value)


@pytest.mark.parametrize("text", ["0.05", "100000.123456789012345678901234567890", "1e-40"])
def test_off_grid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"price {text.upper()} is not a multiple of 0.1"):
        BTC.ticks(Decimal(text))
    with pytest.raises(ValueError, match=r"size 0\.000001 is not a multiple of 0\.00001"):
        BTC.lots(Decimal("0.000001"))


def test_a_hair_below_the_grid_is_still_below() -> None:
    # 31 digits: dividing in 28 would round the price onto the next tick.
    hair = Decimal("99999.9999999999999999999999999")
    assert BTC.floor_ticks(hair) == 999_999
    assert BTC.ceil_ticks(hair) == 1_000_000
    with pytest.raises(ValueError, match="not a multiple"):
        BTC.ticks(hair)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_off_the_grid(text: str) -> None:
    with pytest.raises(ValueError, match="is not a multiple of"):
        BTC.ticks(Decimal(text))


@pytest.mark.parametrize(
    ("tick", "lot", "contract_size", "min_lots"),
    [
        ("0", "1", "1", 1),
        ("1", "0", "1", 1),
        ("1", "-1", "1", 1),
        ("1", "1", "0", 1),
        ("1", "1", "1", 0),
    ],
)
def test_a_market_needs_positive_numbers(
    tick: str, lot: str, contract_size: str, min_lots: int
) -> None:
    with pytest.raises(ValueError, match="BAD: tick, lot, contract size and minimum"):
        Market(
            "BAD",
            Decimal(tick),
            Decimal(lot),
            min_lots=min_lots,
            contract_size=Decimal(contract_size),
        )


def test_a_market_says_what_it_is() -> None:
    assert repr(BTC) == "Market('BTCUSD', tick=0.1, lot=0.00001, linear)"
    assert (BTC.index, BTC.min_lots, BTC.imf) == (0, 1, Fraction(1, 20))
