"""The optimal band and what hedges may cost: the notes' example, a walk, the end of the day."""

from decimal import Decimal
from math import isnan, nan
from random import Random
from typing import Any

import pytest

from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.hedging.engine import LEAST_BAND, CostBudget, HedgeParams, HedgingEngine, OptimalBand

# 10,000 USD, and 100 USD a lot: a tenth of the unit of 1,000 USD.
HALF_TICKS, BEST = 200_000, (99_999, 100_001)
MARKET = Market("M", Decimal("0.1"), Decimal("0.01"), min_lots=1)
DAY_NS = 86_400 * 10**9
# A basis point in ticks.
BPS = 10.0


def params(**settings: Any) -> HedgeParams:
    usual: dict[str, Any] = {
        "enabled": True,
        "band": "optimal",
        "cost_bps": 4,
        "risk_aversion": 0.001,
    }
    return HedgeParams(**(usual | settings))


def wandered(wander: float, **settings: Any) -> OptimalBand:
    """A band that has seen a position move by a lot back and forth, for hours."""
    band = OptimalBand(params(**settings), MARKET)
    step_ns = round(0.1**2 / wander * 1e9)
    for number in range(20_000):
        band.take(number % 2, HALF_TICKS, number * step_ns)
    return band


def test_the_example_of_the_notes() -> None:
    # nu^2 0.011, c 4, sigma 1.1, gamma 0.001: (3 * 4 * 0.011 / (2 * 0.001 * 1.21)) ^ 1/3.
    band = wandered(0.011)
    assert band.threshold(1.1 * BPS, HALF_TICKS) == pytest.approx(3.79, abs=0.02)


@pytest.mark.parametrize(
    ("cost_bps", "sigma_bps", "gamma", "wander"),
    [(4.0, 1.1, 0.001, 0.011), (8.0, 0.5, 0.001, 0.05), (2.0, 1.0, 0.0001, 0.02)],
)
def test_no_other_band_costs_less(
    cost_bps: float, sigma_bps: float, gamma: float, wander: float
) -> None:
    band = wandered(wander, cost_bps=cost_bps, risk_aversion=gamma)
    found = band.threshold(sigma_bps * BPS, HALF_TICKS)

    def rate(h: float) -> float:
        return gamma * sigma_bps**2 * h * h / 6 + cost_bps * wander / (2 * h)

    best = min((number / 100 for number in range(300, 10_000)), key=rate)
    assert found == pytest.approx(best, rel=0.01)


def test_a_walk_between_its_walls_is_cheapest_there() -> None:
    # Units, basis points and seconds; a step a second, so that nu^2 is its square.
    step, cost_bps, gamma, sigma_bps = 0.1, 4.0, 0.001, 1.1
    h = wandered(step**2).threshold(sigma_bps * BPS, HALF_TICKS)

    def paid(wall: float) -> float:
        dice, held, total = Random(5), 0.0, 0.0
        for _ in range(300_000):
            held += step if dice.random() < 0.5 else -step
            over = abs(held) - wall
            if over > 0:
                total += cost_bps * over
                held = wall if held > 0 else -wall
            total += gamma * sigma_bps**2 * held * held / 2
        return total

    assert paid(h) < paid(h / 1.8)
    assert paid(h) < paid(h * 1.8)


def test_it_is_never_narrow_and_never_a_guess() -> None:
    assert wandered(0.00001).threshold(5 * BPS, HALF_TICKS) == LEAST_BAND
    band = wandered(0.011)
    assert isnan(band.threshold(nan, HALF_TICKS))
    assert isnan(band.threshold(0.0, HALF_TICKS))
    assert isnan(band.threshold(BPS, 0))
    assert isnan(OptimalBand(params(), MARKET).threshold(BPS, HALF_TICKS))


def test_what_is_over_the_band_goes_back_to_its_half() -> None:
    engine = HedgingEngine(params(min_interval_ms=0), MARKET)
    sigma = 1.1 * BPS
    now_ns = 0
    for number in range(20_000):
        assert engine.decide(0.0, number % 2, BEST, now_ns, sigma) is None
        now_ns += 909_090_909
    # A lot at a time, as far as it has wandered before: 3.79 units are 37.9 lots, half 18.95.
    for lots in range(1, 38):
        assert engine.decide(0.0, -lots, BEST, now_ns, sigma) is None
        now_ns += 909_090_909
    hedge = engine.decide(0.0, -38, BEST, now_ns, sigma)
    assert hedge is not None
    assert (hedge.side, hedge.lots) == (Side.BID, 19)


def test_without_knowledge_it_is_the_share_of_the_limit() -> None:
    engine = HedgingEngine(params(threshold_pct=35, fraction_pct=30), MARKET)
    assert engine.decide(0.3, 1000, BEST, 0) is None
    hedge = engine.decide(0.4, 1000, BEST, 0)
    assert hedge is not None
    assert hedge.lots == 300


def test_costs_stop_it_until_the_next_day() -> None:
    engine = HedgingEngine(params(daily_cost_limit_usd=10, min_interval_ms=0), MARKET)
    noon = 10 * DAY_NS + DAY_NS // 2
    engine.budget.spend(9_999_999, noon)
    assert engine.decide(0.9, 1000, BEST, noon) is not None
    engine.settle()
    engine.budget.spend(1, noon)
    assert engine.decide(0.9, 1000, BEST, noon) is None
    assert engine.decide(0.9, 1000, BEST, 11 * DAY_NS - 1) is None
    assert engine.decide(0.9, 1000, BEST, 11 * DAY_NS) is not None


def test_a_gain_gives_nothing_back() -> None:
    budget = CostBudget(1.0)
    budget.spend(1_000_000, 0)
    budget.spend(-5_000_000, 1)
    assert not budget.left(2)
