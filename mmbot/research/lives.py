"""What a journal says of a run's own orders: how long each lived, what was quoted, what was held.

Built from batches and events alone, so a live run and a replay are looked at in the same way.
Times are local ns, prices ticks.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from msgspec import Struct

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import (
    Event,
    Fill,
    FundingPayment,
    Hindrance,
    OrderUpdate,
    Restatement,
)
from mmbot.domain.order import DONE, FillMode, OrderState, Side

NEVER_NS = (1 << 63) - 1
_REFUSED = frozenset({OrderState.REJECTED, OrderState.UNKNOWN, OrderState.EXPIRED})


class OrderLife(Struct, gc=False):
    """One order from its request to its end; `open_ns` is when we knew that it rests."""

    market: int
    side: Side
    ticks: int
    lots: int
    sent_ns: int
    open_ns: int = NEVER_NS
    end_ns: int = NEVER_NS
    refused: bool = False


class Trace(Struct, frozen=True):
    """A run as its journal tells it, in order of time.

    `first_ns` is the first request, `last_ns` the last word. A pause is a name, a market (None:
    all), and when it began and ended.
    """

    first_ns: int
    last_ns: int
    lives: tuple[OrderLife, ...]
    fills: tuple[Fill, ...]
    funding: tuple[FundingPayment, ...]
    restated: tuple[Restatement, ...]
    pauses: tuple[tuple[str, int | None, int, int], ...]
    longest_ns: int = 0

    def paused(self, market: int, ts_ns: int) -> str | None:
        """Return the name of what forbade quoting a market at a moment."""
        for name, where, begin_ns, end_ns in self.pauses:
            if where in (None, market) and begin_ns <= ts_ns < end_ns:
                return name
        return None

    def near(self, ts_ns: int, within_ns: int) -> Iterator[OrderLife]:
        """Orders that were sent or alive at most so far from a moment."""
        end = bisect_right(self.lives, ts_ns + within_ns, key=attrgetter("sent_ns"))
        for place in range(end - 1, -1, -1):
            life = self.lives[place]
            if life.sent_ns < ts_ns - within_ns - self.longest_ns:
                return
            if life.end_ns >= ts_ns - within_ns:
                yield life

    def latencies_ns(self) -> list[int]:
        """Times from a request to the word that its order rests, sorted."""
        return sorted(
            life.open_ns - life.sent_ns for life in self.lives if life.open_ns != NEVER_NS
        )


def trace(entries: Iterable[Batch | Event]) -> Trace:
    """Fold a journal."""
    folding = _Folding()
    for entry in entries:
        folding.take(entry)
    return folding.trace()


class _Folding:
    def __init__(self) -> None:
        self._lives: dict[int, OrderLife] = {}
        self._fills: dict[tuple[int, int], Fill] = {}
        self._funding: list[FundingPayment] = []
        self._restated: list[Restatement] = []
        self._held: dict[tuple[str, int | None], int] = {}
        self._pauses: list[tuple[str, int | None, int, int]] = []
        self._first_ns = NEVER_NS
        self._last_ns = 0

    def take(self, entry: Batch | Event) -> None:
        if isinstance(entry, Batch):
            self._first_ns = min(self._first_ns, entry.ts_ns)
            self._last_ns = max(self._last_ns, entry.ts_ns)
            self._sent(entry)
            return
        self._last_ns = max(self._last_ns, entry.ts_recv_ns)
        if isinstance(entry, OrderUpdate):
            self._order(entry)
        elif isinstance(entry, Fill):
            self._fill(entry)
        elif isinstance(entry, Hindrance):
            self._hindrance(entry)
        elif isinstance(entry, FundingPayment):
            self._funding.append(entry)
        elif isinstance(entry, Restatement):
            self._restated.append(entry)

    def trace(self) -> Trace:
        for (name, market), begin_ns in self._held.items():
            self._pauses.append((name, market, begin_ns, NEVER_NS))
        lives = tuple(sorted(self._lives.values(), key=attrgetter("sent_ns")))
        fills = sorted(self._fills.values(), key=attrgetter("ts_recv_ns"))
        return Trace(
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            lives=lives,
            fills=tuple(fills),
            funding=tuple(self._funding),
            restated=tuple(self._restated),
            pauses=tuple(self._pauses),
            longest_ns=max(
                (min(life.end_ns, self._last_ns) - life.sent_ns for life in lives), default=0
            ),
        )

    def _sent(self, batch: Batch) -> None:
        for action in batch.actions:
            if isinstance(action, Place) and action.mode is not FillMode.IOC:
                self._lives[action.order_id] = OrderLife(
                    action.market, action.side, action.ticks, action.lots, batch.ts_ns
                )

    def _fill(self, fill: Fill) -> None:
        # Told a second time when its order is known; the trade is the same.
        self._fills[fill.market, fill.trade_id] = fill
        life = self._lives.get(fill.order_id)
        if life is not None:
            life.open_ns = min(life.open_ns, fill.ts_recv_ns)
            if fill.leaves_lots == 0:
                life.end_ns = min(life.end_ns, fill.ts_recv_ns)

    def _order(self, update: OrderUpdate) -> None:
        life = self._lives.get(update.order_id)
        if life is None:
            return
        if update.state is OrderState.OPEN:
            life.open_ns = min(life.open_ns, update.ts_recv_ns)
        elif update.state in DONE:
            life.end_ns = min(life.end_ns, update.ts_recv_ns)
        life.refused |= update.state in _REFUSED

    def _hindrance(self, event: Hindrance) -> None:
        key = (event.name, event.market)
        begin_ns = self._held.pop(key, None)
        if begin_ns is not None:
            self._pauses.append((*key, begin_ns, event.ts_recv_ns))
        if event.reason is not None:
            self._held[key] = event.ts_recv_ns


class Quoted:
    """The best own price of one side of a market over time; 0 while nothing rests."""

    def __init__(self, lives: Iterable[OrderLife], market: int, side: Side) -> None:
        changes: list[tuple[int, int, int]] = []
        for life in lives:
            if life.market == market and life.side is side and life.open_ns < life.end_ns:
                changes.append((life.open_ns, life.ticks, 1))
                changes.append((life.end_ns, life.ticks, -1))
        self.times: list[int] = []
        self.ticks: list[int] = []
        resting: dict[int, int] = {}
        for ts_ns, ticks, count in sorted(changes):
            left = resting.get(ticks, 0) + count
            if left:
                resting[ticks] = left
            else:
                del resting[ticks]
            best = (max if side is Side.BID else min)(resting, default=0)
            if self.times and self.times[-1] == ts_ns:
                self.ticks[-1] = best
            else:
                self.times.append(ts_ns)
                self.ticks.append(best)

    def at(self, ts_ns: int) -> int:
        """Return the best price at a moment, 0 without one."""
        place = bisect_right(self.times, ts_ns)
        return self.ticks[place - 1] if place else 0


def moments(quoted: Sequence[Quoted], start_ns: int, end_ns: int) -> list[int]:
    """Return when any of these changes in a span of time, its ends included."""
    times = {ts for each in quoted for ts in each.times if start_ns < ts < end_ns}
    return [start_ns, *sorted(times), end_ns] if start_ns < end_ns else []
