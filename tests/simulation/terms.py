"""What a bot is held to, and what it says of itself: the two inputs of the judge."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from msgspec import Struct

from mmbot.domain.status import StatusView
from tests.simulation.process import Process


class MarketTerms(NamedTuple):
    """Limits of one market, in lots: of the worst case, and the largest order (k)."""

    levels: int
    limit_lots: int
    order_lots: int


class Terms(Struct, frozen=True, kw_only=True):
    """What a bot is held to. Times in seconds; markets by the exchange's market id.

    `total_usd` bounds the sum of the markets' worst cases at the index, None for no bound.
    """

    account: int = 1
    instance: int = 7
    markets: tuple[MarketTerms, ...]
    total_usd: float | None = None
    lifetime_s: int = 5
    reconcile_s: float = 5.0
    orphan_s: float = 5.0
    reaction_s: float = 0.5
    places_per_s: int = 10
    cancels_per_s: int = 20
    actions_per_min: int = 600
    band: float = 0.02
    may_take: bool = False
    most_tasks: int = 200
    most_sockets: int = 40


class Violation(NamedTuple):
    """A broken invariant: its id, the loop's time, and what happened."""

    invariant: str
    at_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.at_s:.3f} s: {self.text}"


class Surroundings(Protocol):
    """What the judge must know besides the exchange's truth."""

    @property
    def belief(self) -> StatusView | None:
        """What the bot says of itself now, None while none runs."""
        ...

    def told_by(self, process: Process) -> StatusView | None:
        """What the bot of a process says of itself."""
        ...

    @property
    def calm_since(self) -> float:
        """Since when the bot runs, is not frozen, reaches the venue and is understood there."""
        ...

    @property
    def started_s(self) -> float:
        """When the bot that runs now was started."""
        ...


Report = Callable[[str, str], None]
"""Takes an invariant and what broke it."""
