from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mmbot.adapters.web.backoff import Backoff, BackoffParams

S = 1_000_000_000


class Highest(Random):
    """Always draws the ceiling."""

    def uniform(self, _low: float, high: float) -> float:
        return high


def test_the_ceiling_doubles_up_to_the_most_and_stays_there() -> None:
    backoff = Backoff(BackoffParams(attempts=10**6), Highest())
    delays = [backoff.delay_s(0, 0.0) for _ in range(3000)]
    assert delays[:9] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert set(delays[9:]) == {30.0}


def test_only_what_held_long_enough_starts_anew() -> None:
    backoff = Backoff(BackoffParams(attempts=10**6), Highest())
    for held, ceiling in ((0.0, 0.25), (9.9, 0.5), (0.0, 1.0), (10.0, 0.25), (0.0, 0.5)):
        assert backoff.delay_s(0, held) == ceiling


def test_jitter_is_full_also_at_the_ceiling() -> None:
    backoff = Backoff(BackoffParams(attempts=10**6), Random(1))
    delays = [backoff.delay_s(0, 0.0) for _ in range(2000)][10:]
    assert min(delays) < 1.0
    assert max(delays) > 29.0
    assert 14.0 < sum(delays) / len(delays) < 16.0


@given(
    st.integers(0, 2**32),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 1)), min_size=20, max_size=60),
)
def test_never_more_attempts_in_a_minute_than_agreed(
    seed: int, lives: list[tuple[float, float]]
) -> None:
    backoff = Backoff(BackoffParams(), Random(seed))
    now = 0.0
    begun = []
    for held, hope in lives:
        backoff.begin(round(now * S))
        begun.append(now)
        now += held
        delay = backoff.delay_s(round(now * S), held)
        # Somewhere in the pause there is hope.
        early = backoff.spare(round((now + hope * delay) * S))
        now += hope * delay if early else delay
    for first, eleventh in zip(begun, begun[10:], strict=False):
        assert eleventh - first >= 60.0 - 1e-6


def test_the_last_of_a_minute_is_kept_for_hope() -> None:
    backoff = Backoff(BackoffParams(first_s=0.0, most_s=0.0), Random(1))
    for second in range(9):
        assert backoff.delay_s(second * S, 0.0) == 0.0
        backoff.begin(second * S)
    # Nine within nine seconds: the tenth has to wait for the first to be a minute old.
    assert backoff.delay_s(9 * S, 0.0) == 51.0
    assert backoff.spare(9 * S)
    backoff.begin(9 * S)
    assert not backoff.spare(10 * S)
    assert not backoff.spare(60 * S - 1)
    assert backoff.spare(60 * S)
