"""MarketMaker: the spec's worked example, signs and limits over random states, odd markets."""

import math
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.market import Market
from mmbot.domain.order import Level
from mmbot.domain.quotes import HOLD, NO_ROOM, Hold, Quotes, Room
from mmbot.quoting.state import QuotingState
from mmbot.quoting.strategy import MarketMaker, Strategy
from tests.unit.quoting.scene import (
    ASKS,
    BIDS,
    BTC,
    INVERSE,
    PLENTY,
    SECOND,
    USD,
    book,
    limits,
    maker,
    state,
)

LONG = 1500  # lots: 0.015 BTC, half the limit of 3000 dollars


def ticks(levels: tuple[Level, ...]) -> list[int]:
    return [level.ticks for level in levels]


@pytest.mark.parametrize(
    ("direction", "bids", "asks", "skew", "reservation"),
    [
        (
            "reduce",
            [996424, 993843, 991262],
            [1001586, 1004167, 1006748],
            -0.001000005,
            999004.98999998,
        ),
        (
            "literal",
            [998419, 995833, 993247],
            [1003591, 1006177, 1008763],
            0.001000005,
            1001005.01000002,
        ),
    ],
)
def test_worked_example(
    direction: str, bids: list[int], asks: list[int], skew: float, reservation: float
) -> None:
    # Spec section 11, prices in ticks of 0.1; a hundred dollars a level.
    strategy = maker(inventory={"direction": direction})
    quotes = strategy.decide(state(position_lots=LONG))
    assert (ticks(quotes.bids), ticks(quotes.asks)) == (bids, asks)
    assert [level.lots for level in quotes.bids + quotes.asks] == [100] * 3 + [99] * 3
    last = strategy.last
    assert (last.reason, last.fair, last.position_ratio) == (None, 1000005.0, 0.5000025)
    assert last.imbalance == pytest.approx(1 / 3, rel=1e-15)
    assert last.spread == pytest.approx(0.00516666666666667, rel=1e-12)
    assert last.skew == pytest.approx(skew, rel=1e-12)
    assert last.reservation == pytest.approx(reservation, abs=1e-7)


def test_flat_is_symmetric() -> None:
    # 0.00516666 / 2 of 100000.5 is 258.33...: 99742.1|66 and 100258.8|34.
    quotes = maker().decide(state())
    assert (ticks(quotes.bids)[0], ticks(quotes.asks)[0]) == (997421, 1002589)
    middle = [bid + ask for bid, ask in zip(ticks(quotes.bids), ticks(quotes.asks), strict=True)]
    assert middle == [2 * 1000005] * 3


def test_our_own_orders_are_not_market_depth() -> None:
    # All of the ask's excess is ours, so the rest of the book is balanced: the narrowest spread.
    seen = book(asks=[(price, 6 * lots) for price, lots in ASKS])
    for price, lots in ASKS:
        seen.set_own(-1, price, 4 * lots)
    own, literal = maker(), maker(fair_price={"exclude_own": False})
    own.decide(state(book=seen))
    literal.decide(state(book=seen))
    # (6 - 6) / 12, and (6 - 18) / 24.
    assert (own.last.imbalance, literal.last.imbalance) == (0.0, -0.5)
    assert own.last.spread == pytest.approx(0.0015)


def test_our_own_best_price_is_not_the_touch() -> None:
    # We alone improve the bid to 99.5: without us the best is 90, and the mid is (90 + 101) / 2.
    seen = book(bids=[(995, 7), (900, 10), (890, 10)], asks=[(1010, 10), (1020, 10)])
    seen.set_own(1, 995, 7)
    strategy = maker(limits=limits(max_book_spread_ratio=0.2))
    strategy.decide(state(book=seen))
    assert strategy.last.fair == 955.0


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"book": book(bids=BIDS[:1])}, "fewer than 2 levels on a side"),
        ({"book": book([], [])}, "fewer than 2 levels on a side"),
        ({"book": book(asks=[])}, "fewer than 2 levels on a side"),
        ({"book_ts_ns": None}, "no book"),
        ({"book_ts_ns": 90 * SECOND}, "book older than 2000 ms"),
        ({"equity_uusd": None}, "equity unknown"),
        ({"equity_uusd": 0, "position_lots": 5}, "equity not positive"),
        ({"room": NO_ROOM}, "no room for bids, no room for asks"),
    ],
)
def test_no_quotes_and_why(known: dict[str, Any], reason: str) -> None:
    strategy = maker()
    assert strategy.last.reason == "no decision yet"
    assert strategy.decide(state(**known)) == Quotes((), (), reason)
    assert strategy.last.reason == reason


