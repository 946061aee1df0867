"""The ledger of a running bot: what happened and what it earned, on the disk.

Calls here only queue and take microseconds; the file is written by a thread. A disk that is full or
slow shows in `failure` and `backlog`, which the bot must watch: it is never raised.
"""

import sqlite3
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmbot.errors import DataError, InvariantViolation
from mmbot.ledger import care
from mmbot.ledger.keeping import Keeping, Memory
from mmbot.ledger.params import StorageParams
from mmbot.ledger.rows import AdjustmentRow, EquityPoint, FillRow, FundingRow, Note, OrderRow
from mmbot.ledger.schema import exact, exact_or_none
from mmbot.ledger.writer import Job, Work, Writer

MINUTE_NS = 60_000_000_000
HOUR_NS = 3_600_000_000_000


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


class Ledger(Keeping):
    """The books of one bot. Rows can be told from `begin_run` on."""

    def __init__(
        self,
        path: Path,
        writer: Writer,
        memory: Memory,
        params: StorageParams,
        damage: str | None = None,
    ) -> None:
        """Use `open_ledger`. `damage`: what was wrong with the file found; the bot is halted."""
        super().__init__(writer, memory)
        self.path = path
        self.damage = damage
        self.recent = Recent(params)
        self._cursor: int | None = None
        self._minute = -1
        self._oldest = (-1, 0)

    def note(
        self, ts_ns: int, kind: str, market: int | None, order_id: int | None, text: str
    ) -> None:
        """Note an event: no key, no signed bytes, of bytes only their hash."""

    def order(self, row: OrderRow) -> None:
        """Note how an order stands now."""

    def fills(self, rows: Sequence[FillRow], cursor: int | None) -> None:
        """Book trades, and in the same transaction up to which trade id all of them are booked.

        What is booked already is left as it is, so telling it again changes nothing.
        """

    def cursor(self) -> int:
        """Return the trade id up to which the account's trades are booked, 0 at first."""

    def funding(self, rows: Iterable[FundingRow]) -> None:
        """Book funding payments; one that is booked already is left as it is."""

    def adjustment(self, row: AdjustmentRow) -> None:
        """Book what is no trade; told twice it counts twice."""

    def transfer(self, ts_ns: int, uusd: int) -> None:
        """Book money that came into the account (> 0) or left it."""

    def mark(self, market: int, trade_id: int, horizon_ns: int, half_ticks: int) -> None:
        """Book the venue's mid some time after a trade; horizon 0 is the trade itself."""

    def equity(self, point: EquityPoint) -> None:
        """Note the account; the first point of each minute goes to the disk."""

    def backlog(self, now_ns: int) -> tuple[int, int]:
        """Return what is not written yet: how much, and for how long (ns) the oldest is known."""

    @property
    def failure(self) -> str | None:
        """What is wrong with the disk, None when the latest write has succeeded."""

    def backup(self, path: Path) -> None:
        """Write a compact copy; DataError when it cannot be. It takes a while: not in the loop."""

    def verify(self) -> list[str]:
        """Return what is wrong with the file, nothing when it is sound. It takes a while."""

    def close(self, timeout_s: float) -> bool:
        """Write what is left and let go; False when something is not on the disk."""
