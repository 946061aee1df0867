"""The replay loop where it must not run for ever."""

from collections.abc import Sequence

import pytest

from mmbot.domain.actions import Batch
from mmbot.domain.events import Event
from mmbot.engine import Engine
from mmbot.errors import InvariantViolation
from mmbot.runtime.replay import replay
from tests.unit.engine.scene import START, Bench


class Quiet:
    """A venue where nothing ever happens but time, and an observer of it."""

    finished = False

    def __init__(self) -> None:
        self.now_ns = START
        self.steps: list[int] = []

    def advance(self, until_ns: int) -> Sequence[Event]:
        self.now_ns = max(self.now_ns, until_ns)
        return ()

    def submit(self, batch: Batch) -> None:
        raise AssertionError(batch)

    def batch(self, batch: Batch) -> None:
        raise AssertionError(batch)

    def step(self, now_ns: int) -> None:
        self.steps.append(now_ns)


class Sleepless:
    """An engine whose wake-up stays where it is."""

    def __init__(self, engine: Engine) -> None:
        self.handle = engine.handle

    def next_wakeup_ns(self) -> int | None:
        return START + 5


def test_a_wakeup_that_stands_still_is_refused() -> None:
    engine = Sleepless(Bench().engine)
    venue = Quiet()
    with pytest.raises(InvariantViolation, match=f"asks to be woken at {START + 5} ns again"):
        replay(engine, venue, venue, keep_going=lambda: True)
    assert venue.steps == [START + 5]


def test_time_passes_while_no_wakeup_is_wanted() -> None:
    venue = Quiet()
    assert replay(Bench().engine, venue, venue, max_steps=3, keep_going=lambda: True) == 3
    # A tenth of a second at a time.
    assert venue.steps == [START + tenth * 100_000_000 for tenth in (1, 2, 3)]
