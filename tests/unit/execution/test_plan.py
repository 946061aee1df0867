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
    assert pack(5, [], 4) == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10])
@given(count=st.integers(0, 25))
def test_batches_lose_nothing_and_keep_the_order(size: int, count: int) -> None:
    cancels = [Cancel(0, at) for at in range(count)]
    batches = pack(5, cancels, size)
    assert len(batches) == requests(count, 0, 0, size) == requests(0, 0, count, size)
    assert all(0 < len(batch.actions) <= size and batch.ts_ns == 5 for batch in batches)
    assert [action for batch in batches for action in batch.actions] == cancels


def test_a_replacement_is_two_actions_that_are_not_parted() -> None:
    assert [requests(0, pairs, 0, 4) for pairs in (0, 1, 2, 3, 4, 5)] == [0, 1, 1, 2, 2, 3]
    assert [requests(0, pairs, 0, 3) for pairs in (1, 2, 3)] == [1, 2, 3]
    assert requests(5, 3, 1, 4) == 2 + 2 + 1
