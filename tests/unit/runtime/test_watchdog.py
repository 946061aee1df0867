"""The thread that watches the loop, polled by hand on a clock of the test's."""

import threading

from mmbot.runtime.watchdog import Watchdog

MS = 1_000_000
PATIENCE_S = 10.0


class Bench:
    """A watchdog whose time the test moves; `turn` is time with a loop that turns or not."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.reasons: list[str] = []
        self.aborts = 0
        self.tripped = threading.Event()
        self.dog = Watchdog(self._trip, self._abort, clock=lambda: self.now_ns)
        self.dog.beat()

    def _trip(self, reason: str) -> None:
        self.reasons.append(reason)
        self.tripped.set()

    def _abort(self) -> None:
        self.aborts += 1

    def turn(self, ms: int, blocked: bool, step_ms: int = 50) -> None:
        for _ in range(ms // step_ms):
            self.now_ns += step_ms * MS
            if not blocked:
                self.dog.beat()
            self.dog.poll()

    def waits_for_trip(self) -> None:
        assert self.tripped.wait(PATIENCE_S)
        self.tripped.clear()


def test_a_loop_that_turns_is_left_alone() -> None:
    bench = Bench()
    bench.turn(60_000, blocked=False)
    bench.turn(950, blocked=True)
    bench.turn(1_000, blocked=False)
    bench.turn(950, blocked=True)
    assert (bench.reasons, bench.aborts) == ([], 0)


def test_a_blocked_loop_trips_once_and_is_aborted_later() -> None:
    bench = Bench()
    bench.turn(100, blocked=False)
    bench.turn(1_100, blocked=True)
    bench.waits_for_trip()
    assert len(bench.reasons) == 1
    assert "blocked for 1.1 s" in bench.reasons[0]
    bench.turn(3_800, blocked=True)
    assert (len(bench.reasons), bench.aborts) == (1, 0)
    bench.turn(200, blocked=True)
    assert (len(bench.reasons), bench.aborts) == (1, 1)


def test_counting_begins_anew_when_the_loop_comes_back() -> None:
    bench = Bench()
    bench.turn(1_200, blocked=True)
    bench.waits_for_trip()
    bench.turn(50, blocked=False)
    bench.turn(1_200, blocked=True)
    bench.waits_for_trip()
    assert (len(bench.reasons), bench.aborts) == (2, 0)


def test_counting_begins_anew_when_abort_returns() -> None:
    bench = Bench()
    bench.turn(5_200, blocked=True)
    bench.waits_for_trip()
    assert bench.aborts == 1
    bench.turn(1_200, blocked=True)
    bench.waits_for_trip()
    assert (len(bench.reasons), bench.aborts) == (2, 1)


def test_time_that_the_whole_process_stood_does_not_count() -> None:
    bench = Bench()
    bench.turn(100, blocked=False)
    bench.turn(60_000, blocked=True, step_ms=20_000)
    assert (bench.reasons, bench.aborts) == ([], 0)


def test_the_thread_sees_what_the_polls_see() -> None:
    tripped, aborted = threading.Event(), threading.Event()
    dog = Watchdog(lambda _: tripped.set(), aborted.set, stall_s=0.1, abort_s=0.3)
    dog.start()
    try:
        assert tripped.wait(PATIENCE_S)
        assert aborted.wait(PATIENCE_S)
    finally:
        dog.stop()
