"""Gate: every way in which the inputs can be unfit, alone, and at its very limit."""

from typing import Any

import pytest

from mmbot.quoting.gate import Gate
from mmbot.quoting.state import QuotingState, Top
from tests.unit.quoting.scene import SECOND, USD, limits, state

GATE = Gate(2, limits(), needs_free=True)
NAN = float("nan")
INF = float("inf")


def top(
    best_bid: int = 1000,
    best_ask: int = 1001,
    mid: float | None = None,
    bid_levels: int = 2,
    ask_levels: int = 2,
) -> Top:
    middle = (best_bid + best_ask) / 2 if mid is None else mid
    return (best_bid, best_ask, 5, 5, 0.0, middle, bid_levels, ask_levels)


def test_a_healthy_market_is_quoted() -> None:
    assert GATE.reason(state(), top()) is None


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (top(bid_levels=1), "fewer than 2 levels on a side"),
        (top(ask_levels=1), "fewer than 2 levels on a side"),
        (top(bid_levels=0, ask_levels=0, mid=NAN), "fewer than 2 levels on a side"),
        (top(1001, 1001), "book crossed or locked"),
        (top(1002, 1001), "book crossed or locked"),
        (top(mid=NAN), "mid not a positive number"),
        (top(mid=INF), "mid not a positive number"),
        (top(-1, 1), "mid not a positive number"),
        (top(-5, 1), "mid not a positive number"),
        # 51 ticks of 1000.5 are 5.1 %; 50 of 1000 are 5 % to the point.
        (top(975, 1026), "book spread above 500 bps"),
        (top(975, 1025), None),
    ],
)
def test_the_book_must_be_healthy(seen: Top, reason: str | None) -> None:
    assert GATE.reason(state(), seen) == reason


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"book_ts_ns": None}, "no book"),
        ({"book_ts_ns": 98 * SECOND + 1}, None),
        ({"book_ts_ns": 98 * SECOND}, "book older than 2000 ms"),
        ({"book_ts_ns": 1}, "book older than 2000 ms"),
        # The clock of the receiver stepped back: the book is not old.
        ({"book_ts_ns": 101 * SECOND}, None),
        ({"equity_uusd": None}, "equity unknown"),
        ({"equity_uusd": 0}, "equity not positive"),
        ({"equity_uusd": -1}, "equity not positive"),
        ({"equity_uusd": 1}, None),
        ({"free_uusd": None}, "free collateral unknown"),
        ({"free_uusd": 0}, None),
    ],
)
def test_figures_must_be_there_and_fresh(known: dict[str, Any], reason: str | None) -> None:
    assert GATE.reason(state(**known), top()) == reason


def test_free_collateral_is_asked_for_only_where_it_is_used() -> None:
    assert Gate(2, limits(), needs_free=False).reason(state(free_uusd=None), top()) is None


def test_a_state_nobody_filled_is_refused() -> None:
    fresh = QuotingState(state().market, state().book)
    assert GATE.reason(fresh, top()) == "no book"
    fresh.book_ts_ns = 0
    assert GATE.reason(fresh, top()) == "equity unknown"
    fresh.equity_uusd = USD
    assert GATE.reason(fresh, top()) == "free collateral unknown"


def test_one_level_is_enough_when_asked_for() -> None:
    gate = Gate(1, limits(), needs_free=False)
    assert gate.reason(state(), top(bid_levels=1, ask_levels=1)) is None
    assert gate.reason(state(), top(ask_levels=0)) == "fewer than 1 levels on a side"