def test_percentage_needs_the_free_collateral() -> None:
    strategy = maker(sizing={"mode": "percentage"})
    assert strategy.decide(state(free_uusd=None)).reason == "free collateral unknown"
    assert strategy.decide(state()).reason is None


def test_reference_source() -> None:
    source = {"source": "reference", "reference": {"min_samples_count": 1}}
    strategy = maker(fair_price=source)
    assert strategy.decide(state()) == Quotes((), (), "no reference price")
    assert strategy.last.fair is None
    seen = state(reference_ticks=1000100.0, reference_ts_ns=100 * SECOND)
    strategy.decide(seen)
    assert strategy.last.fair == 1000005.0
    # The outside moves 100 ticks up within the second; we follow before our venue does.
    seen.reference_ticks = 1000200.0
    assert strategy.decide(seen).reason is None
    assert strategy.last.fair == 1000105.0


def test_micro_source() -> None:
    strategy = maker(fair_price={"source": "micro"})
    strategy.decide(state())
    assert strategy.last.fair == pytest.approx(1000006.66666667, abs=1e-7)


class OnlyWhenCalm:
    """A strategy that leaves its quotes alone while the book is one-sided."""

    def __init__(self, inner: Strategy) -> None:
        self.inner = inner

    def decide(self, state: QuotingState) -> Hold | Quotes:
        """Hold in a lopsided book."""
        return HOLD if abs(state.book.top(5, True)[4]) > 0.5 else self.inner.decide(state)


def test_hold_is_not_an_empty_answer() -> None:
    strategy = OnlyWhenCalm(maker())
    heavy = book(bids=[(price, 50 * lots) for price, lots in BIDS])
    assert strategy.decide(state(book=heavy)) is HOLD
    answer = strategy.decide(state(room=NO_ROOM))
    assert answer is not HOLD
    assert answer == Quotes((), (), "no room for bids, no room for asks")


@st.composite
def scenes(draw: st.DrawFn) -> tuple[MarketMaker, QuotingState]:
    """Any market, book, settings and account there might be, healthy or not."""
    market = draw(st.sampled_from([BTC, INVERSE, Market("T", Decimal(1), Decimal("0.01"))]))
    best_bid = draw(st.one_of(st.integers(2, 20), st.integers(2, 2_000_000)))
    best_ask = best_bid + draw(st.one_of(st.integers(1, 3), st.integers(1, 5000)))
    sizes = st.lists(st.integers(1, 10**6), min_size=1, max_size=7)
    seen = book(
        [(best_bid - n, lots) for n, lots in enumerate(draw(sizes)) if best_bid > n],
        [(best_ask + n, lots) for n, lots in enumerate(draw(sizes))],
    )
    low, high = sorted((draw(st.floats(0.01, 5000)), draw(st.floats(0.01, 5000))))
    strategy = maker(
        market,
        spread={"min_bps": low, "max_bps": high},
        levels={"count": draw(st.integers(1, 3))},
        inventory={
            "direction": draw(st.sampled_from(["reduce", "literal"])),
            "max_shift_bps": draw(st.floats(0, 1000)),
            "bias_bps": draw(st.floats(-1000, 1000)),
        },
        sizing={"mode": draw(st.sampled_from(["fixed", "percentage", "tiered"]))},
        fair_price={"source": draw(st.sampled_from(["mid", "micro"]))},
    )
    room = Room(draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6)))
    return strategy, state(
        market,
        book=seen,
        position_lots=draw(st.integers(-(10**7), 10**7)),
        equity_uusd=draw(st.integers(-USD, 10**12)),
        free_uusd=draw(st.integers(0, 10**12)),
        room=room,
    )


