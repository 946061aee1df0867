"""The ladder kernel against its oracle, the specification's example and its invariants."""

import math
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext import ladder
from mmbot.domain.order import Level
from tests.oracle import ladder as oracle

BOTH = pytest.mark.parametrize("made", [oracle, ladder])
CHECKED = settings(max_examples=200, deadline=None, derandomize=True)
INT64_MAX = 2**63 - 1
BID, ASK = 1, -1


@BOTH
@pytest.mark.parametrize(
    ("direction", "bids", "asks"),
    [
        (-1, [996424, 993843, 991262], [1001586, 1004167, 1006748]),
        (+1, [998419, 995833, 993247], [1003591, 1006177, 1008763]),
    ],
)
def test_worked_example_of_the_specification(
    made: ModuleType, direction: int, bids: list[int], asks: list[int]
) -> None:
    spread = 0.0015 + (1 / 3) * 0.0110
    skew = 1500.0075 / 3000 * 0.002
    base = 1000005.0 * (1 + direction * skew)
    assert made.price_levels(base, spread, 3, 1000000, 1000010) == (bids, asks)


@BOTH
def test_quotes_never_cross_the_book(made: ModuleType) -> None:
    # Spread 2 %, levels 1 % and 2 % off 1000: bids 990, 980, asks 1010, 1020.
    assert made.price_levels(1000.0, 0.02, 2, 1015, 985) == ([984, 980], [1016, 1020])
    assert made.price_levels(1000.0, 0.02, 2, 0, 0) == ([990, 980], [1010, 1020])


@BOTH
def test_quotes_that_meet_are_widened(made: ModuleType) -> None:
    assert made.price_levels(100.0, 0.0, 3, 0, 0) == ([99, 99, 99], [101, 101, 101])
    # The clamp already parts these: bid below the best ask, ask at the base.
    assert made.price_levels(100.0, 0.0, 1, 0, 100) == ([99], [100])


@BOTH
def test_prices_at_or_below_zero_are_dropped(made: ModuleType) -> None:
    # Spacings 0.5, 1, 1.5: only the first bid is positive.
    assert made.price_levels(10.0, 1.0, 3, 0, 0) == ([5], [15, 20, 25])


PRICES = st.one_of(st.floats(0.01, 100.0), st.integers(1, 1000).map(float), st.floats(1.0, 1e9))
SPREADS = st.one_of(st.just(0.0), st.floats(0.0, 0.01), st.floats(0.0, 2.0))


@CHECKED
@given(PRICES, SPREADS, st.integers(1, 20), st.integers(-20, 20), st.integers(-20, 20))
def test_prices_equal_the_oracle_and_cross_nothing(
    base: float, spread: float, levels: int, below: int, above: int
) -> None:
    best_bid, best_ask = max(0, int(base) - below), max(0, int(base) + above)
    bids, asks = ladder.price_levels(base, spread, levels, best_bid, best_ask)
    assert (bids, asks) == oracle.price_levels(base, spread, levels, best_bid, best_ask)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert all(bid > 0 for bid in bids)
    assert not bids or bids[0] < asks[0]
    assert not best_ask or all(bid < best_ask for bid in bids)
    assert all(ask > best_bid for ask in asks)


@pytest.mark.parametrize(
    ("base", "spread", "levels", "best_bid", "best_ask"),
    [
        (math.nan, 0.01, 1, 1, 2),
        (math.inf, 0.01, 1, 1, 2),
        (0.0, 0.01, 1, 1, 2),
        (100.0, math.nan, 1, 1, 2),
        (100.0, -0.01, 1, 1, 2),
        (100.0, math.inf, 1, 1, 2),
        (100.0, 0.01, 0, 1, 2),
        (100.0, 0.01, 1, -1, 2),
        (100.0, 0.01, 1, 1, -2),
        (1e16, 0.01, 1, 1, 2),
        (1e15, 4.0, 20, 1, 2),
        (100.0, 0.01, 1, INT64_MAX, 2),
    ],
)
def test_misuse_of_prices_is_refused(
    base: float, spread: float, levels: int, best_bid: int, best_ask: int
) -> None:
    with pytest.raises(ValueError, match=r"must|exact"):
        ladder.price_levels(base, spread, levels, best_bid, best_ask)


