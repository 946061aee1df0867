import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.actions import Cancel, Place
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.execution.diff import Changes, Wanted
from mmbot.execution.plan import match, pack, requests
from mmbot.execution.tracker import WorkingOrder

BID, ASK = Side.BID, Side.ASK
OPEN, UNKNOWN = OrderState.OPEN, OrderState.UNKNOWN


def place(order_id: int) -> Place:
    return Place(0, order_id, Side.BID, 100, 1, FillMode.POST_ONLY)


def order(ticks: int, side: Side = BID, state: OrderState = OPEN) -> WorkingOrder:
    working = WorkingOrder(Place(0, ticks, side, ticks, 1, FillMode.POST_ONLY), 0)
    working.state = state
    return working


def matched(
    cancels: list[WorkingOrder], places: list[Wanted]
) -> tuple[list[int], list[tuple[int, int]], list[int]]:
    alone, pairs, rest = match(Changes(cancels, places))
    return (
        [one.ticks for one in alone],
        [(old.ticks, new.ticks) for old, new in pairs],
        [new.ticks for new in rest],
    )


def test_a_place_replaces_the_best_order_of_its_side() -> None:
    cancels = [order(97), order(99), order(103, ASK)]
    places = [Wanted(BID, 98, 1), Wanted(ASK, 104, 1), Wanted(ASK, 105, 1)]
    assert matched(cancels, places) == ([97], [(99, 98), (103, 104)], [105])


def test_an_order_that_may_not_be_there_carries_no_place() -> None:
    cancels = [order(99, state=UNKNOWN)]
    assert matched(cancels, [Wanted(BID, 98, 1)]) == ([99], [], [98])


def test_the_side_in_the_way_is_replaced_first() -> None:
    bids = [Wanted(BID, 103, 1), Wanted(ASK, 106, 1)]
    assert matched([order(99), order(102, ASK)], bids)[1] == [(102, 106), (99, 103)]
    asks = [Wanted(BID, 94, 1), Wanted(ASK, 98, 1)]
    assert matched([order(99), order(102, ASK)], asks)[1] == [(99, 94), (102, 98)]


def test_nothing_to_do_makes_no_batch() -> None:
    assert pack(5, [], [], [], 4) == []


def test_cancels_go_first_then_pairs_then_places() -> None:
    pairs = [(Cancel(0, at), place(10 + at)) for at in (1, 2, 3)]
    first, second, third, fourth = pack(5, [Cancel(0, 9)], pairs, [place(20)], 4)
    assert first.actions == (Cancel(0, 9),)
    assert second.actions == (Cancel(0, 1), Cancel(0, 2), place(11), place(12))
    assert third.actions == (Cancel(0, 3), place(13))
    assert fourth.actions == (place(20),)
    assert {batch.ts_ns for batch in (first, second, third, fourth)} == {5}


def test_a_pair_without_its_place_is_a_cancel_where_it_was() -> None:
    (batch,) = pack(5, [], [(Cancel(0, 1), None), (Cancel(0, 2), place(12))], [], 4)
    assert batch.actions == (Cancel(0, 1), Cancel(0, 2), place(12))


@pytest.mark.parametrize("size", [2, 3, 4, 10])
@given(cancels=st.integers(0, 12), pairs=st.integers(0, 12), places=st.integers(0, 12))
def test_batches_lose_nothing_and_part_no_pair(
    size: int, cancels: int, pairs: int, places: int
) -> None:
    alone = [Cancel(0, at) for at in range(cancels)]
    both = [(Cancel(0, 100 + at), place(200 + at)) for at in range(pairs)]
    new = [place(300 + at) for at in range(places)]
    batches = pack(1, alone, both, new, size)
    assert len(batches) == requests(cancels, pairs, places, size)
    assert all(0 < len(batch.actions) <= size for batch in batches)
    sent = [action for batch in batches for action in batch.actions]
    assert len(sent) == cancels + 2 * pairs + places
    assert {action.order_id for action in sent} == {
        *range(cancels),
        *range(100, 100 + pairs),
        *range(200, 200 + pairs),
        *range(300, 300 + places),
    }
    for batch in batches:
        kinds = [isinstance(action, Place) for action in batch.actions]
        assert kinds == sorted(kinds)
        ids = [action.order_id for action in batch.actions]
        assert all(one + 100 in ids for one in ids if 100 <= one < 200)
