"""Slices of a close: hand-worked numbers, limits, and that it always ends."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.engine.flattening import Flattening
from mmbot.hedging.slicing import Slicing, left_share
from tests.unit.quoting.scene import SECOND, book


def test_by_hand() -> None:
    # sinh(1) / sinh(2) = 1.1752 / 3.6269.
    assert left_share(30.0, 60.0, 2.0) == pytest.approx(0.32402713683)


@pytest.mark.parametrize("urgency", [0.0, 1e-9, 1e-3, 2e-3])
def test_without_urgency_it_is_a_straight_line(urgency: float) -> None:
    assert left_share(15.0, 60.0, urgency) == pytest.approx(0.75, abs=1e-6)


def test_the_most_urgent_is_at_once() -> None:
    assert left_share(0.1, 60.0, 1e6) == 0.0
    assert left_share(0.0, 60.0, 1e6) == 1.0


@given(st.floats(0, 200), st.floats(0, 200), st.floats(1e-3, 100), st.floats(0, 1e4))
def test_it_only_falls_and_it_ends(one: float, other: float, over_s: float, urgency: float) -> None:
    early, late = (left_share(each, over_s, urgency) for each in sorted((one, other)))
    assert 0.0 <= late <= early <= 1.0
    assert left_share(over_s, over_s, urgency) == 0.0
    # More urgent: never more left.
    assert left_share(one, over_s, urgency * 2) <= left_share(one, over_s, urgency) + 1e-12
    assert math.isfinite(early)


def test_a_position_is_closed_slice_by_slice() -> None:
    # A hundred lots over 40 s, in slices 2 s apart; none is smaller than 5.
    flattening = Flattening(5_000_000, Slicing(40.0), min_lots=5)
    held, sent = 100, []
    for second in range(50):
        hedge = flattening.order(book(), held, second * SECOND) if held else None
        if hedge is not None:
            assert hedge.side is Side.ASK
            held -= hedge.lots
            sent.append((second, hedge.lots))
    assert sent[:3] == [(2, 5), (4, 5), (6, 5)]
    assert (held, sum(lots for _, lots in sent)) == (0, 100)
    assert 38 <= sent[-1][0] <= 40
    # Half way through half of it is left.
    assert sum(lots for second, lots in sent if second <= 20) == 50


def test_what_no_order_could_be_made_of_is_never_left_behind() -> None:
    flattening = Flattening(5_000_000, Slicing(40.0), min_lots=60)
    assert flattening.order(book(), 100, 0) is None
    hedge = flattening.order(book(), 100, 20 * SECOND)
    assert hedge is not None
    assert hedge.lots == 100
