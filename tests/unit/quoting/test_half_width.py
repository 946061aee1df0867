"""Half widths against hand-worked numbers, their limits, and a whole range of parameters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.quoting.half_width import (
    avellaneda,
    avellaneda_shift,
    by_volatility,
    glft,
    glft_shift,
    inventory_slope,
    price_of_waiting,
)

GAMMAS = st.one_of(st.just(0.0), st.floats(1e-12, 1000.0))
DECAYS = st.floats(0.02, 20.0)
RATES = st.tuples(st.floats(1e-4, 50.0), DECAYS)
SIGMAS = st.floats(0.0, 50.0)


def test_volatility_by_hand() -> None:
    assert by_volatility(1.2, 2.5) == pytest.approx(3.0)


def test_avellaneda_by_hand() -> None:
    # 0.5 * 0.1 * 2^2 * 10 = 2; log(1 + 0.1 / 0.5) / 0.1 = 1.8232; a fee of 1.
    assert avellaneda(0.1, 2.0, 0.5, 10.0, 1.0) == pytest.approx(4.823215567939546)
    # Three units long, 0.1 * 4 * 10 each.
    assert avellaneda_shift(3.0, 0.1, 2.0, 10.0) == pytest.approx(-12.0)


def test_glft_by_hand() -> None:
    # c1 1.8232; c2 = sqrt(0.1 / (2 * 0.4 * 0.5) * 1.2^6) = sqrt(0.25 * 2.985984) = 0.864.
    assert inventory_slope(0.1, (0.4, 0.5)) == pytest.approx(0.864)
    assert glft(0.1, 2.0, (0.4, 0.5), 0.0) == pytest.approx(1.8232155679395459 + 0.864)
    assert glft_shift(-2.0, 0.1, 2.0, (0.4, 0.5)) == pytest.approx(3.456)


@pytest.mark.parametrize("k", [0.02, 1.0, 20.0])
def test_without_risk_aversion_only_the_decay_counts(k: float) -> None:
    assert price_of_waiting(0.0, k) == 1 / k
    assert inventory_slope(0.0, (0.4, k)) == 0.0
    # Just above and just below where the limit takes over.
    edge = 1e-6 * k
    assert price_of_waiting(edge * 1.01, k) == pytest.approx(price_of_waiting(edge * 0.99, k), 1e-5)
    above, below = (inventory_slope(edge * each, (0.4, k)) for each in (1.001, 0.999))
    assert above == pytest.approx(below, 2e-3)


@given(GAMMAS, SIGMAS, RATES)
def test_every_width_is_a_positive_number(
    gamma: float, sigma: float, arrivals: tuple[float, float]
) -> None:
    widths = [glft(gamma, sigma, arrivals, 0.0), avellaneda(gamma, sigma, arrivals[1], 10.0, 0.0)]
    assert all(math.isfinite(each) and each > 0 for each in widths)


@given(GAMMAS, SIGMAS, RATES, st.floats(-100, 100), st.floats(-100, 100))
def test_shifts_lean_toward_flat_and_grow_with_the_position(
    gamma: float, sigma: float, arrivals: tuple[float, float], units: float, other: float
) -> None:
    less, more = sorted((units, other))
    shifts = [
        (glft_shift(held, gamma, sigma, arrivals), avellaneda_shift(held, gamma, sigma, 10.0))
        for held in (less, more)
    ]
    for at_less, at_more in zip(*shifts, strict=True):
        assert at_less * less <= 0
        assert at_more * more <= 0
        assert at_more <= at_less


@given(st.floats(1e-3, 10.0), st.floats(0.1, 10.0), RATES)
def test_wider_where_more_is_risked(
    gamma: float, sigma: float, arrivals: tuple[float, float]
) -> None:
    assert glft(gamma, 2 * sigma, arrivals, 0.0) > glft(gamma, sigma, arrivals, 0.0)
    assert glft(gamma, sigma, arrivals, 1.0) == pytest.approx(glft(gamma, sigma, arrivals, 0) + 1)
