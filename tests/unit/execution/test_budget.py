import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.execution.budget import Budget, window
from mmbot.execution.plan import requests
from mmbot.execution.rates import RateLimitParams

SECOND = 10**9
MINUTE = 60 * SECOND


def budget(**changes: float) -> Budget:
    return Budget(RateLimitParams(**{"orders_per_second": 10, **changes}), 4)


def test_ten_places_a_second_and_no_eleventh() -> None:
    rates = budget()
    assert rates.allow(0, 0, 0, 12) == (0, 0, 10)
    rates.spend(0, 0, 10, 3)
    assert rates.allow(SECOND - 1, 0, 0, 1) == (0, 0, 0)
    assert rates.allow(SECOND, 0, 0, 12) == (0, 0, 10)


def test_tokens_come_back_one_by_one() -> None:
    rates = budget()
    rates.spend(0, 0, 4, 1)
    rates.spend(SECOND // 2, 0, 6, 2)
    assert rates.allow(SECOND, 0, 0, 10) == (0, 0, 4)
    assert rates.allow(SECOND * 3 // 2, 0, 0, 10) == (0, 0, 10)


def test_cancels_go_while_places_are_used_up() -> None:
    rates = budget()
    rates.spend(0, 0, 10, 3)
    assert rates.allow(0, 3, 0, 3) == (3, 0, 0)
    # A replacement without its place is a cancel.
    assert rates.allow(0, 1, 3, 3) == (4, 0, 0)


def test_a_replacement_takes_a_place_and_a_cancel() -> None:
    rates = budget(orders_per_second=3)
    assert rates.allow(0, 0, 2, 4) == (0, 2, 1)
    assert rates.allow(0, 0, 5, 4) == (2, 3, 0)


def test_a_place_waits_when_a_cancel_must() -> None:
    rates = budget(cancels_per_second=2)
    assert rates.allow(0, 3, 0, 4) == (2, 0, 0)
    assert rates.allow(0, 1, 2, 4) == (2, 0, 0)
    assert rates.allow(0, 2, 0, 4) == (2, 0, 4)


def test_the_reserve_of_requests_is_for_cancels_alone() -> None:
    # 10 requests a minute, 20 % kept: 8 for anyone, 2 for cancels only.
    rates = budget(requests_per_minute=10, orders_per_second=100)
    for step in range(8):
        assert rates.allow(step, 0, 0, 1) == (0, 0, 1)
        rates.spend(step, 0, 1, 1)
    assert rates.allow(10, 0, 0, 1) == (0, 0, 0)
    # A replacement needs no more requests than its cancel alone.
    assert rates.allow(10, 0, 1, 9) == (0, 1, 0)
    assert rates.allow(10, 1, 1, 0) == (2, 0, 0)
    rates.spend(10, 1, 0, 1)
    assert rates.allow(11, 8, 0, 0) == (4, 0, 0)
    rates.spend(11, 4, 0, 1)
    assert rates.allow(12, 1, 0, 0) == (0, 0, 0)
    assert rates.allow(MINUTE, 0, 0, 1) == (0, 0, 0)
    assert rates.allow(MINUTE, 1, 0, 0) == (1, 0, 0)
    assert rates.allow(MINUTE + 2, 0, 0, 1) == (0, 0, 1)


def test_places_are_cut_to_the_requests_there_are() -> None:
    # 5 requests, 1 kept: four batches of four.
    rates = budget(requests_per_minute=5, orders_per_second=100)
    assert rates.allow(0, 0, 0, 100) == (0, 0, 16)
    assert rates.allow(0, 6, 0, 100) == (6, 0, 8)
    # Two replacements to a batch.
    assert rates.allow(0, 0, 5, 100) == (0, 5, 4)


def test_batches_of_one_hold_no_replacement() -> None:
    rates = Budget(RateLimitParams(), 1)
    assert rates.allow(0, 1, 2, 3) == (3, 0, 3)


def test_a_rate_below_one_means_a_longer_wait() -> None:
    tokens = window(0.25, SECOND)
    assert tokens.free(0) == 1
    tokens.spend(0, 1)
    assert tokens.free(4 * SECOND - 1) == 0
    assert tokens.free(4 * SECOND) == 1
    assert window(1e-300, SECOND).free(0) == 1


@pytest.mark.parametrize(
    ("markets", "levels", "interval_ms"),
    [
        # 4 places of 10 a second; 2 batches of 480 unreserved a minute take 250 ms.
        (1, 2, 400.0),
        # 120 places.
        (20, 3, 12_000.0),
    ],
)
def test_how_often_everything_can_be_replaced(
    markets: int, levels: int, interval_ms: float
) -> None:
    assert RateLimitParams().requote_interval_ms([levels] * markets, 4) == pytest.approx(
        interval_ms
    )


@pytest.mark.parametrize(
    ("changes", "interval_ms"),
    [
        ({"orders_per_second": 1000, "cancels_per_second": 1}, 4000.0),
        # 2 batches, 48 a minute.
        ({"orders_per_second": 1000, "requests_per_minute": 60}, 2500.0),
    ],
)
def test_the_scarcest_rate_decides(changes: dict[str, float], interval_ms: float) -> None:
    params = RateLimitParams(**changes)
    assert params.requote_interval_ms([2], 4) == pytest.approx(interval_ms)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, SECOND // 3),
            st.integers(0, 5),
            st.integers(0, 5),
            st.integers(0, 9),
        ),
        max_size=60,
    ),
    st.sampled_from([1, 2, 3, 4]),
)
def test_no_window_ever_holds_more_than_its_limit(
    steps: list[tuple[int, int, int, int]], size: int
) -> None:
    rates = Budget(
        RateLimitParams(orders_per_second=10, cancels_per_second=7, requests_per_minute=30), size
    )
    now = 0
    places: list[int] = []
    cancels: list[int] = []
    batches: list[int] = []
    for gap, lone, pair, place in steps:
        now += gap
        free = 30 - sum(stamp > now - MINUTE for stamp in batches)
        able = min(7 - sum(stamp > now - SECOND for stamp in cancels), free * size)
        lone_now, pairs_now, places_now = rates.allow(now, lone, pair, place)
        # Every cancel goes that could go if there were no place in the world.
        assert lone_now + pairs_now == min(lone + pair, able)
        assert 0 <= pairs_now <= pair
        assert 0 <= places_now <= place
        if lone_now + pairs_now < lone + pair:
            assert pairs_now == places_now == 0
        count = requests(lone_now, pairs_now, places_now, size)
        rates.spend(now, lone_now + pairs_now, pairs_now + places_now, count)
        cancels += [now] * (lone_now + pairs_now)
        places += [now] * (pairs_now + places_now)
        batches += [now] * count
    for stamps, limit, period in (
        (places, 10, SECOND),
        (cancels, 7, SECOND),
        (batches, 30, MINUTE),
    ):
        for start in stamps:
            assert sum(start <= stamp < start + period for stamp in stamps) <= limit


def live(**changes: float) -> Budget:
    return Budget(RateLimitParams(orders_per_second=1_000, **changes), 4, reads_per_min=240)


def test_live_cancels_may_borrow_and_places_pay_back() -> None:
    rates = live(cancels_per_second=1_000)
    assert rates.allow(0, 40, 0, 4) == (40, 0, 4)
    assert not rates.scarce(0)
    rates.spend(0, 40, 0, 40)
    assert rates.scarce(0)
    # 288 unreserved a minute, 18 of them at once: 4.5 a second.
    assert rates.allow(4 * SECOND, 3, 2, 4) == (5, 0, 0)
    assert rates.allow(6 * SECOND, 0, 0, 4) == (0, 0, 4)
    assert rates.scarce(5 * SECOND)
    assert not rates.scarce(6 * SECOND)


def test_live_steady_places_come_evenly() -> None:
    rates = live()
    sent = []
    for step in range(0, 3 * MINUTE, SECOND // 20):
        if rates.allow(step, 0, 0, 1)[2]:
            rates.spend(step, 0, 1, 1)
            sent.append(step)
    for start in range(0, 2 * MINUTE, SECOND):
        assert 44 <= sum(start <= each < start + 10 * SECOND for each in sent) <= 46 + 18
