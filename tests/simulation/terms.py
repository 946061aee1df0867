"""What a bot is held to, and what it says of itself: the two inputs of the judge."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from mmbot.domain.order import Level
from mmbot.domain.status import Mode
from tests.simulation.process import Process


class MarketBelief(Protocol):
    """What a bot says of one market, as MarketStatus does."""

    @property
    def reason(self) -> str | None: ...
    @property
    def bids(self) -> tuple[Level, ...]: ...
    @property
    def asks(self) -> tuple[Level, ...]: ...
    @property
    def position_lots(self) -> int: ...


class Belief(Protocol):
    """What a bot says of itself, as far as it is judged: a StatusView, or the same in short."""

    @property
    def mode(self) -> Mode: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...
    @property
    def epoch(self) -> int: ...
    @property
    def orders(self) -> int: ...
    @property
    def markets(self) -> Sequence[MarketBelief]: ...


class Decision(NamedTuple):
    """When a place was decided, on the loop's time, and what the bot said of itself then."""

    at_s: float
    belief: Belief


class MarketTerms(NamedTuple):
    """Limits of one market, in lots: of the worst case, and the largest order (k)."""

    levels: int
    limit_lots: int
    order_lots: int


class Terms(Struct, frozen=True, kw_only=True):
    """What a bot is held to. Times in seconds; markets by the exchange's market id.

    `total_usd` bounds the sum of the markets' worst cases at the index, `daily_loss_usd` what a day
    may lose, None for no bound.
    """

    account: int = 1
    instance: int = 7
    markets: tuple[MarketTerms, ...]
    total_usd: float | None = None
    daily_loss_usd: float | None = None
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
    def belief(self) -> Belief | None:
        """What the bot says of itself now, None while none runs."""
        ...

    def told_by(self, process: Process) -> Belief | None:
        """What the bot of a process says of itself."""
        ...

    def decided_by(self, process: Process, client_id: int | None) -> Decision | None:
        """When and how the bot of a process decided on a place, if it says so."""
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
