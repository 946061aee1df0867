"""The day so far: each market's profit since 00:00 UTC, and the fills of the last 24 hours."""

from collections.abc import Sequence

from mmbot.domain.events import Fill
from mmbot.domain.order import Side
from mmbot.domain.status import DayFills

MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS
DAY_MINUTES = 1_440


class Day:
    """Counts by the minute, so that a busy day takes no more room than a quiet one."""

    def __init__(self, markets: int) -> None:
        self._day: int | None = None
        self._start_uusd = [0] * markets
        self._minutes: dict[int, list[int]] = {}

    def began(self, now_ns: int) -> bool:
        """Has a new day begun since the last call? Not at the first: a run begins at nothing."""
        day, before = now_ns // DAY_NS, self._day
        self._day = day
        return before is not None and day > before

    def start(self, pnl_uusd: Sequence[int]) -> None:
        """Count each market's profit from here on."""
        self._start_uusd = list(pnl_uusd)

    def pnl_uusd(self, market: int, pnl_uusd: int) -> int:
        """Return the day's share of a market's profit since the start of the run."""
        return pnl_uusd - self._start_uusd[market]

    def fill(self, fill: Fill) -> None:
        """Count a fill."""
        self.count(fill.ts_recv_ns // MINUTE_NS, fill.side, 1)

    def count(self, minute: int, side: Side, fills: int) -> None:
        """Count the fills of a minute, those of earlier runs for example."""
        counts = self._minutes.setdefault(minute, [0, 0])
        counts[0 if side is Side.BID else 1] += fills
        if len(self._minutes) > DAY_MINUTES + 1:
            del self._minutes[min(self._minutes)]

    def fills(self, now_ns: int) -> DayFills:
        """Return how many there were in the last 24 hours."""
        oldest = now_ns // MINUTE_NS - DAY_MINUTES
        found = [counts for minute, counts in self._minutes.items() if minute > oldest]
        return DayFills(sum(each[0] for each in found), sum(each[1] for each in found))
