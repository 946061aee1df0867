import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.actions import Cancel, Place
from mmbot.domain.order import FillMode, Side
from mmbot.execution.plan import pack


def place(order_id: int) -> Place:
    return Place(0, order_id, Side.BID, 100, 1, FillMode.POST_ONLY)


def test_nothing_to_do_makes_no_batch() -> None:
    assert pack(5, [], [], 4) == []


def test_three_cancels_and_three_places_take_two_batches_of_four() -> None:
    cancels = [Cancel(0, 1), Cancel(0, 2), Cancel(0, 3)]
    first, second = pack(5, cancels, [place(4), place(5), place(6)], 4)
    assert first.actions == (*cancels, place(4))
    assert second.actions == (place(5), place(6))
    assert first.ts_ns == second.ts_ns == 5


@pytest.mark.parametrize("size", [1, 4, 10])
@given(cancels=st.integers(0, 12), places=st.integers(0, 12))
def test_batches_keep_order_and_lose_nothing(size: int, cancels: int, places: int) -> None:
    wanted = [Cancel(0, i) for i in range(cancels)], [place(100 + i) for i in range(places)]
    batches = pack(1, *wanted, size)
    assert [action for batch in batches for action in batch.actions] == [*wanted[0], *wanted[1]]
    assert all(len(batch.actions) == size for batch in batches[:-1])
    assert all(0 < len(batch.actions) <= size for batch in batches)
