"""The interfaces between the loops and what they drive."""

from collections.abc import Sequence
from typing import Protocol

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
