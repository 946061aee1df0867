"""The pace: cancels of a second, requests of a minute, whoever sends them."""

from mmbot.adapters.zo.trading.pace import Pace

SECOND = 1_000_000_000


def test_no_second_has_more_cancels_than_allowed() -> None:
    pace = Pace(20, 600)
    for _ in range(5):
        assert pace.has(SECOND, 4)
        pace.spend(SECOND, 4)
    assert not pace.has(SECOND)
    assert not pace.has(2 * SECOND)
    assert pace.has(2 * SECOND + SECOND // 5, 20)


def test_a_batch_larger_than_the_rate_leaves_when_none_else_has() -> None:
    pace = Pace(2, 600)
    assert pace.has(SECOND, 4)
    pace.spend(SECOND, 4)
    assert not pace.has(SECOND + 1)


def test_less_than_one_a_second_is_one_in_longer() -> None:
    pace = Pace(0.5, 600)
    pace.spend(SECOND)
    assert not pace.has(2 * SECOND + SECOND // 2)
    assert pace.has(3 * SECOND + SECOND // 5)


def test_places_end_before_the_requests_do() -> None:
    pace = Pace(20, 100)
    pace.sent(SECOND, 91)
    assert not pace.crowded(SECOND)
    pace.sent(SECOND, 92)
    assert pace.crowded(SECOND)
    # More than there were is counted as far as that goes.
    pace.sent(2 * SECOND, 150)
    assert pace.crowded(2 * SECOND)
    assert not pace.crowded(63 * SECOND)
