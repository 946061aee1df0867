"""Engine time against a simulated engine: what the estimate promises must hold of the true clock.

The engine, the network and the host's monotonic clock are simulated in true time; the estimator
sees only seconds and monotonic readings. The host's wall clock does not even exist here.
"""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.engine_time import ClockState, EngineClock, EngineSeconds
from mmbot.errors import Unavailable

S = 1_000_000_000
MS = 1_000_000
EPOCH_S = 1_780_000_000


class World:
    """True time, an engine that stalls and jumps, a host whose monotonic clock drifts."""

    def __init__(self, seed: int, drift_ppm: int = 0, rtt_ms: int = 100) -> None:
        self.random = Random(seed)
        self.now = 0
        self.engine = EPOCH_S * S + self.random.randrange(S)
        self.host = self.random.randrange(10**15)
        self.drift_ppm = drift_ppm
        self.rtt_ms = rtt_ms
        self.stalled = False
        self.clock = EngineClock()

    def wait(self, ns: int) -> None:
        """Let true time pass."""
        self.now += ns
        self.host += ns + ns * self.drift_ppm // 1_000_000
        if not self.stalled:
            self.engine += ns

    def pause(self, ns: int, host_counts: bool) -> None:
        """Freeze the host: a migrating machine may or may not count the time away."""
        self.now += ns
        self.host += ns if host_counts else 0
        self.engine += ns

    def poll(self, pause_ns: int = 0, host_counts: bool = True) -> None:
        """Read /timestamp over a network with jitter."""
        sent = self.host
        self.wait(self.random.randrange(self.rtt_ms * MS // 2 + 1))
        second = self.engine // S
        self.pause(pause_ns, host_counts)
        self.wait(self.random.randrange(self.rtt_ms * MS // 2 + 1))
        self.clock.observe(second, sent, self.host)

    def state(self) -> ClockState:
        return self.clock.state(self.host)

    def stamp(self, lifetime_s: int = 60) -> EngineSeconds:
        return self.clock.stamp(lifetime_s, self.host)

    def check_stamp(self, lifetime_s: int) -> None:
        """Check that a stamp is not in the engine's future and not alive for too long (I15)."""
        stamp, now_s = self.stamp(lifetime_s), self.engine // S
        assert stamp <= now_s
        assert stamp + 60 - now_s <= lifetime_s + 1


def waits(random: Random, count: int, most_s: float) -> Iterator[int]:
    return (random.randrange(int(most_s * S)) for _ in range(count))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(-100, 100), st.integers(0, 4_000), st.sampled_from([5, 60])
)
def test_a_healthy_engine_is_trusted_and_its_time_is_within_the_range(
    seed: int, drift_ppm: int, rtt_ms: int, lifetime_s: int
) -> None:
    world = World(seed, drift_ppm, rtt_ms)
    world.poll()
    for wait_ns in waits(world.random, 30, 3):
        world.wait(wait_ns)
        assert world.state() is ClockState.OK
        earliest, latest = world.clock.range_ns(world.host)
        assert earliest <= world.engine <= latest
        world.check_stamp(lifetime_s)
        # Not older than the wait, the round trip and a second: alive at the venue.
        assert world.engine // S - world.stamp() <= 3 + rtt_ms / 1000 + 2
        world.poll()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(-100, 100))
def test_readings_close_in_on_the_time(seed: int, drift_ppm: int) -> None:
    world = World(seed, drift_ppm, rtt_ms=20)
    for _ in range(60):
        world.poll()
        world.wait(world.random.randrange(S))
    earliest, latest = world.clock.range_ns(world.host)
    assert latest - earliest < 200 * MS


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(100, 1_000), st.sampled_from([1, 5, 30, 60]))
def test_a_clock_that_stands_still_is_noticed_and_never_overtaken(
    seed: int, every_ms: int, lifetime_s: int
) -> None:
    world = World(seed, rtt_ms=50)
    for _ in range(6):
        world.poll()
        world.wait(every_ms * MS)
    world.stalled = True
    began = world.now
    while world.now - began < 10 * S:
        world.poll()
        world.wait(every_ms * MS)
        # In a stall nothing proves a second beyond the last one shown.
        assert world.stamp() <= world.engine // S
        # Three seconds without progress, after the second that was running, and one more reading.
        if world.now - began > 4 * S + 2 * (every_ms + 50) * MS:
            assert world.state() is ClockState.STALLED
            world.check_stamp(lifetime_s)
    world.stalled = False
    while world.state() is ClockState.STALLED:
        world.poll()
        world.wait(every_ms * MS)
    assert world.state() is ClockState.JUMPED
    settled(world, every_ms)


def settled(world: World, every_ms: int) -> None:
    """Read until trusted; that takes five readings at least and not many more."""
    for _ in range(20):
        world.poll()
        world.wait(every_ms * MS)
        assert world.stamp() <= world.engine // S
        if world.state() is ClockState.OK:
            break
    assert world.state() is ClockState.OK
    earliest, latest = world.clock.range_ns(world.host)
    assert earliest <= world.engine <= latest


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(2_001, 600_000),
    st.booleans(),
    st.integers(50, 3_000),
)
def test_a_jump_of_two_seconds_is_distrusted_until_five_readings_agree(
    seed: int, jump_ms: int, back: bool, every_ms: int
) -> None:
    world = World(seed, rtt_ms=50)
    for _ in range(8):
        world.poll()
        world.wait(every_ms * MS)
    world.engine += -jump_ms * MS if back else jump_ms * MS
    world.poll()
    assert world.state() is ClockState.JUMPED
    assert world.stamp() <= world.engine // S
    for _ in range(4):
        world.wait(every_ms * MS)
        world.poll()
        assert world.state() is ClockState.JUMPED
    settled(world, every_ms)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 60),
    st.booleans(),
    st.booleans(),
    st.sampled_from([5, 60]),
)
def test_a_host_that_was_frozen_never_stamps_the_future(
    seed: int, pause_s: int, within_a_request: bool, host_counts: bool, lifetime_s: int
) -> None:
    world = World(seed, rtt_ms=100)
    for _ in range(8):
        world.poll()
        world.wait(S)
    if within_a_request:
        world.poll(pause_s * S, host_counts)
    else:
        world.pause(pause_s * S, host_counts)
    for _ in range(12):
        if world.host - world.clock._seen_ns <= 30 * S:
            world.check_stamp(lifetime_s)
        world.wait(200 * MS)
        world.poll()
    assert world.state() is ClockState.OK
    world.check_stamp(lifetime_s)


