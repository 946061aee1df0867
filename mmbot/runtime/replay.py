"""The replay loop: venue events into the engine, its batches back to the venue, nothing else.

No clock, no waiting: time is what the venue says, so a run is a pure function of its inputs.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from mmbot.domain.actions import Batch
from mmbot.domain.events import Event, Timer
from mmbot.errors import InvariantViolation
from mmbot.ports import RunObserver, SimVenue

# How far time may pass while the engine has not asked for a wake-up (no book yet), nanoseconds.
_IDLE_NS = 100_000_000
_STEPS_BETWEEN_LOOKS = 256


class Decides(Protocol):
    """What is replayed: the engine, or something around it."""

    def next_wakeup_ns(self) -> int | None:
        """When a Timer is wanted; None before the first book."""
        ...

    def handle(self, event: Event) -> Sequence[Batch]:
        """Take in one event; return what must be sent, in order."""
        ...


def replay(
    engine: Decides,
    venue: SimVenue,
    observer: RunObserver,
    *,
    max_steps: int | None = None,
    keep_going: Callable[[], bool],
) -> int:
    """Run until the venue has nothing left, `max_steps` wake-ups passed or `keep_going` says no.

    `keep_going` is asked every few hundred steps: the place for progress and for Ctrl-C.
    Returns the number of steps taken. InvariantViolation when the engine's wake-up stands still.
    """
    with _settled():
        return _replay(engine, venue, observer, max_steps, keep_going)


@contextmanager
def _settled() -> Iterator[None]:
    """Have what is there already not searched for garbage again and again."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _replay(
    engine: Decides,
    venue: SimVenue,
    observer: RunObserver,
    max_steps: int | None,
    keep_going: Callable[[], bool],
) -> int:
    handle = engine.handle
    steps = 0
    woken_ns = -1
    while not venue.finished and (max_steps is None or steps < max_steps):
        wakeup_ns = engine.next_wakeup_ns()
        if wakeup_ns is None:
            wakeup_ns = venue.now_ns + _IDLE_NS
        elif wakeup_ns <= woken_ns:
            raise InvariantViolation(
                f"the engine, woken at {woken_ns} ns, asks to be woken at {wakeup_ns} ns again: "
                "time would never pass"
            )
        for event in venue.advance(wakeup_ns):
            for batch in handle(event):
                venue.submit(batch)
                observer.batch(batch)
        now_ns = venue.now_ns
        if now_ns < wakeup_ns:
            continue
        woken_ns = now_ns
        # Nothing comes of it when an event has brought the decision about already.
        for batch in handle(Timer(now_ns, now_ns)):
            venue.submit(batch)
            observer.batch(batch)
        observer.step(now_ns)
        steps += 1
        if steps % _STEPS_BETWEEN_LOOKS == 0 and not keep_going():
            break
    return steps
