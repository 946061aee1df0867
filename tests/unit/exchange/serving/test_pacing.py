"""Time by the wall and time by steps."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from mmbot.exchange.running.pacing import SteppedPace, WallPace, wait, wall_start


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30)), max_size=30))
def test_calls_are_made_when_due_in_the_order_of_their_time(plan: list[tuple[int, int]]) -> None:
    pace = SteppedPace(1000)
    made: list[tuple[int, int]] = []
    wanted: list[tuple[int, int]] = []
    for number, (delay, move) in enumerate(plan):
        due = pace.now_ns + delay
        wanted.append((due, number))
        pace.later(delay, lambda due=due, number=number: made.append((due, number)))  # type: ignore[misc]
        pace.move(pace.now_ns + move)
        before = len(made)
        assert pace.call_due() == len(made) - before
        assert sorted(made) == sorted(each for each in wanted if each[0] <= pace.now_ns)
        assert made[before:] == sorted(made[before:])
    assert pace.is_awaited is (len(made) < len(wanted))


def test_stepped_time_never_goes_back() -> None:
    pace = SteppedPace(1000)
    pace.move(900)
    assert pace.now_ns == 1000


def test_wall_time_goes_on_from_where_it_starts() -> None:
    pace = WallPace(5 * 10**18)
    first, second = pace.now_ns, pace.now_ns
    assert 5 * 10**18 <= first <= second < 5 * 10**18 + 10**9


def test_a_wait_ends_when_its_time_has_come() -> None:
    async def work() -> None:
        pace = SteppedPace(0)
        waiting = asyncio.create_task(wait(pace, 100))
        await asyncio.sleep(0)
        pace.move(99)
        pace.call_due()
        await asyncio.sleep(0)
        assert not waiting.done()
        pace.move(100)
        pace.call_due()
        await asyncio.wait_for(waiting, 1)

    asyncio.run(work())


def test_a_restored_exchange_starts_no_earlier_than_it_stopped() -> None:
    ahead = time.time_ns() + 10**15
    assert wall_start(ahead) == ahead
    assert abs(wall_start(1) - time.time_ns()) < 10**10
