"""Comparison of runs: pairing, intervals, and when it keeps its mouth shut."""

import json
from math import sqrt
from random import Random
from statistics import stdev

import pytest
from msgspec import structs

from mmbot.domain.order import Side
from mmbot.errors import DataError
from mmbot.research.compare import (
    Comparison,
    compare,
    comparison_document,
    minute_profits,
    side_by_side,
)
from mmbot.research.record import Recorder
from mmbot.research.results import Results, describe
from tests.unit.research.runs import HEADER, SECOND, START, fill, hand_run, linear, sample

USD = 20_000_000_000  # atoms


def _run(name: str, profits: list[int], fills: int = 100) -> Results:
    """A run with these profits in USD, minute by minute, and some fills without consequence."""
    recorder = Recorder([linear()], 10**9)
    total = 0
    for minute, profit in enumerate(profits):
        total += profit
        recorder.sample(sample(60 * minute, 200, 0, total * USD))
    for number in range(fills):
        side = Side.BID if number % 2 else Side.ASK
        recorder.fill(fill(number, number, side, 100, 1))
    recorder.funding(0, START, total * USD, 200)
    record = recorder.finish(START + 60 * (len(profits) - 1) * SECOND, [200])
    return describe(structs.replace(HEADER, name=name), record)


def _verdict(comparison: Comparison) -> str:
    return comparison.differences[0].verdict


def test_paired_differences_cancel_the_market() -> None:
    market = [Random(1).randint(-500, 500) for _ in range(30)]
    better = [profit + 1 + minute % 2 for minute, profit in enumerate(market)]
    comparison = compare([_run("old", market), _run("new", better)], seed=3)
    (difference,) = comparison.differences
    assert (difference.baseline, difference.name) == ("old", "new")
    assert difference.pnl_difference_usd == 45
    # Every minute is better by 1 or 2: so is every resample.
    assert 30 <= difference.low_usd < 45 < difference.high_usd <= 60
    assert (difference.significant, difference.verdict) == (True, "significant")
    worse = compare([_run("new", better), _run("old", market)], seed=3).differences[0]
    assert worse.pnl_difference_usd == -45
    assert worse.high_usd < 0


def test_few_fills_are_not_significant() -> None:
    found = compare([_run("a", [0] * 20), _run("b", [1] * 20, fills=99)], seed=1)
    assert _verdict(found) == "not significant: 99 fills, 100 are needed on each side"
    assert not found.differences[0].significant


def test_few_minutes_are_not_significant() -> None:
    found = compare([_run("a", [0] * 9), _run("b", [1] * 9)], seed=1)
    assert _verdict(found) == "not significant: 9 minutes, 10 are needed"


def test_an_interval_around_zero_is_not_significant() -> None:
    found = compare([_run("a", [0] * 20), _run("b", [5, -5] * 10)], seed=1)
    assert _verdict(found) == "not significant: the 90 % interval contains 0"


def test_other_events_cannot_be_compared() -> None:
    other = describe(structs.replace(HEADER, data_hash="d2", name="other"), hand_run())
    with pytest.raises(DataError, match="other ran on d2, a on d1"):
        compare([_run("a", [1]), other], seed=1)


def test_the_interval_is_the_normal_one_for_many_minutes() -> None:
    random = Random(5)
    values = [round(random.gauss(2, 100)) for _ in range(400)]
    calm = _run("a", [0] * 400)
    found, again = (compare([calm, _run("b", values)], seed=9).differences[0] for _ in range(2))
    assert found == again
    low, high = found.low_usd, found.high_usd
    assert high - low == pytest.approx(2 * 1.645 * stdev(values) * sqrt(400), rel=0.1)
    assert (high + low) / 2 == pytest.approx(sum(values), abs=300)


def test_minutes_sum_to_the_profit() -> None:
    record = _run("a", [3, -1, 4]).record
    minute = START // (60 * SECOND)
    assert minute_profits(record) == {
        minute: 3_000_000,
        minute + 1: -1_000_000,
        minute + 2: 4_000_000,
    }


def test_side_by_side_and_document() -> None:
    comparison = compare([_run("a", [1] * 12), _run("b", [2] * 12)], seed=1)
    assert side_by_side(comparison)["pnl_net_usd"] == [12, 24]
    document = json.loads(json.dumps(comparison_document(comparison)))
    assert document["schema"] == "mmbot.comparison/1"
    assert [run["header"]["name"] for run in document["runs"]] == ["a", "b"]
    assert document["differences"][0]["pnl_difference_usd"] == 12
