"""Take a run's own orders out of the books it recorded, so that it can be replayed on them.

A venue's book shows everybody's size. Replayed as it is, the bot would stand behind itself. What
rests of ours counts from its request to its end; at both, the level is told anew without it.
"""

import struct
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import NamedTuple, Protocol

from mmbot.cext.capture import Sequencer, arrival_rows
from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import Event, Fill, OrderUpdate
from mmbot.domain.market import Market
from mmbot.domain.order import DONE, FillMode, OrderState, Side
from mmbot.tape.feed import HORIZON_NS

_ROW = struct.Struct("<qqqqII")
_DEPTH, _TRADE, _CLEAR, _SNAPSHOT = 1, 2, 3, 4
_KIND_BITS = 0xFF
_SIDE_BITS = {Side.BID: 1 << 29, Side.ASK: 1 << 28}
_BID_BIT = _SIDE_BITS[Side.BID]
CHUNK_ROWS = 4096


class OwnSize(NamedTuple):
    """Own lots resting at a level change by `lots` at a moment of local time."""

    ts_ns: int
    side: Side
    ticks: int
    lots: int


def own_sizes(entries: Iterable[Batch | Event], market: int) -> list[OwnSize]:
    """Return how the own size of a market's levels changed, in order of time."""
    orders: dict[int, tuple[Side, int, int]] = {}
    changes: list[OwnSize] = []
    for entry in entries:
        if isinstance(entry, Batch):
            for action in entry.actions:
                resting = isinstance(action, Place) and action.mode is not FillMode.IOC
                if resting and isinstance(action, Place) and action.market == market:
                    orders[action.order_id] = (action.side, action.ticks, action.lots)
                    changes.append(OwnSize(entry.ts_ns, action.side, action.ticks, action.lots))
        elif isinstance(entry, Fill | OrderUpdate) and entry.order_id in orders:
            side, ticks, lots = orders[entry.order_id]
            left = entry.leaves_lots
            if isinstance(entry, OrderUpdate):
                left = 0 if entry.state in DONE else lots
                if entry.state is OrderState.FILLED:
                    left = lots
            if left < lots:
                changes.append(OwnSize(entry.ts_recv_ns, side, ticks, left - lots))
            if left == 0:
                del orders[entry.order_id]
            else:
                orders[entry.order_id] = (side, ticks, min(left, lots))
    return sorted(changes, key=lambda change: change.ts_ns)


class Rows(Protocol):
    """A market's recorded rows; every Feed is one."""

    @property
    def market(self) -> Market:
        """Grid and contract."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Rows in their final order."""
        ...

    def notes(self) -> list[str]:
        """Remarks on the recording."""
        ...


class WithoutOwn:
    """A recorded market less the own size in its book."""

    def __init__(self, feed: Rows, changes: Iterable[OwnSize]) -> None:
        self._feed = feed
        self._changes = changes

    @property
    def market(self) -> Market:
        """Grid and contract."""
        return self._feed.market

    def notes(self) -> list[str]:
        """Remarks on the recording."""
        return self._feed.notes()

    def chunks(self) -> Iterator[bytes]:
        """Rows in their final order."""
        shown: dict[tuple[int, int], int] = {}
        own: dict[tuple[int, int], int] = {}
        out: list[bytes] = []
        sequencer = Sequencer(HORIZON_NS)
        for row in merge(self._rows(), self._own_rows(), key=lambda row: row[1]):
            out += _without(row, shown, own)
            if len(out) >= CHUNK_ROWS:
                yield sequencer.push(b"".join(out))
                out = []
        yield sequencer.push(b"".join(out)) + sequencer.finish()

    def _rows(self) -> Iterator[tuple[int, ...]]:
        for chunk in self._feed.chunks():
            yield from _ROW.iter_unpack(arrival_rows(chunk))

    def _own_rows(self) -> Iterator[tuple[int, ...]]:
        index = self.market.index
        for change in self._changes:
            bits = _SIDE_BITS[change.side]
            yield change.ts_ns, change.ts_ns, change.ticks, change.lots, bits, index


def _without(
    row: tuple[int, ...], shown: dict[tuple[int, int], int], own: dict[tuple[int, int], int]
) -> list[bytes]:
    """Return the rows for one row of the recording, or of own size (which has no kind)."""
    exch_ns, local_ns, ticks, lots, flags, market = row
    kind = flags & _KIND_BITS
    bid = flags & _BID_BIT
    level = (bid, ticks)
    if kind == 0:
        own[level] = own.get(level, 0) + lots
        if level not in shown:
            return []
        left = max(0, shown[level] - own[level])
        return [_ROW.pack(exch_ns, local_ns, ticks, left, flags | _DEPTH, market)]
    if kind == _CLEAR:
        for each in [each for each in shown if each[0] == bid]:
            if each[1] >= ticks if bid else each[1] <= ticks:
                del shown[each]
        return [_ROW.pack(*row)]
    if kind in (_DEPTH, _SNAPSHOT):
        shown[level] = lots
        left = max(0, lots - own.get(level, 0))
        return [_ROW.pack(exch_ns, local_ns, ticks, left, flags, market)]
    return [_ROW.pack(*row)]
