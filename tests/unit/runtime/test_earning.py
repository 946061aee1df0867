"""Where profit comes from: one case worked by hand, and that it adds up whatever happens."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.events import Fill, Restatement
from mmbot.domain.figures import CurvePoint, PnlLines
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position
from mmbot.runtime.curve import EVERY_NS, MOST, Curve
from mmbot.runtime.earning import Earning

S = 1_000_000_000
# A tick is a dollar and a lot a coin.
MARKET = Market("M", Decimal(1), Decimal(1))
ATOMS_PER_USD = int(1 / MARKET.atom)


def fill(second: int, side: Side, price: int, lots: int, fee_usd: int = 0) -> Fill:
    fee = fee_usd * ATOMS_PER_USD
    return Fill(0, second * S, 0, 1, second, side, price, lots, 0, True, fee)


def usd(lines: PnlLines) -> tuple[int, ...]:
    return tuple(getattr(lines, name) // 1_000_000 for name in lines.__struct_fields__)


def take(earning: Earning, each: Fill, mid: int, *, hedge: bool = False) -> None:
    earning.position.fill(each.side, each.ticks, each.lots, each.fee_atoms)
    earning.fill(each, 2 * mid, hedge=hedge)


def test_a_case_by_hand() -> None:
    earning = Earning(Position(MARKET))
    # Two coins at 100 with the mid at 101: 2 earned. It falls to 99 within five seconds: 4 lost.
    take(earning, fill(0, Side.BID, 100, 2, fee_usd=1), 101)
    for second, mid in ((1, 101), (4, 100), (5, 99), (9, 105)):
        earning.sample(second * S, 2 * mid)
    # From 99 to 105 the two coins earn 12: total 2 x (105 - 100) - 1 = 9.
    assert usd(earning.lines()) == (2, -4, 12, -1, 0, 0, 0)
    assert earning.lines().total == 9_000_000
    # Markouts compare with the price of the fill: 101, then 99 against 100.
    assert earning.markouts() == {
        ("1s", "mean"): 100.0,
        ("1s", "median"): 100.0,
        ("5s", "mean"): -100.0,
        ("5s", "median"): -100.0,
    }
    assert earning.samples() == {("1s",): 1, ("5s",): 1, ("30s",): 0}
    # A rebate of 3 and a sale above the mid; funding of 4; a hedge that pays the spread.
    take(earning, fill(10, Side.ASK, 106, 1, fee_usd=-3), 105)
    earning.position.fund(4 * ATOMS_PER_USD)
    take(earning, fill(11, Side.ASK, 104, 1, fee_usd=2), 105, hedge=True)
    earning.sample(11 * S, 2 * 105)
    assert usd(earning.lines()) == (3, -4, 12, -1, 3, 4, -3)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("fill"),
            st.sampled_from(list(Side)),
            st.integers(50, 150),
            st.integers(1, 9),
            st.integers(-5, 5),
            st.booleans(),
        ),
        st.tuples(st.just("mid"), st.integers(0, 150)),
        st.tuples(st.just("restated"), st.integers(-9, 9), st.integers(-500, 500)),
        st.tuples(st.just("funding"), st.integers(-9, 9)),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_it_always_adds_up_to_the_profit(steps: list[tuple[object, ...]]) -> None:
    earning = Earning(Position(MARKET))
    position, mid = earning.position, 0
    for second, (kind, *given_) in enumerate(steps):
        if kind == "fill":
            side, price, lots, fee, hedge = given_
            take(earning, fill(second, side, price, lots, fee), mid, hedge=hedge)  # type: ignore[arg-type]
        elif kind == "mid":
            mid = int(given_[0])  # type: ignore[call-overload]
        elif kind == "restated":
            lots, cash = given_
            event = Restatement(0, second * S, 0, lots, cash * ATOMS_PER_USD, ATOMS_PER_USD, "")  # type: ignore[arg-type,operator]
            position.restate(event.lots, event.cash_atoms, event.fees_atoms)
            earning.restated(event)
        else:
            position.fund(given_[0] * ATOMS_PER_USD)  # type: ignore[operator]
        earning.sample(second * S, 2 * mid)
    earning.sample(1_000 * S, 200)
    whole = position.cash_atoms + position.lots * 100 * ATOMS_PER_USD
    whole += position.funding_atoms - position.fees_atoms
    assert earning.lines().total == whole * 1_000_000 // ATOMS_PER_USD


def test_a_curve_keeps_its_beginning_and_its_size() -> None:
    curve = Curve()
    for second in range(3 * MOST):
        curve.take(CurvePoint(second * S, second, 0))
    points = curve.points()
    assert points[0].ts_ns == 0
    assert MOST / 2 <= len(points) <= MOST
    steps = {b.ts_ns - a.ts_ns for a, b in pairwise(points)}
    assert steps <= {2 * EVERY_NS, 4 * EVERY_NS, 8 * EVERY_NS}
    assert points[-1].ts_ns > (3 * MOST - 10) * S
