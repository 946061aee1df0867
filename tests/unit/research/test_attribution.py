"""Attribution: hand-worked lines, and sums that hold to the atom on any path of fills."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from msgspec import structs

from mmbot.domain.order import Side
from mmbot.errors import InvariantViolation
from mmbot.research.attribution import Lines, attribute, usd_per_atom
from mmbot.research.record import Recorder, RunRecord
from tests.unit.research.runs import (
    SECOND,
    START,
    but,
    fill,
    hand_run,
    inverse,
    linear,
    random_runs,
    sample,
)


def test_lines_of_the_hand_worked_run() -> None:
    market = attribute(hand_run()).markets[0]
    assert market.lines == Lines(
        # 3 x (200 - 198) and -4 x (202 - 204) half tick lots of 5e8 atoms.
        maker_capture=7_000_000_000,
        taker_capture=0,
        # 3 x (196 - 200) = -12 and -4 x (196 - 202) = +24.
        inventory=6_000_000_000,
        fees=-70_500_000,
        funding=2_000_000_000,
        # 1 x (198 - 200), then 1 x (196 - 198).
        hedge_execution=-1_000_000_000,
        hedge_inventory=-1_000_000_000,
        hedge_fees=-35_000_000,
    )
    assert market.lines.total == 12_894_500_000


def test_splits_of_the_hand_worked_run() -> None:
    one, five, thirty = attribute(hand_run()).markets[0].splits
    # 1 s: 3 x (201 - 200) - 4 x (200 - 202) + 1 x (198 - 198) = 11; all inventory is 10.
    assert (one.adverse, one.residual) == (11 * 5 * 10**8, -1 * 5 * 10**8)
    # 5 s: 3 x (202 - 200) - 4 x (198 - 202) + 1 x (196 - 198) = 20.
    assert (five.adverse, five.residual) == (20 * 5 * 10**8, -10 * 5 * 10**8)
    # Realised: capture 12 half tick lots more.
    assert five.realised == 32 * 5 * 10**8
    # 30 s goes to the end: nothing is left over.
    assert (thirty.adverse, thirty.residual) == (10 * 5 * 10**8, 0)


def test_average_cost_of_the_hand_worked_run() -> None:
    market = attribute(hand_run()).markets[0]
    assert market.unrealised_atoms == 0
    assert market.realised_atoms == 12_894_500_000 - 2_000_000_000


def test_groups_of_the_hand_worked_run() -> None:
    groups = attribute(hand_run()).groups
    totals = {
        dimension: {key: float(lines.total) for key, lines in groups[dimension].items()}
        for dimension in ("side", "liquidity", "market")
    }
    assert totals == {
        # Bids: (6 - 12 - 2 - 2) x 5e8 - 64.7e6 atoms; asks: (8 + 24) x 5e8 - 40.8e6.
        "side": {"bid": -0.253235, "ask": 0.79796, "funding": 0.1},
        # Quotes: (14 + 12) x 5e8 - 70.5e6; the hedge: -4 x 5e8 - 35e6.
        "liquidity": {"maker": 0.646475, "hedge": -0.10175, "funding": 0.1},
        "market": {"XYZ": 0.644725},
    }


def test_a_taker_that_is_no_hedge_has_its_own_line() -> None:
    recorder = Recorder([linear()], 10**9)
    recorder.fill(but(fill(0, 1, Side.BID, 101, 2), maker=False, mark_half_ticks=200))
    lines = attribute(recorder.finish(START + 2 * SECOND, [200])).markets[0].lines
    assert lines == Lines(taker_capture=-4 * 5 * 10**8)


def test_hours_get_what_the_position_earned_in_them() -> None:
    recorder = Recorder([linear()], 10**9)
    recorder.sample(sample(0, 200, 0, 0))
    recorder.fill(fill(0, 1800, Side.BID, 100, 2))
    recorder.sample(sample(3500, 203, 2, 0))
    recorder.sample(sample(3600, 204, 2, 0))
    recorder.sample(sample(3601, 205, 2, 0))
    recorder.fill(but(fill(1, 3700, Side.ASK, 103, 2), mark_half_ticks=207))
    hours = attribute(recorder.finish(START + 7300 * SECOND, [300])).groups["hour"]
    # Lots x half ticks x 0.025 USD: 2 x (204 - 200); 2 x (207 - 204) and 2 x (206 - 207) sold
    # below the mid; nothing held after that.
    assert {hour: lines.total for hour, lines in hours.items()} == {
        "2023-11-15T00:00Z": Fraction(8 * 25, 1000),
        "2023-11-15T01:00Z": Fraction(4 * 25, 1000),
        "2023-11-15T02:00Z": 0,
    }


def test_money_that_does_not_add_up_is_refused() -> None:
    record = hand_run()
    wrong = structs.replace(record.markets[0], pnl_atoms=record.markets[0].pnl_atoms + 1)
    with pytest.raises(InvariantViolation, match="12894500000 atoms"):
        attribute(structs.replace(record, markets=(wrong,)))


def test_usd_of_inverse_money_follows_the_mark() -> None:
    # Atoms are 1e-18 coin; at 200 half ticks of 0.25 USD a coin is worth 50 USD.
    assert usd_per_atom(inverse(), 200) == Fraction(50, 10**18)


def _money(record: RunRecord, index: int) -> Fraction:
    """Profit by cash flows: what was paid, what was got, what the rest is worth, in money."""
    market = record.markets[index].market
    unit = Fraction(market.atom) * market.unit_value(2)  # one lot at one tick, linear
    cash = Fraction(0)
    lots = 0
    for one in record.fills:
        if one.market == index:
            cash -= one.side * one.lots * one.ticks * unit + one.fee_atoms * Fraction(market.atom)
            lots += one.side * one.lots
    cash += sum(p.atoms for p in record.funding if p.market == index) * Fraction(market.atom)
    return cash + lots * Fraction(record.markets[index].final_half_ticks, 2) * unit


@settings(max_examples=150, deadline=None)
@given(random_runs())
def test_lines_sum_to_the_change_of_equity(record: RunRecord) -> None:
    result = attribute(record)
    for part, market in zip(result.markets, record.markets, strict=True):
        assert part.lines.total == market.pnl_atoms
        assert part.realised_atoms + part.unrealised_atoms + part.lines.funding == part.lines.total
        for split in part.splits:
            assert split.adverse + split.residual == part.lines.holding
            assert split.realised == part.lines.capture + split.adverse
    first = result.markets[0]
    assert first.lines.total * first.usd_per_atom == _money(record, 0)
    assert result.lines.total == sum(p.lines.total * p.usd_per_atom for p in result.markets)


@settings(max_examples=100, deadline=None)
@given(random_runs())
def test_groups_sum_to_the_total_line_by_line_or_in_all(record: RunRecord) -> None:
    result = attribute(record)
    for dimension in ("side", "liquidity", "market", "hour"):
        parts = result.groups[dimension].values()
        for place, line in enumerate(result.lines):
            assert sum(part[place] for part in parts) == line


@settings(max_examples=100, deadline=None)
@given(random_runs())
def test_inventory_is_position_times_move_of_the_mark(record: RunRecord) -> None:
    """The other formula of the same line: position before each step times the mark's move."""
    for index, part in enumerate(attribute(record).markets):
        value = record.markets[index].market.unit_value
        fills = [one for one in record.fills if one.market == index]
        steps = [(one.mark_half_ticks, one.side * one.lots) for one in fills]
        steps.append((record.markets[index].final_half_ticks, 0))
        held = 0
        earned = 0
        for (before, lots), (after, _) in pairwise(steps):
            held += lots
            earned += held * (value(after) - value(before))
        assert part.lines.holding == earned
