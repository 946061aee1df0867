"""Positions, profit and attribution of a ledger against plain fractions, whatever the window."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.assemble.earnings import by_day, earnings
from mmbot.domain.order import Side
from mmbot.ledger.folds import books
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.ledger.rows import AdjustmentRow, EquityPoint, FillRow, FundingRow
from tests.unit.ledger.scene import BTC, ETH, HOUR_NS, START_NS, opened

MARKETS = (BTC, ETH)
MINUTES = 60 * 6
HORIZON_NS = 5_000_000_000


class Happening(NamedTuple):
    """Something in a minute; `kind` 0 trade, 1 payment, 2 adjustment, 3 checkpoint."""

    minute: int
    kind: int
    market: int
    buys: bool
    ticks: int
    lots: int
    money: int
    known: bool


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        st.integers(0, MINUTES - 1),
        st.sampled_from((0, 0, 0, 1, 2, 3)),
        st.integers(0, 1),
        st.booleans(),
        st.integers(1, 10**6),
        st.integers(1, 10**4),
        st.integers(-(10**20), 10**20),
        st.booleans(),
    ),
    max_size=40,
).map(sorted)


def at_ns(happening: Happening) -> int:
    return START_NS + happening.minute * 60_000_000_000


def tell(path: Path, happenings: Sequence[Happening]) -> None:
    """Write happenings to a ledger."""
    ledger = opened(path)
    for number, each in enumerate(happenings):
        mid = 2 * each.ticks + 1 if each.known else None
        signed = each.lots if each.buys else -each.lots
        if each.kind == 0:
            side = Side.BID if each.buys else Side.ASK
            row = FillRow(
                at_ns(each), each.market, number, number, number, side, each.ticks, each.lots,
                each.known, each.money, mid, hedge=each.money % 7 == 0,
            )  # fmt: skip
            ledger.fills([row], number)
            if each.buys:
                ledger.mark(each.market, number, HORIZON_NS, 2 * each.ticks + 3)
        elif each.kind == 1:
            ledger.funding([FundingRow(at_ns(each), each.market, each.money, mid)])
        elif each.kind == 2:
            lots = signed if each.known else 0
            row_ = AdjustmentRow(at_ns(each), each.market, lots, each.money, each.ticks, "x")
            ledger.adjustment(row_)
        else:
            marks = tuple(2 * each.ticks + 1 if m == each.market else 0 for m in range(2))
            ledger.equity(EquityPoint(at_ns(each), 0, 0, marks=marks))
    assert ledger.failure is None
    ledger.close(1)


def bookkeeper(happenings: Sequence[Happening], market: int, half_ticks: int) -> Fraction:
    """Profit in USD: everything valued on its own at the mark."""
    grid = MARKETS[market]
    unit, atom = Fraction(grid.tick * grid.lot), Fraction(grid.atom)
    total, paid = Fraction(0), set()
    for each in happenings:
        if each.market != market:
            continue
        signed = each.lots if each.buys else -each.lots
        if each.kind == 0:
            total += signed * (Fraction(half_ticks, 2) - each.ticks) * unit - each.money * atom
        elif each.kind == 1 and each.minute not in paid:
            paid.add(each.minute)
            total += each.money * atom
        elif each.kind == 2:
            lots = signed if each.known else 0
            total += lots * Fraction(half_ticks, 2) * unit + (each.money - each.ticks) * atom
    return total


def profit(
    reader: LedgerReader, happenings: Sequence[Happening], window: Window
) -> tuple[Fraction, Fraction]:
    """Profit until the start and the end by the bookkeeper, at the marks the folds use."""
    last = {book.number: book.mark_half_ticks for book in books(reader, window)}
    totals = []
    for until_ns in (window.since_ns, window.until_ns):
        before = [each for each in happenings if at_ns(each) < until_ns]
        total = Fraction(0)
        for book in books(reader, Window(until_ns=until_ns)):
            market = 0 if book.market.symbol == BTC.symbol else 1
            mark = book.mark_half_ticks or last[book.number] or 1
            expected = bookkeeper(before, market, mark)
            assert book.position.pnl_atoms(mark) * Fraction(book.market.atom) == expected
            total += expected
        totals.append(total)
    return totals[0], totals[1]


@settings(max_examples=80, deadline=None)
@given(HAPPENINGS, st.integers(0, MINUTES), st.integers(0, MINUTES))
def test_every_window_adds_up(happenings: list[Happening], one: int, other: int) -> None:
    since, until = (START_NS + minute * 60_000_000_000 for minute in sorted((one, other)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.ledger"
        tell(path, happenings)
        with LedgerReader(path) as reader:
            for window in (
                Window(since_ns=since, until_ns=until),
                Window(since_ns=since),
                Window(),
            ):
                found = earnings(reader, window)
                first, last = profit(reader, happenings, window)
                change = last - first
                assert found.whole.total == change
                for dimension in ("market", "hour"):
                    shares = found.groups[dimension].values()
                    assert sum((share.total for share in shares), Fraction(0)) == change
                days = by_day(found.groups["hour"])
                assert sum((share.total for share in days.values()), Fraction(0)) == change
                for split in found.splits:
                    lines = found.whole.lines
                    assert split.adverse + split.residual == lines.holding
                    assert split.realised == lines.capture + split.adverse


def test_what_was_held_before_earns_in_its_hours(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    ledger = opened(path)
    ledger.fills([FillRow(START_NS, 0, 1, 1, 1, Side.BID, 1_000, 10, True, 0, 2_000)], 1)
    for hour in range(1, 5):
        marks = (2_000 + 100 * hour, 0)
        ledger.equity(EquityPoint(START_NS + hour * HOUR_NS, None, 0, marks=marks))
    ledger.close(1)
    with LedgerReader(path) as reader:
        found = earnings(reader, Window(since_ns=START_NS + 2 * HOUR_NS + 1))
    # 50 ticks of 0.1 on 10 lots of 0.0001, an hour.
    step = 50 * 10 * Fraction(BTC.tick * BTC.lot)
    assert {key: share.total for key, share in found.groups["hour"].items()} == {
        "2026-01-01T02:00Z": step,
        "2026-01-01T03:00Z": step,
    }
    assert found.whole.fills == 0


def test_a_position_from_before_the_ledger_earns_from_its_cost(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    ledger = opened(path)
    cash = -10 * BTC.unit_value(2_000)
    ledger.adjustment(AdjustmentRow(START_NS, 0, 10, cash, 0, "there before"))
    ledger.equity(EquityPoint(START_NS + 1, None, 0, marks=(2_100, 0)))
    ledger.close(1)
    with LedgerReader(path) as reader:
        found = earnings(reader, Window())
        (book,) = books(reader, Window())
    assert book.position.lots == 10
    assert found.whole.adjustments == 0
    assert found.whole.lines.inventory == 50 * 10 * Fraction(BTC.tick * BTC.lot)
    assert found.whole.total == book.pnl_atoms * Fraction(BTC.atom)
