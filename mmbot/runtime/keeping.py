"""What a live bot needs around it, as the loop sees it: who writes down, who watches over it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mmbot.domain.actions import Batch
from mmbot.domain.events import Event
from mmbot.domain.notices import Notice
from mmbot.ports import Emit, FeedFigures, Leftovers
from mmbot.runtime.supervision import ExitReport


class Keeper(Protocol):
    """Writes down what happens; only `halt` and `end` wait for the disk, and nothing raises."""

    async def run(self) -> None:
        """Write down now and then what no event tells, until cancelled."""
        ...

    def event(self, event: Event) -> None:
        """Something has happened and been dealt with."""
        ...

    def batch(self, batch: Batch) -> None:
        """This was sent."""
        ...

    def notices(self, notices: Sequence[Notice]) -> None:
        """People should know this."""
        ...

    def trouble(self) -> str | None:
        """Why what is written cannot be relied on, if so: the disk fails or is far behind."""
        ...

    async def halt(self, reason: str, now_ns: int) -> None:
        """Latch a halt; returns when it is on the disk, or could not be put there."""
        ...

    async def end(self, report: ExitReport, now_ns: int) -> None:
        """The run is over; returns when everything is written, or cannot be."""
        ...


class LiveFeed(Protocol):
    """A feed whose books can be had read anew."""

    async def run(self, emit: Emit) -> None:
        """See ports.Feed."""
        ...

    def revalidate(self, reason: str, now_ns: int) -> None:
        """Believe nothing that came before now."""
        ...

    def figures(self) -> FeedFigures:
        """How it does."""
        ...


class Heart(Protocol):
    """Tells those who watch over the process that it lives."""

    def beat(self, now_ns: int, signs: Callable[[], Mapping[str, bool]]) -> None:
        """The loop turns; `signs` says of each sign of life whether it is there."""
        ...

    def reloading(self, *, begins: bool) -> None:
        """Settings are being read anew, or have been."""
        ...

    async def run(self) -> None:
        """Keep in touch with them until cancelled."""
        ...

    async def end(self, leftovers: Leftovers, *, anew: bool) -> None:
        """Say that the end is meant, and what is left; takes a moment at most.

        anew: another run begins in this process.
        """
        ...
