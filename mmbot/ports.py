"""The interfaces between the loops and what they drive."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from mmbot.domain.actions import Batch
from mmbot.domain.events import Event


class SimVenue(Protocol):
    """A pretend exchange with its own clock, driven by runtime.replay."""

    @property
    def now_ns(self) -> int:
        """Local time reached, nanoseconds."""
        ...

    @property
    def finished(self) -> bool:
        """No market event or order message is left."""
        ...

    def advance(self, until_ns: int) -> Sequence[Event]:
        """Let time pass to `until_ns` or the first answer, whichever is earlier."""
        ...

    def submit(self, batch: Batch) -> None:
        """Send requests at `now_ns`; answers come out of a later `advance`."""
        ...


class RunObserver(Protocol):
    """Watches a replay; decides nothing."""

    def batch(self, batch: Batch) -> None:
        """See what was sent."""
        ...

    def step(self, now_ns: int) -> None:
        """See the state of things after a wake-up has been dealt with."""
        ...


Emit = Callable[[Event], None]
"""Hands an event to the engine; returns at once and raises nothing."""


class Leftovers(NamedTuple):
    """What a `cancel_all` could not prove to be gone: nothing when `proven` and no `orders`.

    `orders` are the venue's ids of orders of ours that rest, `reason` why nothing was proven.
    """

    proven: bool
    orders: tuple[int, ...] = ()
    reason: str = ""

    @property
    def clean(self) -> bool:
        """Two snapshots in a row, the second after anything could land, had no order of ours."""
        return self.proven and not self.orders


class VenueFigures(NamedTuple):
    """What a venue measures of itself, None where nothing was yet. Times in milliseconds."""

    ack_p50_ms: float | None = None
    ack_p99_ms: float | None = None
    reconnects: int = 0


class Venue(Protocol):
    """Where orders go, real or on paper, driven by runtime.live. All answers are events."""

    def submit(self, batch: Batch) -> None:
        """Send requests; never waits, never raises for the venue's sake."""
        ...

    async def run(self, emit: Emit) -> None:
        """Keep account, time and health known until cancelled."""
        ...

    async def cancel_all(self, deadline_s: float) -> Leftovers:
        """Send no place any more, take everything of ours off, and prove it.

        Works while `run` works and when it does not; orders of others are left alone.
        """
        ...


class Feed(Protocol):
    """Prices coming in: order books, prints, an outside price."""

    async def run(self, emit: Emit) -> None:
        """Tell what happens until cancelled."""
        ...
