"""What forbids quoting on the venue's side, each told once when it begins and once when it ends."""

from mmbot.adapters.web.clock import Clock
from mmbot.domain.events import Event, Hindrance
from mmbot.ports import Emit

ACCOUNT = "account"
ACTION_PATH = "action_path"
ENGINE_CLOCK = "engine_clock"
FROZEN = "market_frozen"
LIQUIDATED = "liquidated"
LISTING = "listing"
MAINTENANCE = "maintenance"
RATE_LIMITED = "rate_limited"
RECOVERING = "recovering"
SESSION = "session"


class Outlet:
    """Hands events to the engine once it listens; what is told before waits for it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._emit: Emit | None = None
        self._early: list[Event] = []

    def connect(self, emit: Emit) -> None:
        """Tell `emit` from now on, and first what waits."""
        self._emit = emit
        early, self._early = self._early, []
        for event in early:
            emit(event)

    def tell(self, event: Event) -> None:
        """Hand an event on."""
        if self._emit is None:
            self._early.append(event)
        else:
            self._emit(event)


class Hindrances:
    """The hindrances in force, by name and market."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._held: dict[tuple[str, int | None], str] = {}

    def holds(self, name: str, market: int | None = None) -> bool:
        """Whether it is in force."""
        return (name, market) in self._held

    def begin(self, name: str, reason: str, market: int | None = None) -> None:
        """Forbid quoting; a second reason for the same one is not told."""
        if (name, market) not in self._held:
            self._held[name, market] = reason
            self._tell(name, market, reason)

    def end(self, name: str, market: int | None = None) -> None:
        """Allow it again."""
        if self._held.pop((name, market), None) is not None:
            self._tell(name, market, None)

    def choose(self, name: str, reason: str | None, market: int | None = None) -> None:
        """Begin with a reason, end without one."""
        if reason is None:
            self.end(name, market)
        else:
            self.begin(name, reason, market)

    def _tell(self, name: str, market: int | None, reason: str | None) -> None:
        now_ns = self._outlet.clock()
        self._outlet.tell(Hindrance(0, now_ns, name, market, reason))
