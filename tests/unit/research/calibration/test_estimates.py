"""Estimates against markets made with known numbers, and small ones worked by hand."""

from math import exp, log
from random import Random
from typing import Any

import pytest

from mmbot.research.calibration.estimates import (
    arrivals,
    blocks_of,
    bootstrapped,
    imbalance,
    misfit,
    order_flow,
    volatility,
)
from mmbot.research.calibration.looks import Look, Stretch, stretch_of
from mmbot.research.contest.paired import Estimate

STEP_NS = 100_000_000
MID = 1_000_000.0


def still(count: int, **changes: int) -> list[Look]:
    """Looks at a market that does not move: 2 ticks of 0.01 bps wide around MID."""
    plain: dict[str, Any] = {
        "bid_lots": 5,
        "ask_lots": 5,
        "bought_ticks": 0,
        "sold_ticks": 0,
    } | changes
    return [Look((n + 1) * STEP_NS, int(MID) - 1, ask=int(MID) + 1, **plain) for n in range(count)]


def visited(a: float, k: float, seconds: int, seed: int) -> Stretch:
    """Takers come to either side of a still market; at least x bps far at a rate A exp(-kx)."""
    random = Random(seed)
    looks = []
    for look in still(seconds * 10):
        far = {1: 0.0, -1: 0.0}
        for side in far:
            wait = random.expovariate(a)
            while wait < 0.1:
                far[side] = max(far[side], random.expovariate(k))
                wait += random.expovariate(a)
        looks.append(
            look._replace(
                bought_ticks=round(MID * (1 + far[1] * 1e-4)) if far[1] else 0,
                sold_ticks=round(MID * (1 - far[-1] * 1e-4)) if far[-1] else 0,
            )
        )
    return stretch_of(STEP_NS, looks)


def holds(found: Estimate | None, truth: float) -> bool:
    """Whether the interval does."""
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


@pytest.mark.parametrize(("a", "k"), [(0.4, 1.4), (0.1, 0.5)])
def test_arrivals_with_a_known_rate_and_decay(a: float, k: float) -> None:
    found = arrivals(visited(a, k, 4000, 3), 0.05, seed=1)
    assert found is not None
    count = found.trades_count
    assert count == pytest.approx(2 * a * 4000, rel=0.15)
    # An exponential's rate is known to one part in the root of the count.
    assert found.decay_per_bps.value == pytest.approx(k, rel=3 / count**0.5)
    assert found.arrivals_per_s.value == pytest.approx(a, rel=4 / count**0.5)
    width = (found.decay_per_bps.high or 0) - (found.decay_per_bps.low or 0)
    assert width == pytest.approx(2 * 1.645 * k / count**0.5, rel=0.35)
    assert found.misfit_p > 0.01


def test_nine_of_ten_intervals_hold_the_decay() -> None:
    found = [arrivals(visited(0.5, 1.0, 300, seed), 0.0, seed) for seed in range(25)]
    assert sum(each is not None and holds(each.decay_per_bps, 1.0) for each in found) >= 18


def test_what_is_no_exponential_is_told() -> None:
    random = Random(5)
    flat = [random.uniform(0, 2) for _ in range(800)]
    square, chance = misfit(flat, 1.0)
    assert square > 50
    assert chance < 1e-6
    # Quantiles of the exponential itself fit better than chance would have it.
    quantiles = [-log(1 - (n + 0.5) / 800) for n in range(800)]
    assert misfit(quantiles, 1.0) == (0.0, 1.0)
    # One bin of eight empty, the others 8/7 of their share: 16 x (1/7^2 x 7 + 1) = 128/7.
    eighths = [-log(1 - (n + 0.5) / 8) for n in range(7)] * 16
    assert misfit(eighths, 1.0)[0] == pytest.approx(14 * (7 / 49 + 1))


def test_chi_square_of_six_degrees() -> None:
    # The 5 % point of the table is 12.592: 1 - 0.95 from the closed form.
    half = 12.592 / 2
    assert exp(-half) * (1 + half + half * half / 2) == pytest.approx(0.05, abs=1e-4)


