"""Reconcile: what the venue holds against what we believe, order by order and market by market.

One snapshot never frees an order's place: what is missing must be missing twice, and have been
known for longer than an answer may be ahead of a snapshot. Nothing is changed here.
"""

from collections.abc import Sequence

from msgspec import Struct

from mmbot.domain.events import VenueOrder, VenueSnapshot
from mmbot.domain.order import OrderState
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.tracker import Tracker, WorkingOrder

# Answers to orders come on another way than the account's news and may be this much ahead of them.
AHEAD_NS = 2_000_000_000

Missing = frozenset[tuple[int, int]]


class Findings(Struct, frozen=True):
    """What a snapshot shows. Orders of ours come with their market.

    foreign: orders of somebody else; stale: ours, of an earlier run; later: ours, of a later run,
    so another process trades as this instance; zombies: ours, of this run, and held for finished;
    landed: sent or unknown, and they rest; gone: held for resting, and they do not.
    mismatched: markets whose position is another one than ours, for the second time in a row;
    agreed: markets whose position is ours.
    """

    foreign: tuple[VenueOrder, ...]
    stale: tuple[VenueOrder, ...]
    later: tuple[VenueOrder, ...]
    zombies: tuple[VenueOrder, ...]
    landed: tuple[tuple[int, WorkingOrder], ...]
    gone: tuple[tuple[int, WorkingOrder], ...]
    mismatched: tuple[int, ...]
    agreed: tuple[int, ...]


class Reconciler:
    """Compares snapshots, and remembers of the last one what a second one must confirm."""

    __slots__ = ("_ids", "_mismatched", "_missing")

    def __init__(self, ids: OrderIds) -> None:
        self._ids = ids
        self._missing: Missing = frozenset()
        self._mismatched: frozenset[int] = frozenset()

    def compare(
        self, snapshot: VenueSnapshot, trackers: Sequence[Tracker], lots: Sequence[int]
    ) -> Findings:
        """Findings of this snapshot against the working orders and positions of every market."""
        sorts: dict[str, list[VenueOrder]] = {
            "foreign": [],
            "stale": [],
            "later": [],
            "zombies": [],
        }
        landed: list[tuple[int, WorkingOrder]] = []
        seen: set[tuple[int, int]] = set()
        for order in snapshot.orders:
            working = self._working(order, trackers)
            if working is None:
                kind = self._sort(order, trackers, snapshot.ts_recv_ns)
                if kind is not None:
                    sorts[kind].append(order)
                continue
            seen.add((order.market, working.order_id))
            if working.state in (OrderState.SENT, OrderState.UNKNOWN):
                landed.append((order.market, working))
        gone = self._gone(snapshot.ts_recv_ns, trackers, seen)
        mismatched, agreed = self._positions(snapshot.lots, lots)
        return Findings(
            foreign=tuple(sorts["foreign"]),
            stale=tuple(sorts["stale"]),
            later=tuple(sorts["later"]),
            zombies=tuple(sorts["zombies"]),
            landed=tuple(landed),
            gone=gone,
            mismatched=mismatched,
            agreed=agreed,
        )

    def _working(self, order: VenueOrder, trackers: Sequence[Tracker]) -> WorkingOrder | None:
        if order.order_id is None or not 0 <= order.market < len(trackers):
            return None
        return trackers[order.market].orders.get(order.order_id)

    def _sort(self, order: VenueOrder, trackers: Sequence[Tracker], now_ns: int) -> str | None:
        epoch = None if order.order_id is None else self._ids.epoch_of(order.order_id)
        if epoch is None or order.order_id is None or not 0 <= order.market < len(trackers):
            return "foreign"
        if epoch > self._ids.epoch:
            return "later"
        if epoch < self._ids.epoch:
            return "stale"
        ended_ns = trackers[order.market].ended.get(order.order_id)
        if ended_ns is not None and now_ns - ended_ns < AHEAD_NS:
            return None
        return "zombies"

    def _gone(
        self, now_ns: int, trackers: Sequence[Tracker], seen: set[tuple[int, int]]
    ) -> tuple[tuple[int, WorkingOrder], ...]:
        """Orders that were seen to rest, or to be filled, and are missing twice in a row."""
        missing = {
            (market, order.order_id): order
            for market, tracker in enumerate(trackers)
            for order in tracker.orders.values()
            if (order.rests or order.state is OrderState.FILLED)
            and now_ns - order.known_ns >= AHEAD_NS
            and (market, order.order_id) not in seen
        }
        twice = tuple((key[0], missing[key]) for key in missing if key in self._missing)
        self._missing = frozenset(missing)
        return twice

    def _positions(
        self, theirs: Sequence[int], ours: Sequence[int]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        apart = frozenset(
            market
            for market, lots in enumerate(ours)
            if lots != (theirs[market] if market < len(theirs) else 0)
        )
        twice = tuple(sorted(apart & self._mismatched))
        self._mismatched = apart
        return twice, tuple(market for market in range(len(ours)) if market not in apart)
