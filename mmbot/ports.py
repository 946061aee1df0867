"""The interfaces between the loops and what they drive."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from mmbot.domain.actions import Batch
from mmbot.domain.control import Answer, OperatorCommand
from mmbot.domain.events import Event, Fill
from mmbot.domain.explained import Explanation
from mmbot.domain.figures import (
    NO_READINGS,
    CurvePoint,
    Ladder,
    MarketPnl,
    Readings,
    Timing,
)
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView, StopTrigger


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
    """What a venue measures of itself, None where nothing was yet. Times in milliseconds.

    `readings` are its own counts and times, `stops` its stop triggers by market, if it keeps any.
    """

    ack_p50_ms: float | None = None
    ack_p99_ms: float | None = None
    reconnects: int = 0
    readings: Readings = NO_READINGS
    stops: tuple[StopTrigger, ...] = ()


class FeedFigures(NamedTuple):
    """How a feed does: how often its connection was made anew, and what came over it."""

    stream: str
    reconnects: int = 0
    messages: int = 0


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


Told = Notice | Fill
"""What a subscriber hears of."""


class Subscription(Protocol):
    """What happens from now on, for one reader; one who is slow loses the oldest, and is told."""

    @property
    def dropped(self) -> int:
        """How many were lost because they were not read in time."""
        ...

    async def next(self) -> Told:
        """Wait for the next one."""
        ...

    def close(self) -> None:
        """Hear of nothing any more."""
        ...


class Control(Protocol):
    """A running bot, as every face sees it. All calls are made on the bot's own loop."""

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets traded, by the index that notices and fills name."""
        ...

    async def submit(self, command: OperatorCommand) -> Answer:
        """Do it, and say what came of it; raises nothing for the command's sake.

        What reduces risk has begun when this returns for the first time to the loop; the answer
        comes when the venue has confirmed it.
        """
        ...

    def status(self) -> StatusView:
        """Say how the bot stands."""
        ...

    def explain(self, market: str | None = None) -> tuple[Explanation, ...]:
        """Say why the last quotes are what they are; nothing for a market that is not traded."""
        ...

    def subscribe(self, most: int = 1000) -> Subscription:
        """Hear of notices and fills, of which `most` are kept for a reader who is slow."""
        ...

    def delivered(self, severity: Severity, channel: str, *, taken: bool) -> None:
        """Count an alert that people were sent over a channel; `taken`: it has arrived there."""
        ...


class Instruments(Protocol):
    """What is measured of a running bot, for those who watch it. All calls return at once."""

    def readings(self) -> Readings:
        """Return all counts, gauges and times."""
        ...

    def ladders(self, levels: int) -> tuple[Ladder, ...]:
        """Return so many levels a side of every market's book."""
        ...

    def pnl(self) -> tuple[MarketPnl, ...]:
        """Return every market's profit, and where it came from."""
        ...

    def curve(self) -> tuple[CurvePoint, ...]:
        """Return equity and profit over this run, oldest first."""
        ...

    def fills(self) -> tuple[Fill, ...]:
        """Return the newest fills of this run, oldest first."""
        ...

    def notices(self) -> tuple[Notice, ...]:
        """Return what people were told last, oldest first."""
        ...

    def timings(self) -> tuple[Timing, ...]:
        """Return how long things take."""
        ...