def test_few_trades_no_arrivals() -> None:
    assert arrivals(stretch_of(STEP_NS, still(1000)), 0.05, seed=1) is None


def moving(moves_bps: list[float], imbalances: list[float] | None = None) -> Stretch:
    """A market whose mid moves so, by step."""
    looks, mid = [], 1e8
    for n, move in enumerate(moves_bps):
        lots = 0.0 if imbalances is None else imbalances[n]
        bid = round(mid) - 1
        looks.append(
            Look(n * STEP_NS, bid, round(500 + 500 * lots), bid + 2, round(500 - 500 * lots), 0, 0)
        )
        mid *= 1 + move * 1e-4
    return stretch_of(STEP_NS, looks)


@pytest.mark.parametrize("lag_s", [0.1, 1.0])
def test_volatility_of_a_random_walk(lag_s: float) -> None:
    random = Random(2)
    # 0.5 bps a step of 0.1 s: 0.5 / sqrt(0.1) = 1.581 per root second.
    found = volatility(moving([random.gauss(0, 0.5) for _ in range(20_000)]), lag_s, seed=1)
    assert found is not None
    assert found.value == pytest.approx(0.5 / 0.1**0.5, rel=0.05)
    assert holds(found, 0.5 / 0.1**0.5)


def test_volatility_by_hand() -> None:
    # Moves of +1 and -1 bps: squares of 1 every 0.1 s.
    found = volatility(moving([1.0, -1.0] * 60), 0.1, seed=1)
    assert found is not None
    assert found.value == pytest.approx(10**0.5, rel=1e-4)
    assert found.low is None


def test_the_slope_that_imbalance_was_given() -> None:
    random = Random(8)
    leans = [random.uniform(-1, 1) for _ in range(900) for _ in range(10)]
    # Each step's lean moves the next by 0.06 bps a unit: it alone is foretold, of ten steps.
    moves = [0.06 * lean + random.gauss(0, 0.1) for lean in leans]
    found = imbalance(moving(moves, leans), seed=1)
    assert found is not None
    assert holds(found.slope_bps, 0.06)
    # 0.06^2/3 of 0.06^2/3 + 10 x 0.1^2 + 9 x 0.06^2/3.
    assert found.r_squared == pytest.approx(0.0012 / 0.112, rel=0.6)


def test_the_slope_that_order_flow_was_given() -> None:
    random = Random(4)
    flows = [random.uniform(-3, 3) for _ in range(9000)]
    market = moving([0.06 * flow + random.gauss(0, 0.1) for flow in flows])
    looks = [look._replace(flow=flow) for look, flow in zip(market.looks, flows, strict=True)]
    found = order_flow(stretch_of(STEP_NS, looks), seed=1)
    assert found is not None
    assert holds(found.slope_bps, 0.06)


def test_nothing_is_foretold_by_noise() -> None:
    random = Random(9)
    leans = [random.uniform(-1, 1) for _ in range(9000)]
    found = imbalance(moving([random.gauss(0, 0.1) for _ in leans], leans), seed=1)
    assert found is not None
    assert holds(found.slope_bps, 0.0)


def test_blocks_cover_everything_once() -> None:
    stretch = stretch_of(STEP_NS, still(12_345))
    blocks = blocks_of(stretch)
    assert [n for block in blocks for n in block] == list(range(12_345))
    assert len(blocks) == 99
    assert len(blocks_of(stretch_of(STEP_NS, still(250)))) == 2


def test_few_blocks_have_a_value_and_no_interval() -> None:
    assert bootstrapped([[1.0]] * 9, lambda s: s[0], seed=1) == Estimate(9.0, None, None)
    assert bootstrapped([[0.0]] * 20, lambda _: None, seed=1) is None


def test_a_missing_side_keeps_the_mid() -> None:
    looks = [still(1)[0]._replace(bid=0), *still(2), still(1)[0]._replace(ask=0)]
    stretch = stretch_of(STEP_NS, looks)
    assert stretch.mids == [MID, MID, MID]
    assert len(stretch.looks) == 3
    assert stretch.lag(0.0) == 1
    assert stretch.lag(0.05) == 2
    assert stretch.lag(0.1) == 2
    assert stretch.lag(0.11) == 3
