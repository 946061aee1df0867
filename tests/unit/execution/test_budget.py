from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.execution.budget import Budget, RateLimitParams, window

SECOND = 10**9
MINUTE = 60 * SECOND


def budget(**changes: float) -> Budget:
    return Budget(RateLimitParams(**{"orders_per_second": 10, **changes}), 4)


def test_ten_places_a_second_and_no_eleventh() -> None:
    rates = budget()
    assert rates.allow(0, 0, 12) == (0, 10)
    rates.spend(0, 0, 10)
    assert rates.allow(SECOND - 1, 0, 1) == (0, 0)
    assert rates.allow(SECOND, 0, 12) == (0, 10)


def test_tokens_come_back_one_by_one() -> None:
    rates = budget()
    rates.spend(0, 0, 4)
    rates.spend(SECOND // 2, 0, 6)
    assert rates.allow(SECOND, 0, 10) == (0, 4)
    assert rates.allow(SECOND * 3 // 2, 0, 10) == (0, 10)


def test_cancels_go_while_places_are_used_up() -> None:
    rates = budget()
    rates.spend(0, 0, 10)
    assert rates.allow(0, 3, 3) == (3, 0)


def test_a_place_waits_when_a_cancel_must() -> None:
    rates = budget(cancels_per_second=2)
    assert rates.allow(0, 3, 4) == (2, 0)
    assert rates.allow(0, 2, 4) == (2, 4)


def test_the_reserve_of_requests_is_for_cancels_alone() -> None:
    # 10 requests a minute, 20 % kept: 8 for anyone, 2 for cancels only.
    rates = budget(requests_per_minute=10, orders_per_second=100)
    for step in range(8):
        assert rates.allow(step, 0, 1) == (0, 1)
        rates.spend(step, 0, 1)
    assert rates.allow(10, 0, 1) == (0, 0)
    # The cancel's own request has three places left in its batch of four.
    assert rates.allow(10, 1, 9) == (1, 3)
    rates.spend(10, 1, 0)
    assert rates.allow(11, 8, 0) == (4, 0)
    rates.spend(11, 4, 0)
    assert rates.allow(12, 1, 0) == (0, 0)
    assert rates.allow(MINUTE, 0, 1) == (0, 0)
    assert rates.allow(MINUTE, 1, 0) == (1, 0)
    assert rates.allow(MINUTE + 2, 0, 1) == (0, 1)


def test_places_are_cut_to_the_requests_there_are() -> None:
    # 5 requests, 1 kept: four batches of four.
    rates = budget(requests_per_minute=5, orders_per_second=100)
    assert rates.allow(0, 0, 100) == (0, 16)
    assert rates.allow(0, 6, 100) == (6, 10)


def test_a_rate_below_one_means_a_longer_wait() -> None:
    tokens = window(0.25, SECOND)
    assert tokens.free(0) == 1
    tokens.spend(0, 1)
    assert tokens.free(4 * SECOND - 1) == 0
    assert tokens.free(4 * SECOND) == 1
    assert window(1e-300, SECOND).free(0) == 1


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, SECOND // 3), st.integers(0, 5), st.integers(0, 9)),
        max_size=60,
    )
)
def test_no_window_ever_holds_more_than_its_limit(steps: list[tuple[int, int, int]]) -> None:
    rates = budget(cancels_per_second=7, requests_per_minute=30)
    now, places, cancels, requests = 0, [], [], []
    for gap, cancel, place in steps:
        now += gap
        cancels_now, places_now = rates.allow(now, cancel, place)
        assert 0 <= cancels_now <= cancel
        assert 0 <= places_now <= place
        rates.spend(now, cancels_now, places_now)
        cancels += [now] * cancels_now
        places += [now] * places_now
        requests += [now] * -(-(cancels_now + places_now) // 4)
    for stamps, limit, period in (
        (places, 10, SECOND),
        (cancels, 7, SECOND),
        (requests, 30, MINUTE),
    ):
        for start in stamps:
            assert sum(start <= stamp < start + period for stamp in stamps) <= limit
