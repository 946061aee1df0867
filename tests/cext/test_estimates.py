"""The estimators against their oracles, hand-worked numbers and the markets they are made for."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext.estimates import Arrivals, OrderFlow, Slopes, Volatility
from tests.oracle.estimates import OracleArrivals, OracleFlow, OracleSlopes, OracleVolatility

CHECKED = settings(max_examples=60, deadline=None, derandomize=True)
SECOND = 1_000_000_000
STEP = 100_000_000
STEPS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(-40, 40), st.integers(-10, 10)), max_size=60
)


def test_volatility_of_a_hand_worked_series() -> None:
    kernel = Volatility(30.0, 600.0, 7.0, 0.2, 50.0)
    price, now = 10_000.0, 0
    for number in range(31):
        assert kernel.sigma == 7.0
        kernel.update(now, price)
        # A basis point up or down every tenth of a second: 10 bps^2 a second.
        price *= 1.0001 if number % 2 else 1 / 1.0001
        now += STEP
    assert kernel.sigma == pytest.approx(math.sqrt(10.0), rel=1e-3)


def test_a_crash_widens_at_once_and_not_for_long() -> None:
    kernel = Volatility(30.0, 600.0, 1.0, 0.2, 50.0)
    dice = random.Random(1)
    price, now = 100_000.0, 0
    for _ in range(3000):
        kernel.update(now, price)
        price *= 1 + dice.gauss(0, 1e-4 * math.sqrt(0.1))
        now += STEP
    calm = kernel.sigma
    assert calm == pytest.approx(1.0, rel=0.15)
    kernel.update(now, price * 0.99)
    assert kernel.sigma > 10 * calm
    price *= 0.99
    for _ in range(3000):
        now += STEP
        price *= 1 + dice.gauss(0, 1e-4 * math.sqrt(0.1))
        kernel.update(now, price)
    # Five minutes later; taken in whole by the slow one it would still be above 3.
    assert kernel.sigma < 1.5 * calm


@CHECKED
@given(STEPS)
def test_volatility_equals_the_oracle(steps: list[tuple[int, int, int]]) -> None:
    kernel, oracle = (kind(2.0, 20.0, 1.0, 0.2, 50.0) for kind in (Volatility, OracleVolatility))
    now, price = SECOND, 10_000.0
    for wait, moved, back in steps:
        now = max(0, now + wait * STEP // 2 - (STEP if back == 10 else 0))
        price = max(1.0, price + moved)
        kernel.update(now, price)
        oracle.update(now, price)
        assert kernel.sigma == pytest.approx(oracle.sigma, rel=1e-9)


@pytest.mark.parametrize(("sigma", "answer"), [(0.0, 0.2), (1e9, 50.0)])
def test_volatility_has_bounds(sigma: float, answer: float) -> None:
    kernel = Volatility(30.0, 600.0, 1.0, 0.2, 50.0)
    for number in range(50):
        kernel.update(number * STEP, 10_000.0 * (1 + (number % 2) * sigma * 1e-4))
    assert kernel.sigma == answer


def test_slopes_are_the_priors_until_something_matured() -> None:
    kernel = Slopes(SECOND, 120.0, 50.0, (0.3, 0.8))
    for number in range(10):
        kernel.update(number * STEP, 10_000.0, 1.0, 1.0, 5.0)
        assert kernel.slopes == pytest.approx((0.3, 0.8))
    assert kernel.matured == 0


def test_a_slope_worked_by_hand() -> None:
    kernel = Slopes(SECOND, 1e9, 2.0, (0.0, 0.0))
    kernel.update(0, 10_000.0, 1.0, 0.0, 100.0)
    kernel.update(SECOND, 10_003.0, 0.0, 0.0, 100.0)
    # One sample of x 1 and y 3 bps, and a ridge of 2: 3 / (1 + 2).
    assert kernel.slopes == pytest.approx((1.0, 0.0))


def test_slopes_find_what_moves_a_market() -> None:
    kernel = Slopes(SECOND, 600.0, 50.0, (0.0, 0.0))
    dice = random.Random(2)
    price, imbalance, outside = 10_000.0, 0.0, 0.0
    ahead: list[float] = []
    for number in range(20_000):
        imbalance, outside = dice.uniform(-1, 1), dice.gauss(0, 2)
        kernel.update(number * STEP, price, imbalance, outside, 100.0)
        ahead.append((0.6 * imbalance + 0.5 * outside) * 1e-4)
        if len(ahead) >= 10:
            price *= 1 + ahead.pop(0) + dice.gauss(0, 0.2e-4)
    # A signal moves the price ten steps later, so a second ahead sees just this one of it.
    assert kernel.slopes == pytest.approx((0.6, 0.5), abs=0.2)


@CHECKED
@given(STEPS)
def test_slopes_equal_the_oracle(steps: list[tuple[int, int, int]]) -> None:
    kernel = Slopes(SECOND, 5.0, 3.0, (0.3, 0.8))
    oracle = OracleSlopes(SECOND, 5.0, 3.0, (0.3, 0.8))
    now, price = 0, 10_000.0
    for wait, moved, second in steps:
        now += (wait + 1) * STEP
        price = max(1.0, price + moved)
        kernel.update(now, price, moved / 40, second / 2, 20.0)
        oracle.update(now, price, moved / 40, second / 2, 20.0)
        assert kernel.slopes == pytest.approx(oracle.slopes, rel=1e-7, abs=1e-9)
        assert kernel.matured == len(oracle.matured)


def test_time_that_goes_back_is_left_out() -> None:
    slopes, volatility = Slopes(SECOND, 5.0, 3.0, (0.3, 0.8)), Volatility(1, 2, 1, 0.2, 50)
    arrivals, flow = Arrivals(600.0, 20.0, 0.4, 1.4), OrderFlow()
    for now in (5 * SECOND, 4 * SECOND):
        slopes.update(now, 100.0, 0.0, 0.0, 1.0)
        volatility.update(now, 100.0)
        arrivals.update(now, 1.0, 1.0, 0.5)
        flow.quotes(now, 10, 1, 11, 1)
    each: list[Slopes | Volatility | Arrivals | OrderFlow] = [slopes, volatility, arrivals, flow]
    assert [kernel.ignored for kernel in each] == [1, 1, 1, 1]


def test_arrivals_worked_by_hand() -> None:
    kernel = Arrivals(1e9, 3.5, 0.4, 1.4)
    kernel.update(0, math.nan, math.nan, 0.5)
    for number, reached in enumerate((1.0, 1.5, 2.0, 2.5), 1):
        kernel.update(number * 10 * SECOND, reached, 0.4, 0.5)
        assert (number == 4) == (kernel.rates != (0.4, 1.4))
    # Excesses 0.5, 1, 1.5 and 2 over 40 s: k = 4 / 5, A = 4 / 80 * exp(0.8 * 0.5).
    assert kernel.rates == pytest.approx((0.05 * math.exp(0.4), 0.8))


def test_arrivals_find_the_tail_they_were_drawn_from() -> None:
    kernel = Arrivals(1e6, 20.0, 0.4, 1.4)
    dice = random.Random(3)
    for number in range(40_000):
        # A 0.5 and k 1.1, of which those beyond 1 bp are seen: exp(-1.1) of them.
        sides = [
            1.0 + dice.expovariate(1.1) if dice.random() < 0.05 * math.exp(-1.1) else math.nan
            for _ in range(2)
        ]
        kernel.update(number * STEP, sides[0], sides[1], 1.0)
    assert kernel.rates == pytest.approx((0.5, 1.1), rel=0.1)
    assert kernel.misfit < 16.27


def test_a_tail_that_is_not_exponential_is_a_misfit() -> None:
    kernel = Arrivals(1e6, 20.0, 0.4, 1.4)
    for number in range(4_000):
        kernel.update(number * STEP, 2.0, math.nan, 1.0)
    assert kernel.misfit > 100


@CHECKED
@given(STEPS)
def test_arrivals_equal_the_oracle(steps: list[tuple[int, int, int]]) -> None:
    kernel, oracle = (kind(20.0, 3.0, 0.4, 1.4) for kind in (Arrivals, OracleArrivals))
    now = 0
    for wait, bought, sold in steps:
        now += wait * STEP
        reached = (bought / 7 if bought > 0 else math.nan, sold / 3 if sold > 0 else math.nan)
        for each in (kernel, oracle):
            each.update(now, *reached, 0.4 + 0.01 * (wait % 3))
        assert kernel.rates == pytest.approx(oracle.rates, rel=1e-9)


@CHECKED
@given(STEPS)
def test_flow_equals_the_oracle(steps: list[tuple[int, int, int]]) -> None:
    kernel, oracle = OrderFlow(), OracleFlow()
    now, bid = 0, 1000
    for wait, lots, moved in steps:
        now += wait * STEP
        for each in (kernel, oracle):
            if lots < -20:
                each.traded(now, lots + 41, moved + 10)
            else:
                each.quotes(now, bid + moved, lots + 21, bid + moved + 2 + wait, lots + 30)
        assert kernel.imbalances == pytest.approx(oracle.over(oracle.changes), rel=1e-9, abs=1e-9)
        signed = oracle.over(oracle.trades)
        assert kernel.signed_trades == pytest.approx(signed, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Volatility(1, 2, 1, 0.2, 50).update(0, bad)
    with pytest.raises(ValueError, match="finite"):
        Slopes(SECOND, 5.0, 3.0, (0.3, 0.8)).update(0, 100.0, bad, 0.0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        Arrivals(600.0, 20.0, 0.4, 1.4).update(0, 1.0, 1.0, bad)
    for make in (lambda: Volatility(bad, 2, 1, 0.2, 50), lambda: Slopes(SECOND, 5.0, bad, (0, 0))):
        with pytest.raises(ValueError, match="finite and positive"):
            make()
