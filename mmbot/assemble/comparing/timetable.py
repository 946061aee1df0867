"""When a run decided, from its journal, and an engine that decides at just these times.

Two runs that decide some milliseconds apart see different prices, keep different orders within the
requote tolerance, and have drifted apart within seconds. That says nothing about a backtest, so a
run is replayed at its own times. A batch that places was a decision; between two of them a market
decided once per interval, and these are spread evenly.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import Event
from mmbot.engine import Engine


def timetable(entries: Iterable[Batch | Event], market: int, interval_ns: int) -> list[int]:
    """Return when a market was decided on, ascending; empty when it placed nothing."""
    batches = [entry for entry in entries if isinstance(entry, Batch)]
    known = sorted({batch.ts_ns for batch in batches if _decides(batch, market)})
    times: list[int] = []
    for begin_ns, end_ns in pairwise(known):
        count = max(1, (end_ns - begin_ns) // interval_ns)
        times += [begin_ns + (end_ns - begin_ns) * place // count for place in range(count)]
    return times + known[-1:]


def _decides(batch: Batch, market: int) -> bool:
    return any(isinstance(each, Place) and each.market == market for each in batch.actions)


class OnTime:
    """An engine whose markets decide by timetables, and by themselves after their ends."""

    def __init__(self, engine: Engine, timetables: Sequence[Sequence[int]]) -> None:
        self._engine = engine
        self._timetables = timetables
        self._due_ns = [desk.due_ns for desk in engine.desks]

    def next_wakeup_ns(self) -> int | None:
        """See Engine."""
        return self._engine.next_wakeup_ns()

    def handle(self, event: Event) -> Sequence[Batch]:
        """See Engine."""
        batches = self._engine.handle(event)
        for market, desk in enumerate(self._engine.desks):
            if desk.due_ns != self._due_ns[market]:
                times = self._timetables[market]
                place = bisect_right(times, event.ts_recv_ns)
                if place < len(times):
                    self._engine.decide_at(market, times[place])
                self._due_ns[market] = desk.due_ns
        return batches
