"""A bucket against its definition: tokens counted one by one."""

from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.bucket import Bucket

STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=40)


@given(st.integers(1, 9), st.integers(1, 7), STEPS)
def test_it_is_what_a_count_of_tokens_is(
    period: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    bucket, now, tokens, since = Bucket(period, burst), 0, burst, 0
    for gap, count in steps:
        for _ in range(gap):
            now += 1
            since += 1
            if tokens >= burst:
                since = 0
            elif since == period:
                tokens, since = tokens + 1, 0
        if tokens >= burst:
            since = 0
        assert bucket.free(now) == tokens
        wait = bucket.wait_ns(now, burst)
        assert bucket.free(now + wait) == burst
        assert not wait or bucket.free(now + wait - 1) < burst
        bucket.spend(now, count)
        tokens -= count
