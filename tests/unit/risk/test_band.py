from math import nan

import pytest

from mmbot.risk.band import PriceBand


@pytest.mark.parametrize(
    ("ticks", "allowed"), [(10_150, True), (10_151, False), (9_850, True), (9_849, False)]
)
def test_150_bps_around_the_index(ticks: int, allowed: bool) -> None:
    band = PriceBand(150)
    band.index_ticks = 10_000.0
    assert band.allows(ticks, None, needs_index=True) is allowed
    assert band.allows(ticks, None, needs_index=False)


@pytest.mark.parametrize("index", [None, nan, 0.0, -5.0])
def test_no_index_no_order(index: float | None) -> None:
    band = PriceBand(150)
    band.index_ticks = index
    assert not band.allows(10_000, None, needs_index=True)
    assert band.allows(10_000, None, needs_index=False)


@pytest.mark.parametrize(
    ("reference", "allowed"), [(10_000.0, True), (9_800.0, False), (10_204.0, True), (nan, False)]
)
def test_two_percent_around_the_reference(reference: float, allowed: bool) -> None:
    assert PriceBand(150).allows(10_000, reference, needs_index=False) is allowed
