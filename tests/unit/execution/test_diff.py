from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.actions import Place
from mmbot.domain.events import OrderUpdate
from mmbot.domain.order import FillMode, Level, OrderState, Side
from mmbot.domain.quotes import Quotes, Room
from mmbot.execution.diff import RequoteParams, Tolerance, Wanted, diff
from mmbot.execution.tracker import Tracker

BID, ASK = Side.BID, Side.ASK
OPEN, SENT = OrderState.OPEN, OrderState.SENT
CLOSING, UNKNOWN = OrderState.CLOSING, OrderState.UNKNOWN
PLENTY = Room(10**9, 10**9)
SECOND = 10**9

Order = tuple[Side, int, int, OrderState]


def tolerance(**changes: Any) -> Tolerance:
    """2 bps of price, 10 % of size, 300 s."""
    return Tolerance(RequoteParams(**changes))


def tracker(*orders: Order) -> Tracker:
    """Orders with ids 1, 2, ... placed at time 0."""
    tracked = Tracker()
    for order_id, (side, ticks, lots, state) in enumerate(orders, 1):
        order = tracked.send(Place(0, order_id, side, ticks, lots, FillMode.POST_ONLY), 0)
        if state is not SENT:
            order.move(state)
    return tracked


def quotes(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> Quotes:
    return Quotes(tuple(Level(*level) for level in bids), tuple(Level(*level) for level in asks))


def changes(
    wanted: Quotes, tracked: Tracker, room: Room = PLENTY, now_ns: int = 0, **params: Any
) -> tuple[list[int], list[tuple[Side, int, int]]]:
    """Ids to cancel, in order of id, and (side, ticks, lots) to place."""
    found = diff(wanted, tracked, tolerance(**params), room, now_ns)
    return sorted(order.order_id for order in found.cancels), [
        (p.side, p.ticks, p.lots) for p in found.places
    ]


NOTHING: tuple[list[int], list[tuple[Side, int, int]]] = ([], [])


def test_first_quotes_are_placed_from_the_inside_out() -> None:
    wanted = quotes([(10000, 5), (9990, 6), (9980, 7)], [(10010, 8), (10020, 9)])
    assert changes(wanted, Tracker()) == (
        [],
        [(BID, 10000, 5), (ASK, 10010, 8), (BID, 9990, 6), (ASK, 10020, 9), (BID, 9980, 7)],
    )


def test_no_quotes_pull_everything_open() -> None:
    tracked = tracker((BID, 10000, 5, OPEN), (ASK, 10010, 5, OPEN), (ASK, 10020, 5, CLOSING))
    assert changes(quotes([], []), tracked) == ([1, 2], [])


@pytest.mark.parametrize(("ticks", "stays"), [(10002, True), (9998, True), (10003, False)])
def test_price_tolerance_is_of_the_level(ticks: int, stays: bool) -> None:
    # 2 bps of 10,000 ticks are 2 ticks.
    tracked = tracker((BID, ticks, 10, OPEN))
    expected = NOTHING if stays else ([1], [(BID, 10000, 10)])
    assert changes(quotes([(10000, 10)], []), tracked) == expected


@pytest.mark.parametrize(("inner", "outer", "unfit"), [(2, 3, []), (3, 3, [1]), (2, 4, [2])])
def test_price_tolerance_grows_outwards_where_it_is_wished(
    inner: int, outer: int, unfit: list[int]
) -> None:
    # 2 bps of 10,000 are 2 ticks at the best level, 4 bps of 9,900 are 3.96 at the one behind it.
    tracked = tracker((BID, 10000 - inner, 10, OPEN), (BID, 9900 - outer, 10, OPEN))
    wanted = quotes([(10000, 10), (9900, 10)], [])
    assert changes(wanted, tracked, tolerance_growth=2.0)[0] == unfit
    mirrored = tracker((ASK, 10000 + inner, 10, OPEN), (ASK, 10100 + outer + 1, 10, OPEN))
    wanted = quotes([], [(10000, 10), (10100, 10)])
    assert changes(wanted, mirrored, tolerance_growth=2.0)[0] == unfit


@pytest.mark.parametrize(("lots", "stays"), [(90, True), (89, False), (110, True), (111, False)])
def test_size_tolerance_is_of_the_level(lots: int, stays: bool) -> None:
    tracked = tracker((ASK, 10000, lots, OPEN))
    expected = NOTHING if stays else ([1], [(ASK, 10000, 100)])
    assert changes(quotes([], [(10000, 100)]), tracked) == expected


def test_a_side_beyond_its_room_has_no_tolerance_upwards() -> None:
    tracked = tracker((BID, 10000, 104, OPEN), (ASK, 10020, 104, OPEN))
    wanted = quotes([(10000, 100)], [(10020, 100)])
    assert changes(wanted, tracked, Room(104, 104)) == NOTHING
    assert changes(wanted, tracked, Room(103, 104)) == ([1], [(BID, 10000, 100)])
    assert changes(wanted, tracked, Room(104, 103)) == ([2], [(ASK, 10020, 100)])


def test_a_partly_filled_order_is_replaced_once_it_matters() -> None:
    tracked = tracker((BID, 10000, 100, OPEN))
    tracked.orders[1].leaves = 95
    assert changes(quotes([(10000, 100)], []), tracked) == NOTHING
    tracked.orders[1].leaves = 60
    assert changes(quotes([(10000, 100)], []), tracked) == ([1], [(BID, 10000, 100)])


def test_only_the_difference_is_sent() -> None:
    tracked = tracker((BID, 10000, 10, OPEN), (BID, 9900, 10, OPEN), (ASK, 10010, 10, OPEN))
    wanted = quotes([(10000, 10), (9950, 10)], [(10010, 10)])
    assert changes(wanted, tracked) == ([2], [(BID, 9950, 10)])


def test_old_orders_are_replaced() -> None:
    tracked = tracker((BID, 10000, 10, OPEN))
    wanted = quotes([(10000, 10)], [])
    assert changes(wanted, tracked, now_ns=300 * SECOND) == NOTHING
    assert changes(wanted, tracked, now_ns=300 * SECOND + 1) == ([1], [(BID, 10000, 10)])


@pytest.mark.parametrize("state", [SENT, UNKNOWN])
def test_old_pending_orders_are_not_cancelled(state: OrderState) -> None:
    tracked = tracker((BID, 10000, 10, state))
    assert changes(quotes([(10000, 10)], []), tracked, now_ns=400 * SECOND) == NOTHING


@pytest.mark.parametrize(("state", "gone"), [(SENT, []), (UNKNOWN, [1]), (CLOSING, [])])
def test_orders_that_may_be_alive_hold_a_level(state: OrderState, gone: list[int]) -> None:
    # Only an unknown one is cancelled, and what it holds is free no sooner than it is gone.
    tracked = tracker((BID, 9000, 10, state))
    assert changes(quotes([(10000, 10)], []), tracked) == (gone, [])
    wanted = quotes([(10000, 10), (9990, 10)], [])
    assert changes(wanted, tracked) == (gone, [(BID, 10000, 10)])
    assert changes(quotes([], []), tracked) == (gone, [])


def test_a_closing_order_at_the_wanted_price_is_not_kept() -> None:
    tracked = tracker((BID, 10000, 10, CLOSING))
    assert changes(quotes([(10000, 10)], []), tracked) == NOTHING


def test_a_filled_order_with_fills_to_come_is_no_order_any_more() -> None:
    tracked = tracker((BID, 10000, 10, OPEN))
    tracked.update(OrderUpdate(0, 0, 0, 1, OrderState.FILLED, 0, None))
    assert changes(quotes([(10000, 10)], []), tracked) == ([], [(BID, 10000, 10)])


def test_hedges_are_not_quotes() -> None:
    tracked = Tracker()
    tracked.send(Place(0, 1, ASK, 10000, 5, FillMode.IOC, reduce_only=True), 0)
    assert changes(quotes([], [(10000, 5)]), tracked) == ([], [(ASK, 10000, 5)])
    assert changes(quotes([], []), tracked) == NOTHING


def test_exact_prices_win_over_the_first_in_reach() -> None:
    # 9999 is within 2 ticks of both levels, 10001 only of the upper one.
    tracked = tracker((BID, 9999, 10, OPEN), (BID, 10001, 10, OPEN))
    wanted = quotes([(10000, 10), (9999, 10), (9990, 10)], [])
    assert changes(wanted, tracked) == ([], [(BID, 9990, 10)])


def test_orders_are_matched_by_price_not_by_age() -> None:
    # All within 2 ticks of their own level, the older order of each side also of the inner one.
    tracked = tracker(
        (BID, 9899, 10, OPEN), (BID, 9901, 10, OPEN), (ASK, 10001, 10, OPEN), (ASK, 9999, 10, OPEN)
    )
    wanted = quotes([(9900, 10), (9898, 10)], [(10000, 10), (10002, 10)])
    assert changes(wanted, tracked, price_tolerance_bps=2.1) == NOTHING


def test_one_order_serves_one_level() -> None:
    tracked = tracker((BID, 10000, 10, OPEN))
    assert changes(quotes([(10001, 10), (9999, 10)], []), tracked) == ([], [(BID, 9999, 10)])


def test_two_orders_for_one_level_leave_one() -> None:
    tracked = tracker((BID, 10000, 10, OPEN), (BID, 10001, 10, OPEN))
    assert changes(quotes([(10000, 10)], []), tracked) == ([2], [])


def test_a_kept_order_does_not_stand_where_the_other_side_is_wanted() -> None:
    # The old ask at 10001 is within tolerance of 10003 but not above the wanted bid.
    tracked = tracker((ASK, 10001, 10, OPEN))
    assert changes(quotes([(10001, 10)], [(10003, 10)]), tracked) == (
        [1],
        [(BID, 10001, 10), (ASK, 10003, 10)],
    )
    tracked = tracker((BID, 10002, 10, OPEN))
    assert changes(quotes([(10000, 10)], [(10002, 10)]), tracked) == (
        [1],
        [(BID, 10000, 10), (ASK, 10002, 10)],
    )


@pytest.mark.parametrize(("state", "gone"), [(SENT, []), (UNKNOWN, [1]), (CLOSING, [])])
def test_nothing_is_placed_through_an_order_that_may_be_alive(
    state: OrderState, gone: list[int]
) -> None:
    asks = tracker((ASK, 10000, 10, state))
    wanted = quotes([(10000, 10), (9999, 10)], [])
    assert changes(wanted, asks) == (gone, [(BID, 9999, 10)])
    bids = tracker((BID, 10000, 10, state))
    wanted = quotes([], [(10000, 10), (10001, 10)])
    assert changes(wanted, bids) == (gone, [(ASK, 10001, 10)])


ORDERS = st.lists(
    st.tuples(
        st.sampled_from([BID, ASK]),
        st.integers(9990, 10010),
        st.integers(1, 12),
        st.sampled_from([OPEN, SENT, CLOSING, UNKNOWN]),
    ),
    max_size=8,
)
LEVELS = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=4)