@settings(max_examples=200)
@given(scenes())
def test_nothing_crosses_and_no_cap_is_exceeded(scene: tuple[MarketMaker, QuotingState]) -> None:
    strategy, seen = scene
    quotes = strategy.decide(seen)
    best_bid, _, best_ask, _ = seen.book.touch()
    assert (quotes.reason is None) == bool(quotes.bids and quotes.asks)
    for levels, room, way in (
        (quotes.bids, seen.room.bid_lots, -1),
        (quotes.asks, seen.room.ask_lots, 1),
    ):
        assert all(level.ticks > 0 for level in levels)
        steps = [way * level.ticks for level in levels]
        assert steps == sorted(set(steps))
        worth = [seen.market.notional_uusd(2 * price, lots) for price, lots in levels]
        assert sum(lots for _, lots in levels) <= room
        # 25 % of equity a side; every order 10 to 1000 dollars.
        assert sum(worth) <= max(0, (seen.equity_uusd or 0) // 4) + len(worth)
        assert all(10 * USD <= value <= 1000 * USD for value in worth)
    for bid in quotes.bids:
        assert bid.ticks < best_ask
        assert all(bid.ticks < ask.ticks for ask in quotes.asks)
    assert all(ask.ticks > best_bid for ask in quotes.asks)


@settings(max_examples=100)
@given(scenes())
def test_the_same_state_gives_the_same_quotes(scene: tuple[MarketMaker, QuotingState]) -> None:
    strategy, seen = scene
    assert strategy.decide(seen) == strategy.decide(seen)


def edges(position: int, direction: str = "reduce", **known: Any) -> tuple[int, int]:
    """Best own bid and ask, far enough from the touch for the clamp not to matter."""
    quotes = maker(inventory={"direction": direction}).decide(
        state(position_lots=position, **known)
    )
    return quotes.bids[0].ticks, quotes.asks[0].ticks


@settings(max_examples=150)
@given(st.integers(1, 10**5), st.integers(1, 10**5))
def test_sign_table_and_monotone_in_the_position(one: int, other: int) -> None:
    flat, (less, more) = edges(0), sorted((one, other))
    for side in (0, 1):
        # Long: neither quote higher; short: neither lower; more position, more of it.
        assert edges(more)[side] <= edges(less)[side] <= flat[side]
        assert edges(-more)[side] >= edges(-less)[side] >= flat[side]
        # The literal formula leans the other way by the same amount.
        assert edges(more, "literal")[side] == edges(-more)[side]
        assert edges(-more, "literal")[side] == edges(more)[side]


def test_skew_grows_until_the_limit_and_no_further() -> None:
    # 3000 dollars are 2999.985 lots.
    assert edges(2000) > edges(2500) > edges(2999) >= edges(3000) == edges(10**6)
    # 149 lots are below 5 % of the limit, 150 are 150.00075 dollars: above it.
    assert edges(149) == edges(0) > edges(150)


def test_a_cap_in_dollars_skews_earlier() -> None:
    # 149 lots are half of 298 dollars.
    strategy = maker(limits=limits(max_position_uusd=298 * USD))
    strategy.decide(state(position_lots=149))
    assert strategy.last.position_ratio == pytest.approx(0.5, abs=1e-5)


def expected_change(quotes: Quotes, mid: float, scale: float) -> float:
    """Expected change of the position when fills fade exponentially with the distance."""

    def intensity(levels: tuple[Level, ...]) -> float:
        return sum(lots * math.exp(-abs(price - mid) / scale) for price, lots in levels)

    return intensity(quotes.bids) - intensity(quotes.asks)


def test_reduce_reduces_and_literal_does_not() -> None:
    # A thousand random states; sizes are equal on both sides, so only the prices speak.
    dice = random.Random(18)
    for _ in range(1000):
        best_bid = dice.randint(100_000, 2_000_000)
        best_ask = best_bid + dice.randint(1, 100)
        seen = book(
            [(best_bid - n, dice.randint(1, 10**6)) for n in range(5)],
            [(best_ask + n, dice.randint(1, 10**6)) for n in range(5)],
        )
        mid = (best_bid + best_ask) / 2
        # Beyond the deadband: 6 to 200 % of 3000 dollars, a lot at a tick being a micro-dollar.
        lots = round(3000 * USD * dice.uniform(0.06, 2.0) / mid)
        sign = dice.choice((1, -1))
        for direction, way in (("reduce", -1), ("literal", 1)):
            strategy = maker(inventory={"direction": direction}, sizing={"fixed_base": "0.001"})
            quotes = strategy.decide(state(book=seen, position_lots=sign * lots))
            assert expected_change(quotes, mid, 1e-3 * mid) * sign * way > 0


def test_tick_wider_than_the_spread() -> None:
    # 10 dollars a tick at 100: 8 bps are nothing; all levels share the touch's ticks.
    market = Market("WIDE", Decimal(10), Decimal("0.01"))
    seen = book([(100, 5), (99, 5)], [(101, 5), (102, 5)])
    strategy = maker(market, spread={"min_bps": 8, "max_bps": 8})
    # A hundred dollars at 1000 are 10 lots of 0.01, at 1010 they are 9: three levels on a tick.
    assert strategy.decide(state(market, book=seen)) == Quotes((Level(100, 30),), (Level(101, 27),))


def test_price_below_ten_ticks() -> None:
    # 4 dollars in ticks of one: half of 30 bps is far below a tick.
    market = Market("LOW", Decimal(1), Decimal(1))
    seen = book([(4, 100), (3, 100)], [(5, 100), (6, 100)])
    bounds = limits(max_book_spread_ratio=0.5)
    quotes = maker(market, limits=bounds).decide(state(market, book=seen))
    assert quotes == Quotes((Level(4, 75),), (Level(5, 60),))
    # Fully long and 10 % down, 4.05: the bid stays at 4, the ask goes no lower than 5.
    strategy = maker(market, limits=bounds, inventory={"max_shift_bps": 1000})
    assert ticks(strategy.decide(state(market, book=seen, position_lots=10**6)).asks) == [5]


def test_size_below_a_lot_is_no_quote() -> None:
    # A lot is a whole BTC, a level a hundred dollars.
    market = Market("BIG", Decimal("0.1"), Decimal(1))
    quotes = maker(market).decide(state(market))
    assert quotes == Quotes((), (), "bids too small, asks too small")


def test_inverse_market_by_hand() -> None:
    # Ticks of half a dollar around 50000: 15 bps wide, so 37.5 dollars, 75 ticks, a side.
    seen = book([(99_999, 50), (99_998, 50)], [(100_001, 50), (100_002, 50)])
    strategy = maker(INVERSE, levels={"count": 1})
    assert strategy.decide(state(INVERSE, book=seen)) == Quotes(
        (Level(99_925, 10),), (Level(100_075, 10),)
    )
    # Short 150 contracts of 10 dollars: half the limit, 10 bps up: 100100, less and plus 75.075;
    # 100024 would take, so the bid stops a tick below the best ask.
    quotes = strategy.decide(state(INVERSE, book=seen, position_lots=-150))
    assert (ticks(quotes.bids), ticks(quotes.asks)) == ([100_000], [100_176])


def test_the_reducing_side_quotes_on_when_the_other_has_no_room() -> None:
    quotes = maker().decide(state(position_lots=3500, room=Room(0, 150)))
    assert quotes.bids == ()
    assert [level.lots for level in quotes.asks] == [99, 51]
    assert quotes.reason == "no room for bids"


def test_a_decision_leaves_its_inputs_alone() -> None:
    seen = state(position_lots=LONG)
    before = (seen.book.levels(1, 10), seen.book.levels(-1, 10), seen.position_lots, seen.room)
    maker().decide(seen)
    after = (seen.book.levels(1, 10), seen.book.levels(-1, 10), seen.position_lots, seen.room)
    assert before == after
    assert seen.room is PLENTY