# Worth per tick, of any worth, one lot at least.
ANY = (True, 0, INT64_MAX, 1)


@BOTH
def test_levels_on_one_tick_become_one(made: ModuleType) -> None:
    assert made.stack([99, 99, 98], [1, 2, 3], -1, -1, ANY) == [(99, 3), (98, 3)]
    assert made.stack([], [], 5, 5, ANY) == []


@BOTH
def test_sizes_are_cut_from_the_outermost_level_inwards(made: ModuleType) -> None:
    ticks, lots = [100, 99, 98], [3, 3, 4]
    assert made.stack(ticks, lots, 8, -1, ANY) == [(100, 3), (99, 3), (98, 2)]
    assert made.stack(ticks, lots, 2, -1, ANY) == [(100, 2)]
    assert made.stack(ticks, lots, 0, -1, ANY) == []
    # 300 + 297 = 597 of 795: 198 left hold two lots at 98.
    assert made.stack(ticks, lots, -1, 795, ANY) == [(100, 3), (99, 3), (98, 2)]
    # 395 hold three lots at 100, then none at 99; the one lot at 95 that would fit stays cut.
    assert made.stack([100, 99, 95], [3, 3, 1], -1, 395, ANY) == [(100, 3)]


@BOTH
def test_levels_below_the_minimum_are_dropped_after_cutting(made: ModuleType) -> None:
    assert made.stack([100, 99], [5, 5], 7, -1, (True, 0, INT64_MAX, 3)) == [(100, 5)]
    assert made.stack([100, 99], [0, 5], -1, -1, (True, 0, INT64_MAX, 0)) == [(99, 5)]


@BOTH
def test_each_order_is_worth_neither_too_much_nor_too_little(made: ModuleType) -> None:
    ticks, lots = [100, 99, 98], [3, 5, 2]
    # Worth 300, 495 and 196: four lots at 99 are 396, two at 98 are below 200.
    assert made.stack(ticks, lots, -1, -1, (True, 200, 400, 1)) == [(100, 3), (99, 4)]
    assert made.stack(ticks, lots, -1, -1, (False, 3, 4, 1)) == [(100, 3), (99, 4)]
    # What the largest order cuts off is not there for the levels behind it.
    assert made.stack(ticks, lots, 8, -1, (True, 0, 400, 1)) == [(100, 3), (99, 4)]


@CHECKED
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=12),
    st.booleans(),
    st.one_of(st.just(-1), st.integers(0, 60)),
    st.one_of(st.just(-1), st.integers(0, 1500)),
    st.tuples(st.booleans(), st.integers(0, 200), st.integers(0, 600), st.integers(0, 6)),
)
def test_sizes_equal_the_oracle_and_respect_the_caps(
    levels: list[tuple[int, int]],
    bids: bool,
    cap_lots: int,
    cap_worth: int,
    bounds: tuple[bool, int, int, int],
) -> None:
    levels.sort(key=lambda level: level[0], reverse=bids)
    ticks, lots = [level[0] for level in levels], [level[1] for level in levels]
    stacked = ladder.stack(ticks, lots, cap_lots, cap_worth, bounds)
    assert stacked == oracle.stack(ticks, lots, cap_lots, cap_worth, bounds)
    assert cap_lots < 0 or sum(size for _, size in stacked) <= cap_lots
    worths = [price * size if bounds[0] else size for price, size in stacked]
    assert cap_worth < 0 or sum(worths) <= cap_worth
    assert all(bounds[1] <= worth <= bounds[2] for worth in worths)


