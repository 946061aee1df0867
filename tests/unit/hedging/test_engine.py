"""Hedging: by hand, its bounds for any position, and its pace."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.hedging.engine import Hedge, HedgeParams, HedgingEngine

MILLISECOND = 10**6


def market(min_lots: int = 1) -> Market:
    return Market("M", Decimal("0.1"), Decimal("0.01"), min_lots=min_lots)


def hedging(min_lots: int = 10, **settings: Any) -> HedgingEngine:
    return HedgingEngine(HedgeParams(**({"enabled": True} | settings)), market(min_lots))


@pytest.mark.parametrize(
    ("ratio", "lots", "hedge"),
    [
        # 30 % of 1000; 15 bps of 100000 ticks are 150, of 100010 they are 150.015.
        (0.5, 1000, Hedge(Side.ASK, 99_850, 300)),
        (-0.5, -1000, Hedge(Side.BID, 100_160, 300)),
        (1.0, 1009, Hedge(Side.ASK, 99_850, 302)),
        # 35 % is not above 35 %.
        (0.35, 1000, None),
        (-0.35, -1000, None),
        (0.3500001, 1000, Hedge(Side.ASK, 99_850, 300)),
        # A third of 20 lots is too small to send: the smallest order instead.
        (0.9, 20, Hedge(Side.ASK, 99_850, 10)),
        (0.9, 10, Hedge(Side.ASK, 99_850, 10)),
        (-0.9, -10, Hedge(Side.BID, 100_160, 10)),
        # Less than the smallest order cannot be hedged.
        (0.9, 9, None),
        (0.0, 0, None),
        (float("nan"), 1000, None),
    ],
)
def test_by_hand(ratio: float, lots: int, hedge: Hedge | None) -> None:
    assert hedging().decide(ratio, lots, (100_000, 100_010), 0) == hedge


def test_the_band_rounds_inwards() -> None:
    # 15 bps of 1999 are 2.9985: two ticks, never three.
    assert hedging().decide(1.0, 100, (1999, 2001), 0) == Hedge(Side.ASK, 1997, 30)
    # 15 bps of 2001 are 3.0015.
    assert hedging().decide(-1.0, -100, (1999, 2001), 0) == Hedge(Side.BID, 2004, 30)
    # Below a tick the band is the best price itself.
    assert hedging().decide(1.0, 100, (7, 8), 0) == Hedge(Side.ASK, 7, 30)


def test_off_by_default() -> None:
    assert not HedgeParams().enabled
    assert HedgingEngine(HedgeParams(), market()).decide(1.0, 10**6, (100, 101), 0) is None


@pytest.mark.parametrize(("lots", "best_bid", "best_ask"), [(100, 0, 101), (-100, 100, 0)])
def test_nobody_to_trade_with(lots: int, best_bid: int, best_ask: int) -> None:
    engine = hedging()
    assert engine.decide(1.0, lots, (best_bid, best_ask), 0) is None
    # A hedge that was not sent is not in flight.
    assert engine.decide(1.0, lots, (100, 101), 0) is not None


def test_only_the_opposite_side_is_needed() -> None:
    assert hedging().decide(1.0, 100, (100_000, 0), 0) == Hedge(Side.ASK, 99_850, 30)
    assert hedging().decide(-1.0, -100, (0, 100_010), 0) == Hedge(Side.BID, 100_160, 30)


def test_one_in_flight_and_an_interval_between_two() -> None:
    engine = hedging(min_interval_ms=2000)

    def hedges(at_ms: int) -> bool:
        return engine.decide(1.0, 100, (1000, 1001), at_ms * MILLISECOND) is not None

    assert hedges(5000)
    # Not settled: nothing, however long it takes.
    assert not hedges(6000)
    assert not hedges(600_000)
    engine.settle()
    assert hedges(600_000)
    engine.settle()
    # Settled at once, but the interval runs from the last hedge.
    assert not hedges(601_999)
    assert not hedges(1000)
    assert hedges(602_000)


def test_no_interval() -> None:
    engine = hedging(min_interval_ms=0)
    for _ in range(3):
        assert engine.decide(1.0, 100, (1000, 1001), 7) is not None
        engine.settle()


@settings(max_examples=200)
@given(
    st.integers(-(10**9), 10**9),
    st.integers(1, 10**9),
    st.integers(1, 100),
    st.floats(0.5, 100),
    st.floats(0.01, 1000),
)
def test_it_only_ever_reduces_within_the_band(
    lots: int, best_bid: int, min_lots: int, fraction: float, slippage: float
) -> None:
    engine = hedging(min_lots, fraction_pct=fraction, max_slippage_bps=slippage)
    hedge = engine.decide(1.0, lots, (best_bid, best_bid + 3), 0)
    if abs(lots) < min_lots:
        assert hedge is None
        return
    assert hedge is not None
    assert hedge.side == (Side.ASK if lots > 0 else Side.BID)
    assert min_lots <= hedge.lots <= abs(lots)
    share = abs(lots) * Fraction(fraction) / 100
    assert hedge.lots <= max(Fraction(min_lots), share + Fraction(abs(lots), 10**9))
    assert hedge.lots >= share - 1 - Fraction(abs(lots), 10**9)
    opposite = best_bid if lots > 0 else best_bid + 3
    away = (opposite - hedge.ticks) * (1 if lots > 0 else -1)
    band = opposite * Fraction(slippage) / 10**4
    assert 0 <= away <= band + Fraction(opposite, 10**9)
    assert away > band - 1 - Fraction(opposite, 10**9)
    assert hedge.ticks > 0
