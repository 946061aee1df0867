"""Mids after trades: what a live run's ledger needs to tell spread from adverse selection.

Trades are known late, from the venue's list; so the mids of the last minutes are kept, and a trade
gets those at the moment it was heard of and 1, 5 and 30 seconds later. What is not known any more
is not made up.
"""

import heapq
from bisect import bisect_right
from collections import deque

from mmbot.ledger.ledger import Ledger
from mmbot.research.record import HORIZONS_NS

# The list is read twice a minute, later while the venue has trouble.
KEPT_NS = 180 * 10**9
MOST_MIDS = 20_000
MOST_WAITING = 10_000


class Mids:
    """Mids of every market as half ticks, by the time they were heard."""

    def __init__(self, ledger: Ledger, markets: int) -> None:
        self._ledger = ledger
        self._mids: list[deque[tuple[int, int]]] = [deque(maxlen=MOST_MIDS) for _ in range(markets)]
        # When a mid is due, market, trade, horizon.
        self._waiting: list[tuple[int, int, int, int]] = []

    def note(self, market: int, now_ns: int, half_ticks: int) -> None:
        """A market's mid is this now, 0: there is none."""
        mids = self._mids[market]
        if self._waiting and self._waiting[0][0] < now_ns:
            # Those that were due before this one came.
            self._settle(now_ns - 1)
        if mids and mids[-1][1] == half_ticks:
            return
        mids.append((now_ns, half_ticks))
        while len(mids) > 1 and mids[1][0] < now_ns - KEPT_NS:
            mids.popleft()

    def traded(self, market: int, trade_id: int, heard_ns: int, now_ns: int) -> None:
        """A trade was heard of at `heard_ns`: book its mids, later those that are not due yet."""
        for horizon_ns in (0, *HORIZONS_NS):
            if len(self._waiting) < MOST_WAITING:
                waits = (heard_ns + horizon_ns, market, trade_id, horizon_ns)
                heapq.heappush(self._waiting, waits)
        self._settle(now_ns)

    def _settle(self, now_ns: int) -> None:
        while self._waiting and self._waiting[0][0] <= now_ns:
            due_ns, market, trade_id, horizon_ns = heapq.heappop(self._waiting)
            half_ticks = self._at(market, due_ns)
            if half_ticks:
                self._ledger.mark(market, trade_id, horizon_ns, half_ticks)

    def _at(self, market: int, at_ns: int) -> int:
        mids = self._mids[market]
        place = bisect_right(mids, at_ns, key=lambda each: each[0])
        return mids[place - 1][1] if place else 0