def test_caps_hold_at_the_edge_of_64_bits() -> None:
    huge = INT64_MAX - 1
    assert ladder.stack([2], [huge], -1, INT64_MAX, ANY) == [(2, INT64_MAX // 2)]
    assert ladder.stack([INT64_MAX], [huge], -1, INT64_MAX, ANY) == [(INT64_MAX, 1)]
    lots_only = (False, 0, INT64_MAX, 1)
    assert ladder.stack([INT64_MAX], [huge], -1, -1, lots_only) == [(INT64_MAX, huge)]
    with pytest.raises(ValueError, match="64 bits"):
        ladder.stack([5, 4], [huge, 2], -1, -1, ANY)


@pytest.mark.parametrize(
    ("ticks", "lots", "cap_lots", "cap_worth", "bounds"),
    [
        ([1, 2], [1], -1, -1, ANY),
        ([1], [-1], -1, -1, ANY),
        ([0], [1], -1, -1, ANY),
        ([3, 1, 2], [1, 1, 1], -1, -1, ANY),
        ([1], [1], -2, -1, ANY),
        ([1], [1], -1, -2, ANY),
        ([1], [1], -1, -1, (True, 0, 9, -1)),
        ([1], [1], -1, -1, (True, -1, 9, 1)),
        ([1], [1], -1, -1, (False, 0, -9, 1)),
        ([2, 1], [5, -1], 3, -1, ANY),
    ],
)
def test_misuse_of_sizes_is_refused(
    ticks: list[int],
    lots: list[int],
    cap_lots: int,
    cap_worth: int,
    bounds: tuple[bool, int, int, int],
) -> None:
    with pytest.raises(ValueError, match=r"sizes|size|price|limits"):
        ladder.stack(ticks, lots, cap_lots, cap_worth, bounds)


Quoted = tuple[tuple[tuple[int, int], ...], ...]


@BOTH
def test_both_sides_in_one_go(made: ModuleType) -> None:
    # 1 % and 2 % around 1000: 990, 980 and 1010, 1020. A worth of 10,000 buys 10 lots at 990,
    # 980 and, floored, 9 lots at 1010 and 1020.
    rungs = made.Rungs(2, 100, ANY, Level)
    quotes = rungs.quotes(1000.0, 0.02, (0, 0), (10_000, 10_000), -1, (50, 50))
    assert quotes == ((Level(990, 10), Level(980, 10)), (Level(1010, 9), Level(1020, 9)))
    assert all(type(level) is Level for side in quotes for level in side)
    # Room for 12 lots below and for none above; a side of 15,000 is worth 5 lots at 980.
    assert rungs.quotes(1000.0, 0.02, (0, 0), (10_000, 10_000), -1, (12, 0)) == (
        (Level(990, 10), Level(980, 2)),
        (),
    )
    assert rungs.quotes(1000.0, 0.02, (0, 0), (10_000, 10_000), 15_000, (99, -1)) == (
        (Level(990, 10), Level(980, 5)),
        (),
    )
    # Seven lots at most, whatever the worth buys; a worth of its own for each level.
    seven = made.Rungs(2, 7, ANY, Level)
    assert seven.quotes(1000.0, 0.02, (0, 0), (10_000, 5_000), -1, (50, 50)) == (
        (Level(990, 7), Level(980, 5)),
        (Level(1010, 7), Level(1020, 4)),
    )
    # Contracts are worth what they are, at any price.
    contracts = made.Rungs(1, 100, (False, 0, INT64_MAX, 1), Level)
    assert contracts.quotes(1000.0, 0.02, (0, 0), (8,), -1, (2**70, 2**70)) == (
        (Level(990, 8),),
        (Level(1010, 8),),
    )


@CHECKED
@given(
    st.tuples(PRICES.filter(lambda price: price < 2000), SPREADS),
    st.lists(st.integers(0, 3000), min_size=1, max_size=8).map(tuple),
    st.tuples(st.integers(0, 60), st.one_of(st.just(-1), st.integers(0, 3000))),
    st.tuples(st.integers(-2, 60), st.integers(-2, 60)),
    st.tuples(st.booleans(), st.integers(0, 200), st.integers(0, 600), st.integers(0, 6)),
    st.tuples(st.sampled_from([0.0, 1.0, 1.3]), st.integers(0, 40), st.booleans()),
)
def test_both_sides_equal_the_steps_of_the_oracle(
    prices: tuple[float, float],
    worths: tuple[int, ...],
    most: tuple[int, int],
    rooms: tuple[int, int],
    bounds: tuple[bool, int, int, int],
    spacing: tuple[float, int, bool],
) -> None:
    max_lots, side_worth = most
    growth, step, apart = spacing
    levels = len(worths)
    if apart:
        worths = (*worths, *worths[::-1])
    touch = (max(0, int(prices[0]) - 3), int(prices[0]) + 3)
    found: list[Quoted] = []
    for made in (oracle, ladder):
        rungs = made.Rungs(levels, max_lots, bounds, Level, growth)
        rungs.step = step
        found.append(rungs.quotes(*prices, touch, worths, side_worth, rooms))
    assert found[0] == found[1]


def test_misuse_of_rungs_is_refused() -> None:
    for levels in (0, 65):
        with pytest.raises(ValueError, match="levels must be 1 to 64"):
            ladder.Rungs(levels, 1, ANY, Level)
    with pytest.raises(ValueError, match="bad limits"):
        ladder.Rungs(1, 1, (True, -1, 1, 1), Level)
    with pytest.raises(ValueError, match="not a kind of tuple"):
        ladder.Rungs(1, 1, ANY, int)  # type: ignore[type-var]
    with pytest.raises(ValueError, match="growth must be 1 to 10"):
        ladder.Rungs(1, 1, ANY, Level, 0.5)
    rungs = ladder.Rungs(2, 9, ANY, Level)
    with pytest.raises(ValueError, match="2 levels but 1 worths"):
        rungs.quotes(100.0, 0.1, (1, 200), (500,), -1, (9, 9))
    with pytest.raises(ValueError, match="base must be"):
        rungs.quotes(math.nan, 0.1, (1, 200), (500, 500), -1, (9, 9))
    with pytest.raises(ValueError, match="must not be negative"):
        rungs.quotes(100.0, 0.1, (1, 200), (-500, 500), -1, (9, 9))


Pairs = list[tuple[int, int]]
# Own orders are told by their side: a bid, an ask.
Orders = list[tuple[int, int, int]]


def paired(
    made: ModuleType,
    orders: Orders,
    levels: tuple[Pairs, Pairs],
    slack: tuple[float, float, float, float, float],
) -> tuple[Orders, Pairs, Pairs]:
    """Orders and levels of both sides left over."""
    bids, asks = levels
    rests = [oracle.Rest(*order) for order in orders]
    left: tuple[Orders, Pairs, Pairs] = made.pair(rests, tuple(bids), tuple(asks), slack)
    return left


def bids_paired(
    made: ModuleType, orders: Pairs, levels: Pairs, ratio: float
) -> tuple[Pairs, Pairs]:
    """Bids and levels left over, sizes within 10 %."""
    own: Orders = [(BID, *order) for order in orders]
    left, bids, asks = paired(made, own, (levels, []), (ratio, 0.1, 0.1, 0.1, 1.0))
    assert asks == []
    return [order[1:] for order in left], bids


@BOTH
def test_orders_that_fit_are_found(made: ModuleType) -> None:
    levels = [(1000, 50), (990, 50)]
    # 2 bps of 1000 is 0.2 ticks: only the very price will do; 10 % of 50 lots is 5 lots.
    assert bids_paired(made, [(1000, 45), (990, 55)], levels, 0.0002) == ([], [])
    assert bids_paired(made, [(1000, 44), (990, 56)], levels, 0.0002) == (
        [(1000, 44), (990, 56)],
        levels,
    )
    assert bids_paired(made, [(999, 50)], levels, 0.0002) == ([(999, 50)], levels)
    # 20 bps of 1000 is 2 ticks.
    assert bids_paired(made, [(998, 50)], levels, 0.002) == ([], [(990, 50)])
    # The order at 990 belongs to the level there, though 1000 is within 2 % of it.
    assert bids_paired(made, [(990, 50)], levels, 0.02) == ([], [(1000, 50)])
    assert bids_paired(made, [], levels, 0.02) == ([], levels)
    assert bids_paired(made, [(990, 50)], [], 0.02) == ([(990, 50)], [])


@BOTH
def test_a_level_takes_the_best_of_the_orders_that_fit(made: ModuleType) -> None:
    # 5 ticks are allowed. Bids: the higher first; asks: the lower; at one price: the elder.
    slack = (0.005, 0.5, 0.5, 0.5, 1.0)
    orders = [(BID, 998, 5), (BID, 1001, 6), (BID, 1001, 7), (ASK, 1104, 5), (ASK, 1103, 6)]
    left = paired(made, orders, ([(1000, 6)], [(1102, 6)]), slack)
    assert left == ([(BID, 1001, 7), (BID, 998, 5), (ASK, 1104, 5)], [], [])


@BOTH
def test_an_order_in_the_way_of_the_other_side_does_not_count(made: ModuleType) -> None:
    slack = (0.1, 0.1, 0.1, 0.1, 1.0)
    levels = ([(1000, 50)], [(1010, 50)])
    # A bid within 10 % of its level, at the lowest ask wanted, and one tick below it.
    assert paired(made, [(BID, 1010, 50)], levels, slack) == ([(BID, 1010, 50)], *levels)
    assert paired(made, [(BID, 1009, 50)], levels, slack) == ([], [], levels[1])
    assert paired(made, [(ASK, 1000, 50)], levels, slack) == ([(ASK, 1000, 50)], *levels)
    assert paired(made, [(ASK, 1001, 50)], levels, slack) == ([], levels[0], [])


@BOTH
def test_the_ratios_up_and_down_are_told_apart(made: ModuleType) -> None:
    levels = ([(10, 100)], [(20, 100)])
    large, small = [(BID, 10, 104), (ASK, 20, 104)], [(BID, 10, 96), (ASK, 20, 96)]
    assert paired(made, large, levels, (0.0, 0.0, 0.05, 0.05, 1.0)) == ([], [], [])
    assert paired(made, large, levels, (0.0, 0.0, 0.05, 0.0, 1.0)) == ([large[1]], [], levels[1])
    assert paired(made, large, levels, (0.0, 0.05, 0.0, 0.05, 1.0)) == ([large[0]], levels[0], [])
    assert paired(made, small, levels, (0.0, 0.0, 0.05, 0.05, 1.0)) == (small, *levels)
    assert paired(made, small, levels, (0.0, 0.05, 0.0, 0.0, 1.0)) == ([], [], [])


@BOTH
def test_levels_further_out_allow_more(made: ModuleType) -> None:
    # 1 % of 1000 and twice as much of 900: 10 and 18 ticks.
    levels = [(1000, 50), (900, 50)]
    for orders, left in (
        ([(990, 50), (882, 50)], ([], [])),
        ([(989, 50), (882, 50)], ([(989, 50)], levels[:1])),
        ([(990, 50), (881, 50)], ([(881, 50)], levels[1:])),
    ):
        own: Orders = [(BID, *order) for order in orders]
        found = paired(made, own, (levels, []), (0.01, 0.0, 0.0, 0.0, 2.0))
        assert found == ([(BID, *order) for order in left[0]], left[1], [])
    with pytest.raises((ValueError, TypeError)):
        made.pair([], ((1000, 50),), (), (0.01, 0.0, 0.0, 0.0))


SIDE = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12)), max_size=6).map(sorted)
RATIOS = st.sampled_from([0.0, 0.01, 0.1, 0.5])


@CHECKED
@given(
    st.lists(
        st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 40), st.integers(1, 12)), max_size=10
    ),
    SIDE,
    SIDE,
    st.tuples(RATIOS, RATIOS, st.floats(0, 1), st.floats(0, 1), st.sampled_from([1.0, 2.0])),
)
def test_pairs_equal_the_oracle(
    orders: Orders, bids: Pairs, asks: Pairs, slack: tuple[float, float, float, float, float]
) -> None:
    left = paired(ladder, orders, (bids[::-1], asks), slack)
    assert left == paired(oracle, orders, (bids[::-1], asks), slack)
    assert len(orders) - len(left[0]) == len(bids) - len(left[1]) + len(asks) - len(left[2])
