"""The block bootstrap against every resample there is, and against how often it should be right."""

from itertools import product
from math import sqrt
from random import Random
from statistics import pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.research.contest import paired
from mmbot.research.contest.paired import Block, Estimate, estimate, resampled, total

MONEY = st.integers(-100, 100)


def pair(ours: float, theirs: float, volume: float = 100.0) -> paired.Pair:
    """Two strategies over one stretch, equal in volume."""
    return Block(ours, volume), Block(theirs, volume)


def test_the_interval_is_that_of_all_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    # Five pairs have 3125 resamples: written down one by one they are the distribution itself.
    monkeypatch.setattr(paired, "MIN_BLOCKS", 5)
    pairs = [pair(*each) for each in ((3.0, 1.0), (-2.0, 0.5), (7.0, 2.0), (0.0, -4.0), (1.0, 6.0))]
    differences = [ours.profit_usd - theirs.profit_usd for ours, theirs in pairs]
    every = sorted(sum(chosen) for chosen in product(differences, repeat=5))
    draws = sorted(draw.profit - draw.other_profit for draw in resampled(pairs, seed=4))
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        exact = sum(value <= draws[int(share * len(draws))] for value in every) / len(every)
        assert exact == pytest.approx(share, abs=0.035)
    mean, deviation = sum(differences), pstdev(differences) * sqrt(5)
    assert sum(draws) / len(draws) == pytest.approx(mean, abs=4 * deviation / sqrt(len(draws)))


def test_the_ratio_is_of_sums() -> None:
    pairs = [(Block(1.0, 100.0), Block(2.0, 1000.0)), (Block(2.0, 300.0), Block(0.0, 0.0))]
    # 3/400 = 75 bps less 2/1000 = 20 bps.
    assert total(pairs).bps_of_volume == pytest.approx(55.0)
    assert total([(Block(1.0, 0.0), Block(1.0, 5.0))]).bps_of_volume is None
    assert total([(Block(1.0, 50.0), Block(0.0, 0.0))]).bps_of_volume == pytest.approx(200.0)


@given(st.lists(st.tuples(MONEY, MONEY), min_size=10, max_size=30), st.integers(-50, 50))
@settings(max_examples=6, deadline=None)
def test_what_moves_both_alike_cancels(profits: list[tuple[int, int]], market: int) -> None:
    calm = [pair(ours, theirs) for ours, theirs in profits]
    moved = [pair(ours + market, theirs + market) for ours, theirs in profits]
    for before, after in zip(resampled(calm, 1), resampled(moved, 1), strict=True):
        assert after.profit - after.other_profit == pytest.approx(
            before.profit - before.other_profit
        )


def test_it_repeats_and_says_nothing_of_little() -> None:
    pairs = [pair(float(n % 3), 0.0) for n in range(12)]
    assert resampled(pairs, 7) == resampled(pairs, 7)
    assert resampled(pairs, 7) != resampled(pairs, 8)
    assert resampled(pairs[:9], 7) == []
    assert estimate(3.0, []) == Estimate(3.0, None, None)
    assert not estimate(3.0, []).clear_of_zero


@pytest.mark.parametrize(
    ("low", "high", "clear"), [(-1.0, 1.0, False), (0.5, 1.0, True), (-2.0, -1.0, True)]
)
def test_the_sign_is_clear(low: float, high: float, clear: bool) -> None:
    assert Estimate(0.0, low, high).clear_of_zero is clear


def walk(random: Random, length: int, memory: float) -> list[float]:
    """A series with mean 0 in which a step remembers the one before."""
    values, last = [], 0.0
    for _ in range(length):
        last = memory * last + random.gauss(0, 1)
        values.append(last)
    return values


def covered(length: int, block: int, memory: float, trials: int) -> float:
    """How often the 90 % interval of a sum contains the truth, 0."""
    random = Random(11)
    hits = 0
    for trial in range(trials):
        series = walk(random, length, memory)
        stretches = [sum(series[at : at + block]) for at in range(0, length, block)]
        draws = [draw.profit for draw in resampled([pair(each, 0.0) for each in stretches], trial)]
        found = estimate(sum(stretches), draws)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0 <= found.high
    return hits / trials


def test_nine_of_ten_intervals_hold_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired, "RESAMPLES", 200)
    # Independent minutes: close to 90 %; the binomial deviation of 120 trials is 2.7 %.
    assert 0.83 <= covered(30, 1, 0.0, 120) <= 0.97
    # With a memory, single steps are drawn as if they had none, and their intervals are too narrow;
    # stretches as long as the memory are not fooled.
    assert covered(240, 1, 0.8, 40) < 0.65 < 0.7 < covered(240, 16, 0.8, 40)
