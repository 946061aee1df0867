"""The pace: cancels of a second, requests of a minute, whoever sends them."""

from mmbot.adapters.zo.rest.allowance import Allowance
from mmbot.adapters.zo.trading.pace import Pace

SECOND = 1_000_000_000


def test_no_second_has_more_cancels_than_allowed() -> None:
    pace = Pace(20, Allowance())
    for _ in range(5):
        assert pace.has(SECOND, 4)
        pace.spend(SECOND, 4)
    assert not pace.has(SECOND)
    assert not pace.has(2 * SECOND)
    assert pace.has(2 * SECOND + SECOND // 5, 20)


def test_a_batch_larger_than_the_rate_leaves_when_none_else_has() -> None:
    pace = Pace(2, Allowance())
    assert pace.has(SECOND, 4)
    pace.spend(SECOND, 4)
    assert not pace.has(SECOND + 1)


def test_less_than_one_a_second_is_one_in_longer() -> None:
    pace = Pace(0.5, Allowance())
    pace.spend(SECOND)
    assert not pace.has(2 * SECOND + SECOND // 2)
    assert pace.has(3 * SECOND + SECOND // 5)


def test_what_leaves_again_and_again_comes_ever_slower() -> None:
    pace = Pace(20, Allowance())
    at_once = 0
    while pace.again(SECOND):
        at_once += 1
    assert at_once <= 60
    later = sum(pace.again(SECOND + tenth * SECOND // 10) for tenth in range(1, 101))
    assert later == 30
