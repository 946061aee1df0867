import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.errors import InvariantViolation
from mmbot.execution.order_ids import OrderIds


def test_id_carries_instance_epoch_and_sequence() -> None:
    # 3 << 45 | 5 << 32 | 1 = 105553116266496 + 21474836480 + 1
    assert OrderIds(3, 5).next() == 105_574_591_102_977


def test_largest_id_is_the_largest_number_json_keeps() -> None:
    ids = OrderIds(255, 8191, issued=2**32 - 2)
    assert ids.next() == 2**53 - 1


def test_sequence_does_not_run_into_the_epoch() -> None:
    ids = OrderIds(0, 0, issued=2**32 - 1)
    with pytest.raises(InvariantViolation, match="4294967295 order ids"):
        ids.next()


@pytest.mark.parametrize(
    ("instance", "epoch", "issued"),
    [(256, 0, 0), (-1, 0, 0), (0, 8192, 0), (0, -1, 0), (0, 0, -1), (0, 0, 2**32)],
)
def test_parts_that_do_not_fit_are_refused(instance: int, epoch: int, issued: int) -> None:
    with pytest.raises(ValueError, match="must fit"):
        OrderIds(instance, epoch, issued=issued)


@given(
    st.tuples(st.integers(0, 255), st.integers(0, 8191)),
    st.tuples(st.integers(0, 255), st.integers(0, 8191)),
    st.integers(0, 2**32 - 2),
)
def test_runs_never_share_an_id(mine: tuple[int, int], other: tuple[int, int], issued: int) -> None:
    ids, others = OrderIds(*mine, issued=issued), OrderIds(*other, issued=issued)
    before = ids.next()
    theirs = others.next()
    assert 0 < before < 2**53
    assert (before == theirs) is (mine == other)
    assert ids.owns(theirs) is (mine[0] == other[0])
    assert ids.issued(theirs) is (mine == other)


def test_only_ids_handed_out_count_as_issued() -> None:
    ids = OrderIds(1, 1)
    first = ids.next()
    assert ids.issued(first)
    assert not ids.issued(first + 1)
    assert not ids.issued(first - 1)
    assert not ids.owns(-1)


def test_an_id_tells_its_run() -> None:
    ids = OrderIds(3, 5)
    assert ids.epoch == 5
    assert ids.epoch_of(ids.next()) == 5
    assert ids.epoch_of(OrderIds(3, 8191).next()) == 8191
    assert ids.epoch_of(OrderIds(4, 5).next()) is None
