import pytest

from mmbot.domain.order import POST_ONLY, Side
from mmbot.risk.rejects import (
    REDUCE_IS_POST_ONLY,
    TOO_MANY,
    CancelWatch,
    Permission,
    RejectWatch,
    is_position,
    is_risk,
)

BID, ASK = Side.BID, Side.ASK
SECOND = 10**9
ALL, CANCELS, WAIT = Permission.ALL, Permission.CANCELS, Permission.NOTHING_YET


def test_a_post_only_refusal_waits_for_a_newer_book() -> None:
    watch = RejectWatch()
    assert watch.permission(5, 10) is ALL
    watch.take(BID, POST_ONLY, 2, 10)
    assert watch.permission(None, 11) is WAIT
    assert watch.permission(10, 11) is WAIT
    assert watch.permission(11, 11) is ALL


def test_five_of_them_in_two_seconds_leave_cancels_alone_for_two() -> None:
    watch = RejectWatch()
    for at in range(5):
        watch.take(BID, POST_ONLY, 2, at * SECOND // 2)
    assert watch.permission(3 * SECOND, 3 * SECOND) is CANCELS
    assert watch.permission(4 * SECOND, 4 * SECOND - 1) is CANCELS
    assert watch.permission(4 * SECOND, 4 * SECOND) is ALL
    slower = RejectWatch()
    for at in range(5):
        slower.take(BID, POST_ONLY, 2, at * SECOND // 2 + (at == 4))
    assert slower.permission(3 * SECOND, 3 * SECOND) is ALL


def test_a_risk_refusal_disables_its_side_for_longer_each_time() -> None:
    watch = RejectWatch()
    now, waits = 0, []
    for _ in range(8):
        watch.take(BID, "RISK_OMF_LESS_THAN_OR_EQUAL_IMF", 2, now)
        start = now
        while watch.disabled(BID, now):
            now += SECOND
        waits.append((now - start) // SECOND)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert not watch.disabled(ASK, start)
    now += 61 * SECOND
    watch.take(BID, "BALANCE_INSUFFICIENT", 2, now)
    assert not watch.disabled(BID, now + SECOND)


def test_too_many_orders_mean_fewer_levels_for_a_minute() -> None:
    watch = RejectWatch()
    assert watch.most_levels(0) is None
    watch.take(BID, TOO_MANY, 3, 0)
    assert watch.most_levels(60 * SECOND - 1) == 2
    assert watch.most_levels(60 * SECOND) is None
    watch.take(BID, TOO_MANY, 1, 0)
    assert watch.most_levels(1) == 1


def test_more_than_eight_in_ten_seconds_pause_for_five() -> None:
    watch = RejectWatch()
    for at in range(8):
        watch.take(ASK, "PRICE", 2, at * SECOND)
    assert not watch.paused(7 * SECOND)
    watch.take(ASK, "PRICE", 2, 8 * SECOND)
    assert watch.paused(13 * SECOND - 1)
    assert not watch.paused(13 * SECOND)


def test_it_becomes_quiet_again() -> None:
    watch = RejectWatch()
    assert watch.quiet
    watch.take(BID, POST_ONLY, 2, 0)
    assert not watch.quiet
    watch.settle(11 * SECOND)
    assert not watch.quiet
    watch.settle(12 * SECOND)
    assert watch.quiet


@pytest.mark.parametrize(
    ("name", "risk", "position"),
    [
        ("RISK", True, False),
        ("BALANCE_INSUFFICIENT", True, False),
        ("POSITION_SIZE_LIMIT", True, True),
        ("ORDER_SIZE_EXCEEDS_POSITION_SIZE", True, True),
        ("CAN_REDUCE_POSITION_ONLY_IF_ALL_ORDERS_ARE_CANCELED", False, True),
        ("POSITION_STATE_ORDER_SIZE", False, True),
        (POST_ONLY, False, False),
        (REDUCE_IS_POST_ONLY, False, False),
    ],
)
def test_kinds_of_refusals(name: str, risk: bool, position: bool) -> None:
    assert is_risk(name) is risk
    assert is_position(name) is position


def test_the_third_unsolicited_cancel_in_a_minute_takes_an_operator() -> None:
    watch = CancelWatch()
    assert not watch.waiting
    assert not watch.take(0)
    assert watch.waiting
    watch.judged_good()
    assert not watch.waiting
    assert not watch.take(30 * SECOND)
    assert not watch.take(60 * SECOND + 1)
    assert watch.take(61 * SECOND)
    assert not watch.take(62 * SECOND)
