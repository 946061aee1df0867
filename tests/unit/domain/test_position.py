"""Position: its fold against a ledger of exact fractions, and by hand."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.market import Contract, Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position

LINEAR = Market("LIN", Decimal("0.1"), Decimal("0.001"))
INVERSE = Market(
    "INV",
    Decimal("0.5"),
    Decimal(1),
    contract=Contract.INVERSE,
    contract_size=Decimal(100),
)
FILLS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 10**7),
        st.integers(1, 10**6),
        st.integers(-(10**12), 10**12),
    ),
    max_size=30,
)


def bookkeeper(market: Market, fills: list[tuple[Side, int, int, int]], mark: int) -> Fraction:
    """Profit before fees: every fill is an own little position, closed at the mark."""
    total = Fraction(0)
    for side, ticks, lots, _ in fills:
        size = Fraction(market.lot) * lots * Fraction(market.contract_size)
        price, last = (Fraction(market.tick) * half / 2 for half in (2 * ticks, mark))
        gain = 1 / price - 1 / last if market.contract is Contract.INVERSE else last - price
        total += gain * size if side is Side.BID else -gain * size
    return total


@settings(max_examples=100)
@given(FILLS, st.integers(1, 2 * 10**7), st.integers(-(10**12), 10**12))
def test_linear_profit_is_exact(
    fills: list[tuple[Side, int, int, int]], mark: int, funding: int
) -> None:
    position = Position(LINEAR)
    for fill in fills:
        position.fill(*fill)
    position.fund(funding)
    fees = sum(fee for *_, fee in fills)
    exact = bookkeeper(LINEAR, fills, mark) / Fraction(LINEAR.atom) - fees + funding
    assert position.pnl_atoms(mark) == exact
    assert position.lots == sum(side * lots for side, _, lots, _ in fills)
    assert position.volume_lots == sum(lots for _, _, lots, _ in fills)
    assert (position.fees_atoms, position.funding_atoms) == (fees, funding)
    assert position.fills == len(fills)


@settings(max_examples=100)
@given(FILLS, st.integers(1, 2 * 10**7))
def test_inverse_profit_is_right_to_an_atom_a_lot(
    fills: list[tuple[Side, int, int, int]], mark: int
) -> None:
    position = Position(INVERSE)
    for side, ticks, lots, _ in fills:
        position.fill(side, ticks, lots, 0)
    exact = bookkeeper(INVERSE, fills, mark) / Fraction(INVERSE.atom)
    assert abs(position.pnl_atoms(mark) - exact) <= 2 * position.volume_lots


def test_round_trip_by_hand() -> None:
    # Short 3 lots (0.003) at 100.0, half a cent fee; back 2 at 99.0 and 1 at 102.0.
    position = Position(LINEAR)
    cent = int(Decimal("0.01") / LINEAR.atom)
    position.fill(Side.ASK, 1000, 3, cent // 2)
    assert position.lots == -3
    # Marked at 99.5: 3 * 0.001 * 0.5 = 0.0015 less 0.005.
    assert LINEAR.money(position.pnl_atoms(1990)) == Decimal("-0.0035")
    position.fill(Side.BID, 990, 2, 0)
    position.fill(Side.BID, 1020, 1, 0)
    assert position.lots == 0
    # Flat: 2 * 0.001 * 1 - 1 * 0.001 * 2 = 0, so only the fee is left, whatever the mark is.
    assert LINEAR.money(position.pnl_atoms(0)) == Decimal("-0.005")
    position.fund(3 * cent)
    assert LINEAR.money(position.pnl_atoms(123456)) == Decimal("0.025")


def test_a_flat_inverse_position_needs_no_mark() -> None:
    assert Position(INVERSE).pnl_atoms(0) == 0


def test_a_restatement_adds_to_what_the_fills_say() -> None:
    position = Position(LINEAR)
    position.fill(Side.BID, 1000, 5, 7)
    cash = position.cash_atoms
    position.restate(-1, 100, -2)
    assert (position.lots, position.cash_atoms, position.fees_atoms) == (4, cash + 100, 5)
    assert (position.fills, position.volume_lots) == (1, 5)