@settings(max_examples=200)
@given(ORDERS, LEVELS, LEVELS, st.integers(9992, 10008), st.sampled_from([0.0, 1.0, 2.0, 5.0]))
def test_the_result_is_what_was_wanted(
    orders: list[Order],
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
    middle: int,
    price_bps: float,
) -> None:
    below = sorted({middle - gap: lots for gap, lots in bids}.items(), reverse=True)
    above = sorted({middle + gap: lots for gap, lots in asks}.items())
    wanted, tracked = quotes(below, above), tracker(*orders)
    found = diff(wanted, tracked, tolerance(price_tolerance_bps=price_bps), PLENTY, 0)
    gone = {order.order_id for order in found.cancels}
    assert len(gone) == len(found.cancels)
    assert all(order.state in (OPEN, UNKNOWN) for order in found.cancels)
    kept = [order for order in tracked.orders.values() if order.order_id not in gone]
    for side, levels in ((BID, below), (ASK, above)):
        stay = [order for order in kept if order.side is side]
        pending = [order for order in stay if order.state is not OPEN]
        pending += [o for o in found.cancels if o.side is side and o.state is not OPEN]
        places = [place for place in found.places if place.side is side]
        # Never more orders than wanted, but for those that cannot be cancelled yet.
        held = {order.order_id for order in [*stay, *pending]}
        assert len(held) + len(places) <= max(len(levels), len(held))
        assert {(place.ticks, place.lots) for place in places} <= set(levels)
        for order in stay:
            if order.state is OPEN:
                assert any(
                    abs(order.ticks - ticks) <= price_bps * ticks / 10_000
                    and 0.9 * lots <= order.leaves <= 1.1 * lots
                    for ticks, lots in levels
                )
    # Nothing placed meets what stays on the other side, nor another place.
    after = [(o.side, o.ticks) for o in kept] + [(p.side, p.ticks) for p in found.places]
    for place in found.places:
        for side, ticks in after:
            assert side is place.side or place.side * place.ticks < place.side * ticks


@settings(max_examples=100)
@given(LEVELS, LEVELS)
def test_nothing_is_sent_when_everything_already_rests(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    below = sorted({10000 - gap: lots for gap, lots in bids}.items(), reverse=True)
    above = sorted({10000 + gap: lots for gap, lots in asks}.items())
    wanted = quotes(below, above)
    places = [(place.side, place.ticks, place.lots, OPEN) for place in _placed(wanted)]
    assert changes(wanted, tracker(*places)) == NOTHING


def _placed(wanted: Quotes) -> list[Wanted]:
    return diff(wanted, Tracker(), tolerance(), PLENTY, 0).places
