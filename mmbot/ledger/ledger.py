"""The ledger of a running bot: what happened and what it earned, on the disk.

Calls here only queue and take microseconds; the file is written by a thread. A disk that is full or
slow shows in `failure` and `backlog`, which the bot must watch: it is never raised.
"""

import sqlite3
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from mmbot.ledger import care
from mmbot.ledger.keeping import Keeping, Memory
from mmbot.ledger.lock import Lock
from mmbot.ledger.params import StorageParams
from mmbot.ledger.rows import AdjustmentRow, EquityPoint, FillRow, FundingRow, Kind, OrderRow
from mmbot.ledger.schema import exact, exact_or_none
from mmbot.ledger.writer import QUEUE_COUNT, Writer

MINUTE_NS = 60_000_000_000
HOUR_NS = 3_600_000_000_000
LONGEST_NOTE = 2_000


class Recent:
    """The latest orders and points of equity, in memory."""

    def __init__(self, params: StorageParams) -> None:
        self.points: deque[EquityPoint] = deque(maxlen=params.equity_points_count)
        self._orders: OrderedDict[int, OrderRow] = OrderedDict()
        self._most = params.order_history_count

    @property
    def orders(self) -> Sequence[OrderRow]:
        """Orders by their first mention, as they stand."""
        return tuple(self._orders.values())

    def order(self, row: OrderRow) -> None:
        """Take the newest word on an order."""
        self._orders[row.order_id] = row
        if len(self._orders) > self._most:
            self._orders.popitem(last=False)


class Opened(Struct, frozen=True):
    """A file that is ours to write; `damage` says what was wrong with the one found."""

    path: Path
    lock: Lock
    writer: Writer
    memory: Memory
    params: StorageParams
    damage: str | None


