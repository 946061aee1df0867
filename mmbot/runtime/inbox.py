"""The one door to the engine: events in order of arrival, each dealt with before the next.

An event that comes while none is in hand is dealt with at once, by whoever brings it: nothing lies
between a frame and the orders it leads to. One that comes meanwhile waits its turn.
"""

from collections import deque
from collections.abc import Callable

from mmbot.domain.events import (
    BookUpdate,
    Event,
    IndexPrice,
    PublicTrades,
    ReferencePrice,
    Timer,
)

# What may be left out: a book has its levels already, a price has a newer one, and that takers
# traded is no reason to decide.
REPLACEABLE = frozenset({BookUpdate, PublicTrades, ReferencePrice, IndexPrice, Timer})


class Inbox:
    """Hands events to `take`; `limit` may wait, and beyond that prices are left out.

    What happened to the account is never left out. The first exception of `take` ends it all: it is
    kept in `failure`, `failed` is called, and no event is dealt with any more.
    """

    __slots__ = (
        "_busy",
        "_closed",
        "_failed",
        "_limit",
        "_take",
        "_waiting",
        "failure",
        "left_out",
    )

    def __init__(
        self, take: Callable[[Event], None], failed: Callable[[Exception], None], limit: int
    ) -> None:
        self.failure: Exception | None = None
        self.left_out = 0
        self._take = take
        self._failed = failed
        self._limit = limit
        self._busy = False
        self._closed = False
        self._waiting: deque[Event] = deque()

    def emit(self, event: Event) -> None:
        """See ports.Emit."""
        if self._busy:
            self._keep(event)
            return
        if self._closed:
            return
        self._busy = True
        waiting = self._waiting
        try:
            self._take(event)
            while waiting:
                self._take(waiting.popleft())
        except Exception as error:  # noqa: BLE001 - it ends the run, not the feed that called
            waiting.clear()
            self._closed = True
            self.failure = error
            self._failed(error)
        finally:
            self._busy = False

    def close(self) -> None:
        """Deal with nothing any more."""
        self._closed = True

    def take_left_out(self) -> int:
        """Return how many prices were left out since the last call."""
        count, self.left_out = self.left_out, 0
        return count

    def _keep(self, event: Event) -> None:
        if len(self._waiting) >= self._limit and type(event) in REPLACEABLE:
            self.left_out += 1
        else:
            self._waiting.append(event)
