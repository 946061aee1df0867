"""Markouts by hand and their errors against plain statistics."""

from math import sqrt
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.research.markouts import Markout, markouts
from mmbot.research.record import Recorder, RunRecord
from tests.unit.research.runs import SECOND, START, but, fill, hand_run, inverse, linear


def _one(record: RunRecord, side: str, horizon_s: float) -> Markout:
    return next(m for m in markouts(record) if m.side == side and m.horizon_s == horizon_s)


def test_the_hand_worked_run() -> None:
    record = hand_run()
    # The hedge is left out. Value 2 x 99 x 3 = 594 and 2 x 102 x 4 = 816 half tick lots.
    # 0 s: 3 x (200 - 198) = 6 and -4 x (202 - 204) = 8.
    assert _one(record, "all", 0).mean_bps == pytest.approx(14 / 1410 * 1e4)
    # 1 s: 3 x (201 - 198) = 9 and -4 x (200 - 204) = 16.
    assert _one(record, "all", 1).mean_bps == pytest.approx(25 / 1410 * 1e4)
    assert _one(record, "bid", 1).mean_bps == pytest.approx(9 / 594 * 1e4)
    assert _one(record, "ask", 1).mean_bps == pytest.approx(16 / 816 * 1e4)
    # 30 s is beyond the end: nothing to measure.
    late = _one(record, "all", 30)
    assert (late.mean_bps, late.se_bps, late.fills_count, late.unmatured_count) == (
        None,
        None,
        0,
        2,
    )


def test_inverse_fills_weigh_by_coin() -> None:
    recorder = Recorder([inverse()], 10**9)
    recorder.fill(but(fill(0, 1, Side.ASK, 100, 2), mark_half_ticks=160))
    # Sold 200 USD at 50 = 4 coins; at 40 they are 5 coins: 1 coin on 4.
    found = _one(recorder.finish(START + 2 * SECOND, [200]), "ask", 0)
    assert found.mean_bps == pytest.approx(2500)


def test_markets_weigh_by_usd() -> None:
    recorder = Recorder([linear(), inverse(1)], 10**9)
    # 5 USD that are 1 % ahead at once, and 200 USD in coin that are not.
    recorder.fill(but(fill(0, 1, Side.BID, 100, 1), mark_half_ticks=202))
    recorder.fill(but(fill(1, 1, Side.BID, 100, 2), market=1))
    found = _one(recorder.finish(START + 2 * SECOND, [202, 200]), "bid", 0)
    assert found.mean_bps == pytest.approx(0.05 / 205 * 1e4)


@settings(max_examples=60)
@given(st.lists(st.integers(150, 250), min_size=2, max_size=12))
def test_errors_of_fills_far_apart_are_the_classic_ones(marks: list[int]) -> None:
    recorder = Recorder([linear()], 10**9)
    for number, mark in enumerate(marks):
        recorder.fill(but(fill(number, 100 * number, Side.BID, 100, 1), mark_half_ticks=mark))
    found = _one(recorder.finish(START + 10_000 * SECOND, [200]), "bid", 0)
    bps = [(mark - 200) / 200 * 1e4 for mark in marks]
    assert found.mean_bps == pytest.approx(sum(bps) / len(bps), abs=1e-9)
    assert found.se_bps == pytest.approx(stdev(bps) / sqrt(len(bps)), abs=1e-9)


def test_fills_of_one_moment_count_once() -> None:
    single, double = Recorder([linear()], 10**9), Recorder([linear()], 10**9)
    for number, mark in enumerate((190, 204, 211)):
        one = but(fill(number, 100 * number, Side.BID, 100, 1), mark_half_ticks=mark)
        single.fill(one)
        double.fill(one)
        double.fill(but(one, number=100 + number, ts_exch_ns=one.ts_exch_ns + SECOND))
    end_ns = START + 1000 * SECOND
    alone = _one(single.finish(end_ns, [200]), "bid", 0)
    twice = _one(double.finish(end_ns, [200]), "bid", 0)
    assert twice.mean_bps == pytest.approx(alone.mean_bps)
    assert twice.se_bps == pytest.approx(alone.se_bps)


def test_one_block_has_no_error() -> None:
    recorder = Recorder([linear()], 10**9)
    recorder.fill(fill(0, 1, Side.BID, 100, 1))
    assert _one(recorder.finish(START + 2 * SECOND, [200]), "all", 0).se_bps is None
