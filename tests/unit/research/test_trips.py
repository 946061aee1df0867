"""Average cost: examples by hand, and a fraction-exact twin."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.domain.position import Position
from mmbot.research.trips import AverageCost
from tests.unit.research.runs import but, fill, linear

TICK_LOT = 1_000_000_000  # atoms of one lot moving one tick

FILLS = st.lists(
    st.tuples(
        st.sampled_from([Side.BID, Side.ASK]),
        st.integers(90, 110),
        st.integers(1, 9),
        st.integers(-(10**7), 10**7),
    ),
    max_size=25,
)


def test_a_flip_closes_all_and_opens_the_rest() -> None:
    cost = AverageCost(
        linear(),
        [
            fill(0, 0, Side.BID, 100, 2),
            fill(1, 1, Side.BID, 103, 4),  # average 102
            but(fill(2, 2, Side.ASK, 105, 8), fee_atoms=800),
        ],
    )
    # 6 closed at +3 each, less 6/8 of the fee; 2 short from 105 carry the other 200.
    assert (cost.closings, cost.wins, cost.closed_lots) == (1, 1, 6)
    assert cost.realised_atoms == 18 * TICK_LOT - 600
    assert cost.lots == -2
    assert cost.unrealised_atoms(2 * 104) == 2 * TICK_LOT - 200


def test_fees_decide_who_won() -> None:
    # Bought and sold at one price: the entry's fee alone makes it a loss, a rebate a win.
    for fee_atoms, wins in ((10, 0), (0, 0), (-10, 1)):
        entry = but(fill(0, 0, Side.BID, 100, 1), fee_atoms=fee_atoms)
        cost = AverageCost(linear(), [entry, fill(1, 1, Side.ASK, 100, 1)])
        assert (cost.closings, cost.wins) == (1, wins)


def test_a_short_wins_when_the_price_falls() -> None:
    cost = AverageCost(linear(), [fill(0, 0, Side.ASK, 100, 3), fill(1, 1, Side.BID, 98, 1)])
    assert (cost.realised_atoms, cost.wins) == (2 * TICK_LOT, 1)
    assert cost.unrealised_atoms(2 * 101) == -2 * TICK_LOT


@settings(max_examples=200)
@given(FILLS, st.integers(180, 220))
def test_realised_and_open_parts(path: list[tuple[Side, int, int, int]], mark: int) -> None:
    fills = [
        but(fill(i, i, side, ticks, lots), fee_atoms=fee)
        for i, (side, ticks, lots, fee) in enumerate(path)
    ]
    cost = AverageCost(linear(), fills)
    position = Position(linear())
    for one in fills:
        position.fill(one.side, one.ticks, one.lots, one.fee_atoms)
    assert cost.realised_atoms + cost.unrealised_atoms(mark) == position.pnl_atoms(mark)
    realised, closings = _exact(path)
    # Every closing rounds three divisions by less than an atom.
    assert abs(cost.realised_atoms - realised) <= 3 * len(path) ** 2
    assert cost.closings == closings


def _exact(path: list[tuple[Side, int, int, int]]) -> tuple[Fraction, int]:
    """Average cost in fractions, one lot at a time."""
    lots, average, fee_each, realised, closings = 0, Fraction(0), Fraction(0), Fraction(0), 0
    for side, ticks, size, fee in path:
        closings += lots * side < 0
        for _ in range(size):
            if lots * side < 0:
                sign = 1 if lots > 0 else -1
                realised += sign * (ticks - average) * TICK_LOT - fee_each - Fraction(fee, size)
            else:
                held = abs(lots)
                average = (average * held + ticks) / (held + 1)
                fee_each = (fee_each * held + Fraction(fee, size)) / (held + 1)
            lots += side
            if not lots:
                average = fee_each = Fraction(0)
    return realised, closings
