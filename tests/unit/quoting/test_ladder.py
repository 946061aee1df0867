"""Ladder: levels, merging and caps by hand, and against a brute-force cut of the outermost."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.market import Market
from mmbot.domain.order import Level
from mmbot.domain.quotes import NO_ROOM, Quotes, Room
from mmbot.quoting.ladder import Ladder, LevelsParams
from mmbot.quoting.sizing import SizingCalculator, SizingParams
from tests.unit.quoting.scene import BTC, INVERSE, PLENTY, USD, limits

# 98 to 102 dollars, a dollar a lot at a hundred dollars.
COARSE = Market("COARSE", Decimal("0.1"), Decimal("0.01"))
TOUCH = (999, 1001)


def quotes(reservation: float, spread: float, room: Room = PLENTY, **settings: Any) -> Quotes:
    """Quotes in COARSE around TOUCH with 10,000 dollars, unless told otherwise."""
    market: Market = settings.pop("market", COARSE)
    count: int = settings.pop("count", 3)
    equity: int = settings.pop("equity", 10_000 * USD)
    touch: tuple[int, int] = settings.pop("touch", TOUCH)
    sizing = SizingCalculator(SizingParams(**settings), limits(), market, count)
    ladder = Ladder(LevelsParams(count=count), sizing)
    return ladder.quotes(reservation, spread, touch, sizing.budget(equity, equity), room)


def lots(levels: tuple[Level, ...]) -> list[int]:
    return [level.lots for level in levels]


def test_levels_by_hand() -> None:
    # 1 % wide around 1000: 995, 990, 985 and 1005, 1010, 1015. A hundred dollars floored:
    # 100.5, 101.01, 101.5 lots below; 99.5, 99.0, 98.5 above.
    assert quotes(1000.0, 0.01) == Quotes(
        bids=(Level(995, 100), Level(990, 101), Level(985, 101)),
        asks=(Level(1005, 99), Level(1010, 99), Level(1015, 98)),
    )


def test_prices_round_outwards() -> None:
    # 0.5 % of 1000.3: 995.2985 and 1005.3015.
    found = quotes(1000.3, 0.01, count=1)
    assert (found.bids[0].ticks, found.asks[0].ticks) == (995, 1006)


def test_levels_on_one_tick_are_one_order_cut_to_the_largest() -> None:
    # Three times 400 dollars fall on one tick when the tick is wider than the ladder.
    wide = quotes(100.2, 0.001, touch=(100, 101), fixed_usd=400)
    # 400 dollars at 10.0 are 4000 lots; 1200 dollars are cut to 1000: 10000 lots of 0.1 dollars.
    assert wide.bids == (Level(100, 10_000),)
    # At 10.1: 3960 lots a level; 9900 lots are 999.90 dollars, one more is above 1000.
    assert wide.asks == (Level(101, 9900),)
    thin = quotes(100.2, 0.001, touch=(100, 101), fixed_usd=100)
    assert thin == Quotes((Level(100, 3000),), (Level(101, 2970),))


def test_a_far_reservation_price_never_takes() -> None:
    high, low = quotes(1100.0, 0.01), quotes(900.0, 0.01)
    # All bids would be above the best ask: they join behind it, on one tick.
    assert [level.ticks for level in high.bids] == [1000]
    assert [level.ticks for level in high.asks] == [1106, 1111, 1117]
    assert [level.ticks for level in low.asks] == [1000]
    assert [level.ticks for level in low.bids] == [895, 891, 886]


def test_prices_below_ten_ticks() -> None:
    # 3 wide around 4 in a book of 3 to 5: 50 % spread, so 3, 2, 1 and 5, 6, 7.
    found = quotes(4.0, 0.5, touch=(3, 5), count=5, min_order_usd=0)
    assert [level.ticks for level in found.bids] == [3, 2, 1]
    assert [level.ticks for level in found.asks] == [5, 6, 7, 8, 9]


def test_no_price_left_above_zero() -> None:
    found = quotes(1.0, 0.5, touch=(1, 2), count=2)
    assert (found.bids, found.reason) == ((), "bids too small")


@pytest.mark.parametrize(
    ("room", "bids", "asks", "reason"),
    [
        (Room(0, 10**9), [], [99, 99, 98], "no room for bids"),
        (Room(10**9, 0), [100, 101, 101], [], "no room for asks"),
        (NO_ROOM, [], [], "no room for bids, no room for asks"),
        (Room(-1, -5), [], [], "no room for bids, no room for asks"),
        # The outermost goes first, whole or in part; 10 dollars are 10.05 lots at 99.5.
        (Room(250, 198), [100, 101, 49], [99, 99], None),
        (Room(100, 99), [100], [99], None),
        (Room(11, 10), [11], [10], None),
        (Room(10, 9), [], [], "bids too small, asks too small"),
        (Room(1, 1), [], [], "bids too small, asks too small"),
    ],
)
def test_room(room: Room, bids: list[int], asks: list[int], reason: str | None) -> None:
    found = quotes(1000.0, 0.01, room)
    assert (lots(found.bids), lots(found.asks), found.reason) == (bids, asks, reason)


def test_the_side_cap_in_money() -> None:
    # A quarter of 1000 dollars: 250. Bids: 99.5 + 99.99 leave 50.51, that is 51.28 lots at 98.5.
    found = quotes(1000.0, 0.01, equity=1000 * USD)
    assert lots(found.bids) == [100, 101, 51]
    # Asks: 99.495 + 99.99 leave 50.515: 49.77 lots at 101.5.
    assert lots(found.asks) == [99, 99, 49]
    assert all(isinstance(level, Level) for level in found.bids + found.asks)
    assert quotes(1000.0, 0.01, equity=0).reason == "bids too small, asks too small"


def test_the_side_cap_of_inverse_contracts() -> None:
    # 250 dollars are 25 contracts of 10 dollars; 100 dollars a level.
    found = quotes(1000.0, 0.01, market=INVERSE, equity=1000 * USD)
    assert lots(found.bids) == lots(found.asks) == [10, 10, 5]
    assert lots(quotes(1000.0, 0.01, Room(12, 50), market=INVERSE).bids) == [10, 2]


def test_room_beyond_all_bounds_is_as_good_as_none() -> None:
    assert quotes(1000.0, 0.01, Room(10**30, 10**30)) == quotes(1000.0, 0.01)


def cut(wanted: list[tuple[int, int]], room: int, money: int, inverse: bool) -> dict[int, int]:
    """Take single lots away from the outermost order until both caps hold."""
    left = dict(wanted)

    def worth() -> int:
        return sum(10 * USD * n if inverse else n * ticks for ticks, n in left.items())

    for ticks, _ in reversed(wanted):
        while left[ticks] and (sum(left.values()) > room or worth() > money):
            left[ticks] -= 1
    return {ticks: n for ticks, n in left.items() if n}


@settings(max_examples=200)
@given(st.data())
def test_caps_hold_and_only_the_outermost_are_cut(data: st.DataObject) -> None:
    inverse = data.draw(st.booleans())
    market = INVERSE if inverse else BTC
    # A lot at a tick is a micro-dollar, so prices around 10**6 make sizes of dollars.
    best_bid, gap = (1000 * data.draw(st.integers(*bounds)) for bounds in ((20, 5000), (1, 40)))
    best_ask = best_bid + gap
    lean, spread = data.draw(st.floats(-0.2, 0.2)), data.draw(st.floats(0.0001, 0.3))
    reservation = (best_bid + gap / 2) * (1 + lean)
    room, dollars = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 400))
    wish, count = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 6))
    options: dict[str, Any] = {
        "fixed_base": market.size(wish),
        "min_order_usd": 0,
        "max_order_usd": 10**6,
        "touch": (best_bid, best_ask),
        "market": market,
        "count": count,
    }
    free = quotes(reservation, spread, equity=10**15, **options)
    capped = quotes(reservation, spread, Room(room, room), equity=dollars * USD, **options)
    for wanted, found in ((free.bids, capped.bids), (free.asks, capped.asks)):
        assert sum(lots(wanted)) == wish * count
        assert dict(found) == cut(list(wanted), room, dollars * USD // 4, inverse)
    assert 0 < free.bids[0].ticks < best_ask
    assert best_bid < free.asks[0].ticks
    assert free.bids[0].ticks < free.asks[0].ticks
