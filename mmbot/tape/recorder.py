"""Record one live market into tapes, one for each UTC day, with bounded memory.

Levels carry the time of their receipt on both clocks: the venue puts none on them. Every tape
begins with the book as it is known then, so each can be read alone; a gap empties the book.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from mmbot.cext.capture import Sequencer
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.tape.feed import HORIZON_NS
from mmbot.tape.reader import TapeFile
from mmbot.tape.writer import TapeWriter

NS_PER_S = 1_000_000_000
_DAY_S = 86_400
_ROW = struct.Struct("<qqqqII")
_DEPTH, _TRADE, _CLEAR, _SNAPSHOT = 1, 2, 3, 4
_SIDE_BITS = {Side.BID: 1 << 29, Side.ASK: 1 << 28}
# From the best price down to here is a whole side.
_LAST_PRICE = {Side.BID: 0, Side.ASK: 1 << 62}
_ALL = 1 << 30
# A trade's own time is believed this far from the receipt; beyond, the clocks are not the same.
_BELIEVED_NS = HORIZON_NS // 2

Levels = Iterable[tuple[int, int]]


class MarketRecorder:
    """Writes SYMBOL_YYYY-MM-DD.tape into a folder, behind what is there already.

    `book` is the market's book, read when a tape begins. Times are receipts in Unix ns and never
    go back. DataError: a tape there is damaged or of another grid.
    """

    def __init__(self, folder: Path, market: Market, book: OrderBook) -> None:
        self.market = market
        self.rows = 0
        self.misdated = 0
        self.paths: list[Path] = []
        self._folder = folder
        self._book = book
        self._known = False
        self._day = -1
        self._floor_ns = 0
        # No row of the open tape may be older: what is there already, or the book it begins with.
        self._begun_ns = 0
        self._writer: TapeWriter | None = None
        self._sequencer = Sequencer(HORIZON_NS)

    @property
    def size_bytes(self) -> int:
        """Bytes of the tapes written to."""
        return sum(path.stat().st_size for path in self.paths)

    def snapshot(self, now_ns: int) -> None:
        """The book is known from now on: write all of it."""
        at_ns = self._turn(now_ns)
        self._known = True
        self._write_book(at_ns)

    def depth(self, bids: Levels, asks: Levels, now_ns: int) -> None:
        """Levels have new sizes."""
        at_ns = self._turn(now_ns)
        self._put(
            [
                _ROW.pack(at_ns, at_ns, ticks, lots, _DEPTH | _SIDE_BITS[side], 0)
                for side, levels in ((Side.BID, bids), (Side.ASK, asks))
                for ticks, lots in levels
            ]
        )

    def trade(self, side: Side, level: tuple[int, int], venue_ns: int | None, now_ns: int) -> None:
        """A taker of this side traded at a price; `venue_ns` is when, where that is told."""
        at_ns = self._turn(now_ns)
        exch_ns = at_ns
        if venue_ns is not None:
            if abs(venue_ns - at_ns) <= _BELIEVED_NS:
                exch_ns = max(venue_ns, self._begun_ns)
            else:
                self.misdated += 1
        self._put([_ROW.pack(exch_ns, at_ns, *level, _TRADE | _SIDE_BITS[side], 0)])

    def gap(self, now_ns: int) -> None:
        """The book is not known any more."""
        if self._known:
            self._known = False
            self._put(_cleared(self._turn(now_ns)))

    def flush(self) -> None:
        """Have everything whose order is settled on the disk."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what is left and end the tape."""
        if self._writer is not None:
            self._keep(self._sequencer.finish())
            self._writer.close()
            self._writer = None
            self._day = -1

    def _turn(self, now_ns: int) -> int:
        # The time to write, on the tape of its day.
        at_ns = max(now_ns, self._floor_ns)
        day = at_ns // (_DAY_S * NS_PER_S)
        if day != self._day:
            self.close()
            at_ns = self._open(day, at_ns)
            if self._known:
                self._write_book(at_ns)
        self._floor_ns = at_ns
        return at_ns

    def _open(self, day: int, now_ns: int) -> int:
        date = datetime.fromtimestamp(day * _DAY_S, tz=UTC)
        path = self._folder / f"{self.market.symbol}_{date:%Y-%m-%d}.tape"
        newest_ns = _newest_ns(path)
        self._writer = TapeWriter(
            path, [self.market], source="mmbot record", created_ns=now_ns, append=True
        )
        self._sequencer = Sequencer(HORIZON_NS)
        self._day = day
        if path not in self.paths:
            self.paths.append(path)
        self._begun_ns = max(now_ns, newest_ns)
        return self._begun_ns

    def _write_book(self, at_ns: int) -> None:
        rows = _cleared(at_ns)
        for side, bits in _SIDE_BITS.items():
            rows += [
                _ROW.pack(at_ns, at_ns, ticks, lots, _SNAPSHOT | bits, 0)
                for ticks, lots in self._book.levels(side, _ALL, False)
            ]
        self._put(rows)

    def _put(self, rows: list[bytes]) -> None:
        self._keep(self._sequencer.push(b"".join(rows)))

    def _keep(self, rows: bytes) -> None:
        if self._writer is not None:
            self._writer.append_to(0, rows)
            self.rows += len(rows) // _ROW.size


def _cleared(at_ns: int) -> list[bytes]:
    return [
        _ROW.pack(at_ns, at_ns, _LAST_PRICE[side], 0, _CLEAR | bits, 0)
        for side, bits in _SIDE_BITS.items()
    ]


def _newest_ns(path: Path) -> int:
    """Newest time in a tape that is to be continued; 0 when there is none."""
    if not path.exists() or path.stat().st_size == 0:
        return 0
    newest = 0
    for rows in TapeFile(path).rows(0, 0):
        exch_ns, local_ns = struct.unpack_from("<qq", rows, len(rows) - _ROW.size)
        newest = max(newest, exch_ns, local_ns)
    return newest