class Ledger(Keeping):
    """The books of one bot, from `open_ledger`. Rows are of the run begun last."""

    def __init__(self, opened: Opened) -> None:
        """Write to what was opened."""
        super().__init__(opened.writer, opened.memory, opened.lock)
        self.writer = opened.writer
        self.path = opened.path
        self.damage = opened.damage
        self.recent = Recent(opened.params)
        self._minute = -1
        self._noted: EquityPoint | None = None
        self._oldest = (-1, 0)
        self._dropped = 0

    def note(
        self, ts_ns: int, kind: str, market: int | None, order_id: int | None, text: str
    ) -> None:
        """Note an event: no key, no signed bytes, of bytes only their hash."""
        queue = self.writer.queue
        dropped = queue.dropped
        if dropped > self._dropped and len(queue.waiting) < QUEUE_COUNT // 2:
            lost = f"{dropped - self._dropped} rows were dropped: the disk was too slow"
            row = (self._run, ts_ns, Kind.NOTICE, None, None, lost)
            self._asking.tell(lambda c: c.execute(_NOTE, row))
            self._dropped = dropped
        place = None if market is None else self._markets[market]
        noted = (self._run, ts_ns, kind, place, exact_or_none(order_id), text[:LONGEST_NOTE])
        self._asking.tell(lambda c: c.execute(_NOTE, noted), droppable=True)

    def order(self, row: OrderRow) -> None:
        """Note how an order stands now."""
        self.recent.order(row)
        stands = (
            self._markets[row.market],
            exact(row.order_id),
            self._run,
            row.ts_ns,
            row.ts_ns,
            int(row.side),
            row.ticks,
            exact(row.lots),
            exact(row.leaves_lots),
            row.state.value,
            row.reason,
            row.hedge,
        )
        self._asking.tell(lambda c: c.execute(_ORDER, stands), droppable=True)

    def fills(self, rows: Iterable[FillRow], cursor: int | None) -> None:
        """Book trades, and in the same transaction up to which trade id all of them are booked.

        What is booked already is left as it is, so telling it again changes nothing.
        """
        values = [
            (
                self._run,
                self._markets[row.market],
                row.ts_ns,
                exact(row.trade_id),
                exact(row.action_id),
                exact(row.order_id),
                int(row.side),
                row.ticks,
                exact(row.lots),
                row.maker,
                exact(row.fee_atoms),
                row.mark_half_ticks,
                row.hedge,
            )
            for row in rows
        ]
        if cursor is not None:
            self._cursor = max(self._cursor, cursor)
        place = (self._cursor_key, str(self._cursor).encode())

        def book(connection: sqlite3.Connection) -> None:
            connection.executemany(_FILL, values)
            if cursor is not None:
                connection.execute(_CURSOR, place)

        self._asking.tell(book)

    def funding(self, rows: Iterable[FundingRow]) -> None:
        """Book funding payments; one that is booked already is left as it is."""
        values = [
            (self._run, self._markets[row.market], row.ts_ns, exact(row.atoms), row.mark_half_ticks)
            for row in rows
        ]
        self._asking.tell(lambda c: c.executemany(_FUNDING, values))

    def adjustment(self, row: AdjustmentRow) -> None:
        """Book what is no trade; told twice it counts twice."""
        value = (
            self._run,
            self._markets[row.market],
            row.ts_ns,
            exact(row.lots),
            exact(row.cash_atoms),
            exact(row.fees_atoms),
            row.reason,
        )
        self._asking.tell(lambda c: c.execute(_ADJUSTMENT, value))

    def transfer(self, ts_ns: int, uusd: int) -> None:
        """Book money that came into the account (> 0) or left it."""
        value = (self._run, ts_ns, exact(uusd))
        self._asking.tell(lambda c: c.execute(_TRANSFER, value))

    def mark(self, market: int, trade_id: int, horizon_ns: int, half_ticks: int) -> None:
        """Book the venue's mid some time after a trade; horizon 0 is the trade itself."""
        value = (self._markets[market], exact(trade_id), horizon_ns, half_ticks)
        self._asking.tell(lambda c: c.execute(_MARK, value), droppable=True)

    def equity(self, point: EquityPoint) -> None:
        """Note the account; the first point of each minute goes to the disk, and the very last."""
        self.recent.points.append(point)
        minute = point.ts_ns // MINUTE_NS
        if minute != self._minute:
            self._minute = minute
            self._checkpoint(point)

    def backlog(self, now_ns: int) -> tuple[int, int]:
        """Return how much is not written yet and for how long (ns) its oldest has been seen here.

        Age counts from the first call that finds the same one waiting: call it often. From 2,000
        on, what is no money is dropped.
        """
        queue = self.writer.queue
        count, done = len(queue.waiting), queue.done
        if not count:
            self._oldest = (-1, 0)
            return 0, 0
        if self._oldest[0] != done:
            self._oldest = (done, now_ns)
        return count, now_ns - self._oldest[1]

    @property
    def failure(self) -> str | None:
        """What is wrong with the disk, None when the latest write has succeeded."""
        return self.writer.failure

    def backup(self, path: Path) -> None:
        """Write a compact copy; DataError when it cannot be. It takes a while: not in the loop."""
        care.backup(self.path, path)

    def verify(self) -> list[str]:
        """Return what is wrong with the file, nothing when it is sound. It takes a while."""
        return care.verify(self.path)

    def close(self, timeout_s: float) -> bool:
        """Write what is left and let go; False when something is not on the disk."""
        if self.recent.points and self.recent.points[-1] is not self._noted:
            self._checkpoint(self.recent.points[-1])
        closed = self.writer.close(timeout_s)
        if self.writer.ended:
            self._lock.release()
        return closed

    def _checkpoint(self, point: EquityPoint) -> None:
        self._noted = point
        value = (
            self._run,
            point.ts_ns,
            exact_or_none(point.equity_uusd),
            exact(point.pnl_uusd),
            exact_or_none(point.day_pnl_uusd),
            exact_or_none(point.drawdown_uusd),
        )
        hour, ts_ns = point.ts_ns // HOUR_NS, point.ts_ns
        marks = [
            (place, hour, ts_ns, half_ticks, ts_ns, half_ticks)
            for place, half_ticks in zip(self._markets, point.marks, strict=False)
            if half_ticks > 0
        ]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_EQUITY, value)
            connection.executemany(_HOUR, marks)

        self._asking.tell(write, droppable=True)


_NOTE = "INSERT INTO journal (run, ts_ns, kind, market, order_id, text) VALUES (?, ?, ?, ?, ?, ?)"
_ORDER = (
    "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (market, order_id) DO UPDATE SET ts_ns = excluded.ts_ns,"
    " leaves_lots = excluded.leaves_lots, state = excluded.state, reason = excluded.reason"
)
_FILL = (
    "INSERT INTO fills (run, market, ts_ns, trade_id, action_id, order_id, side, ticks, lots,"
    " maker, fee_atoms, mark_half_ticks, hedge) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (market, trade_id, maker) DO NOTHING"
)
_CURSOR = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_FUNDING = (
    "INSERT INTO funding (run, market, ts_ns, atoms, mark_half_ticks) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (market, ts_ns) DO NOTHING"
)
_ADJUSTMENT = (
    "INSERT INTO adjustments (run, market, ts_ns, lots, cash_atoms, fees_atoms, reason)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_TRANSFER = "INSERT INTO transfers (run, ts_ns, uusd) VALUES (?, ?, ?)"
_MARK = (
    "INSERT INTO marks VALUES (?, ?, ?, ?) ON CONFLICT (market, trade_id, horizon_ns) DO NOTHING"
)
_EQUITY = (
    "INSERT INTO equity (run, ts_ns, equity_uusd, pnl_uusd, day_pnl_uusd, drawdown_uusd)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_HOUR = (
    "INSERT INTO hours VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (market, hour) DO UPDATE SET"
    " last_ns = excluded.last_ns, last_half_ticks = excluded.last_half_ticks"
)
