"""The recorder: what it keeps, counts and refuses."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.errors import InvariantViolation
from mmbot.research.record import Recorder
from tests.unit.research.runs import (
    SECOND,
    START,
    but,
    fill,
    hand_recorder,
    hand_run,
    inverse,
    linear,
    sample,
)


def test_the_hand_worked_run_ends_with_its_profit() -> None:
    record = hand_run()
    market = record.markets[0]
    # cash 22 x 5e8, fees 105.5e6, funding 2e9 (see runs.py).
    assert market.pnl_atoms == 12_894_500_000
    assert market.final_lots == 0
    # 12,894,500,000 atoms of 5e-11 USD.
    assert record.equity[-1].net_uusd == 1_000_000_000 + 644_725
    assert record.minute_closes == ((START // (60 * SECOND), 1_000_644_725),)
    assert (record.start_ns, record.end_ns) == (START, START + 40 * SECOND)


def test_gates_share_the_time() -> None:
    recorder = Recorder([linear()], 10**9)
    for second, reason in ((1, "gap"), (3, "gap"), (4, "stale"), (9, None), (10, "gap")):
        recorder.gate(START + second * SECOND, 0, reason)
    record = recorder.finish(START + 12 * SECOND, [200])
    # gap from 1 to 4 and from 10 to the end at 12; stale from 4 to 9.
    assert record.markets[0].gate_ns == {"gap": 5 * SECOND, "stale": 5 * SECOND}


def test_the_largest_position_is_seen_between_samples() -> None:
    recorder = Recorder([linear()], 10**9)
    recorder.sample(sample(0, 200, 0, 0))
    recorder.fill(fill(0, 1, Side.ASK, 100, 7))
    recorder.fill(fill(1, 2, Side.BID, 100, 7))
    record = recorder.finish(START + 3 * SECOND, [200])
    assert record.markets[0].sums.max_lots == 7
    assert record.markets[0].sums.abs_lot_ns == 0


def test_counts_refuse_what_is_not_counted() -> None:
    recorder = hand_recorder()
    with pytest.raises(KeyError):
        recorder.order("placd")


def test_samples_in_the_wrong_order_are_refused() -> None:
    recorder = Recorder([linear()], 10**9)
    recorder.sample(sample(5, 200, 0, 0))
    with pytest.raises(InvariantViolation, match="comes after"):
        recorder.sample(sample(4, 200, 0, 0))


def test_equity_must_be_positive() -> None:
    with pytest.raises(ValueError, match="initial equity must be positive, not 0"):
        Recorder([linear()], 0)


def test_a_market_that_traded_needs_a_final_mark() -> None:
    recorder = Recorder([linear()], 10**9)
    recorder.fill(fill(0, 1, Side.BID, 100, 1))
    with pytest.raises(InvariantViolation, match="XYZ: traded, but no final mark"):
        recorder.finish(START, [0])


def test_an_idle_market_needs_none() -> None:
    record = Recorder([linear()], 10**9).finish(START, [0])
    assert record.markets[0].pnl_atoms == 0
    assert record.equity[-1].net_uusd == 10**9


def test_memory_is_bounded() -> None:
    recorder = Recorder([linear()], 10**9, max_points=200)
    for tenth in range(5_000):
        recorder.sample(sample(tenth / 10, 200, 0, 0, 99, 101))
    record = recorder.finish(START + 500 * SECOND, [200])
    assert len(record.markets[0].series) <= 201
    assert len(record.equity) <= 201
    assert record.markets[0].sums.two_sided_ns == 500 * SECOND
    assert record.markets[0].series[-1].ts_ns == START + 4_999 * SECOND // 10


@settings(max_examples=100)
@given(st.integers(-(10**15), 10**15), st.integers(1, 10**7), st.booleans())
def test_equity_is_in_the_markets_own_micro_usd(atoms: int, mark: int, coin: bool) -> None:
    market = inverse() if coin else linear()
    recorder = Recorder([market], 10**15)
    recorder.sample(sample(0, mark, 0, atoms))
    change = recorder.equity.net_uusd - 10**15
    assert change == market.atoms_to_uusd(atoms, mark)


def test_fees_so_far_travel_with_equity() -> None:
    recorder = Recorder([linear()], 10**9)
    fee_atoms = int(Decimal("0.25") / linear().atom)
    recorder.fill(but(fill(0, 1, Side.BID, 100, 1), fee_atoms=fee_atoms))
    recorder.sample(sample(2, 200, 1, -fee_atoms))
    point = recorder.finish(START + 3 * SECOND, [200]).equity[0]
    assert (point.net_uusd, point.fees_uusd) == (10**9 - 250_000, 250_000)