def test_a_receipt_proves_the_window_and_a_wrong_one_the_opposite() -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S, 0, S)
    clock.accepted(EngineSeconds(EPOCH_S), 2 * S, 3 * S)
    assert clock.state(3 * S) is ClockState.OK
    # 100 s in the engine's future, and yet taken: its clock is not what was read.
    clock.accepted(EngineSeconds(EPOCH_S + 100), 3 * S, 4 * S)
    assert clock.state(4 * S) is ClockState.JUMPED


def test_an_acceptance_narrows_a_wide_reading() -> None:
    clock = EngineClock()
    # The answer took 100 s: the engine showed its second at some time in between.
    clock.observe(EPOCH_S, 0, 100 * S)
    assert clock.range_ns(100 * S) == (EPOCH_S * S, (EPOCH_S + 101) * S)
    clock.accepted(EngineSeconds(EPOCH_S), 100 * S, 100 * S)
    earliest, latest = clock.range_ns(100 * S)
    assert (earliest, latest) == (EPOCH_S * S, (EPOCH_S + 61) * S)


def test_an_older_answer_that_comes_late_is_no_jump() -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S + 2, 2 * S, 2 * S + 100 * MS)
    clock.observe(EPOCH_S, 0, 3 * S)
    assert clock.state(3 * S) is ClockState.OK
    assert clock.stamp(60, 3 * S) == EPOCH_S + 2


def test_a_clock_that_was_set_back_does_not_stand_still() -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S, 0, MS)
    clock.observe(EPOCH_S - 60, 5 * S, 5 * S + MS)
    clock.observe(EPOCH_S - 60, 5 * S + 500 * MS, 5 * S + 501 * MS)
    assert clock.state(6 * S) is ClockState.JUMPED
    clock.observe(EPOCH_S - 60, 8 * S + 2 * MS, 8 * S + 3 * MS)
    assert clock.state(9 * S) is ClockState.STALLED


def test_without_readings_nothing_is_stamped() -> None:
    clock = EngineClock()
    assert clock.state(0) is ClockState.UNREAD
    with pytest.raises(Unavailable):
        clock.stamp(60, 0)
    with pytest.raises(Unavailable):
        clock.range_ns(0)
    clock.observe(EPOCH_S, 0, MS)
    assert clock.stamp(60, 30 * S) == EPOCH_S
    with pytest.raises(Unavailable):
        clock.stamp(60, 31 * S)


def test_a_clock_that_was_not_read_for_three_seconds_may_have_stopped_or_jumped() -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S, 0, MS)
    assert clock.state(3 * S + MS) is ClockState.OK
    assert clock.state(3 * S + 2 * MS) is ClockState.STALE
    # What it has jumped by shows in what is stamped meanwhile: set back by 16 s it would have
    # EPOCH - 13 now, and bytes that were to live 5 s live 21.
    assert clock.stamp(5, 3 * S + 2 * MS) + 60 - (EPOCH_S - 13) == 21
    clock.observe(EPOCH_S + 3, 3 * S + 2 * MS, 3 * S + 3 * MS)
    assert clock.state(3 * S + 3 * MS) is ClockState.OK


@pytest.mark.parametrize("lifetime_s", [0, -5, 61])
def test_a_lifetime_beyond_the_venues_window_is_refused(lifetime_s: int) -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S, 0, MS)
    with pytest.raises(ValueError, match="lifetime"):
        clock.stamp(lifetime_s, MS)


def test_back_dating_by_hand() -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S, 0, 0)
    # Ten seconds later the engine has EPOCH + 10 to 11; 5 s to live are left at 55 s of age.
    assert clock.stamp(5, 10 * S) == EPOCH_S + 9 - 55  # 2 ms of drift are allowed for
    assert clock.stamp(60, 10 * S) == EPOCH_S


def test_an_action_is_dead_a_second_after_its_window() -> None:
    clock = EngineClock()
    clock.observe(EPOCH_S + 60, 0, MS)
    stamp = EngineSeconds(EPOCH_S)
    assert not clock.expired(stamp)
    clock.observe(EPOCH_S + 61, S, S + MS)
    assert clock.expired(stamp)
