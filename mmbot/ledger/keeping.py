"""What must be on the disk before anything else is done: epochs, the halt, runs, memory.

Each is synced to the disk when the call returns. Calls that raise DataError are for the time before
trading; those that return False have failed or taken too long, the attempt goes on and `failure`
says why. The venue's truth is not here: orders and positions are asked for at the venue.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from mmbot.domain.market import Contract, Market
from mmbot.errors import DataError
from mmbot.ledger.asking import Asking, will_be_done
from mmbot.ledger.lock import Lock
from mmbot.ledger.rows import Latch, Run, RunStart
from mmbot.ledger.writer import Work, Writer

EPOCHS = 1 << 13


class Memory:
    """What the file said when it was opened, and what was kept since."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT key, value FROM meta")
        self.kept: dict[str, bytes] = {key: bytes(value) for key, value in rows if key[:1] == "="}
        row = connection.execute(
            "SELECT reason, ts_ns FROM latch WHERE cleared_ns IS NULL ORDER BY id LIMIT 1"
        ).fetchone()
        self.latch: Latch | None = None if row is None else Latch(*row)
        self.last_run = last_run(connection)

    def keep(self, key: str, value: bytes) -> Work:
        """Remember some bytes; returns what writes them down."""
        self.kept[f"={key}"] = value
        return lambda c: c.execute(_KEEP, (f"={key}", value))


class Keeping:
    """The durable half of a Ledger. `epochs` are those used last here, by instance."""

    def __init__(self, writer: Writer, memory: Memory, lock: Lock) -> None:
        self._asking = Asking(writer)
        self._memory = memory
        self._lock = lock
        self.epochs: Mapping[int, int] = lock.epochs
        self._run: int | None = None
        self._markets: list[int] = []
        self._cursor = 0
        self._cursor_key = ""

    def next_epoch(self, instance_id: int, *, least: int = 1) -> int:
        """Return an epoch that no start of this instance had here; DataError when all are used up.

        `least`: not below the one that a lease has granted.
        """
        known = max(self.epochs.get(instance_id, 0), least - 1)
        epoch = int(self._asking.done(lambda c: _next_epoch(c, instance_id, known)))
        try:
            self._lock.remember({instance_id: epoch})
        except OSError as error:
            raise DataError(f"ledger: epoch {epoch} cannot be remembered: {error}") from error
        return epoch

    def latch(self, reason: str, ts_ns: int) -> bool:
        """Halt until an operator clears it; the first reason stays. False: not on the disk yet."""
        return self._asking.is_done(self._latch(reason, ts_ns))

    async def latch_async(self, reason: str, ts_ns: int) -> bool:
        """Do the same without holding up the loop."""
        return await will_be_done(self._latch(reason, ts_ns))

    def halted(self) -> Latch | None:
        """Return the halt in force, also one that is not on the disk yet."""
        return self._memory.latch

    def clear_latch(self, who: str, reason: str, ts_ns: int) -> bool:
        """End the halt; False when that is not on the disk, and then it holds."""
        cleared = self._asking.is_done(
            self._asking.ask(lambda c: c.execute(_CLEAR, (who, reason, ts_ns)), again=False)
        )
        if cleared:
            self._memory.latch = None
        return cleared

    def keep(self, key: str, value: bytes) -> bool:
        """Remember some bytes under a name; False: not on the disk yet. Never a secret."""
        return self._asking.is_done(self._asking.ask(self._memory.keep(key, value)))

    async def keep_async(self, key: str, value: bytes) -> bool:
        """Do the same without holding up the loop."""
        return await will_be_done(self._asking.ask(self._memory.keep(key, value)))

    def keep_soon(self, key: str, value: bytes) -> None:
        """Do the same in its turn: lost only with the machine, or to a disk that is too slow."""
        self._asking.tell(self._memory.keep(key, value), droppable=True)

    def kept(self, key: str) -> bytes | None:
        """Return what was kept last under a name."""
        return self._memory.kept.get(f"={key}")

    def begin_run(self, start: RunStart, markets: Sequence[Market]) -> int:
        """Note a start; rows are of this run, its account and these markets from now on."""
        for market in markets:
            if market.contract is not Contract.LINEAR:
                raise DataError(f"{market.symbol}: the ledger is for linear contracts")
        self._cursor_key = f"cursor {start.account}"
        key = self._cursor_key
        run, self._markets, self._cursor = self._asking.done(
            lambda c: _begin_run(c, start, markets, key)
        )
        self._run = int(run)
        return self._run

    def cursor(self) -> int:
        """Return the trade id up to which the account's trades are booked, 0 at first."""
        return self._cursor

    def end_run(self, run: int, ts_ns: int, exit_code: int, clean: bool) -> bool:
        """Note an end; `clean`: proven that no order was left. False: not on the disk yet."""
        return self._asking.is_done(
            self._asking.ask(lambda c: c.execute(_END_RUN, (ts_ns, exit_code, clean, run)))
        )

    def last_run(self) -> Run | None:
        """Return the newest run that was there when the ledger was opened."""
        return self._memory.last_run

    def _latch(self, reason: str, ts_ns: int) -> "Future[Any]":
        if self._memory.latch is None:
            self._memory.latch = Latch(reason, ts_ns)
        return self._asking.ask(lambda c: c.execute(LATCH, (reason, ts_ns)))


def last_run(connection: sqlite3.Connection) -> Run | None:
    """Return the newest run of a ledger."""
    row = connection.execute(f"{SELECT_RUNS} ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else run_of(row)


def run_of(row: "tuple[Any, ...]") -> Run:
    """Return a run as SELECT_RUNS tells it."""
    number, end_ns, exit_code, clean, *start = row
    return Run(number, RunStart(*start), end_ns, exit_code, bool(clean))


SELECT_RUNS = (
    "SELECT id, end_ns, exit_code, clean, ts_ns, mode, account, instance_id, epoch, version,"
    " config_sha256, protocol_sha256 FROM runs"
)
LATCH = (
    "INSERT INTO latch (reason, ts_ns) SELECT ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM latch WHERE cleared_ns IS NULL)"
)
_CLEAR = (
    "UPDATE latch SET cleared_by = ?, cleared_reason = ?, cleared_ns = ? WHERE cleared_ns IS NULL"
)
_KEEP = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_EPOCH = (
    "INSERT INTO epochs VALUES (?, ?)"
    " ON CONFLICT (instance_id) DO UPDATE SET epoch = excluded.epoch"
)
_BEGIN_RUN = (
    "INSERT INTO runs (ts_ns, mode, account, instance_id, epoch, version, config_sha256,"
    " protocol_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_END_RUN = "UPDATE runs SET end_ns = ?, exit_code = ?, clean = ? WHERE id = ?"
_MARKET = (
    "INSERT OR IGNORE INTO markets (account, symbol, tick, lot, contract_size)"
    " VALUES (?, ?, ?, ?, ?)"
)
_FIND_MARKET = (
    "SELECT id FROM markets"
    " WHERE account = ? AND symbol = ? AND tick = ? AND lot = ? AND contract_size = ?"
)


def epochs_of(connection: sqlite3.Connection) -> dict[int, int]:
    """Return the epoch used last by each instance."""
    return dict(connection.execute("SELECT instance_id, epoch FROM epochs"))


def _next_epoch(connection: sqlite3.Connection, instance_id: int, known: int) -> int:
    epoch = max(known, epochs_of(connection).get(instance_id, 0)) + 1
    if epoch >= EPOCHS:
        raise sqlite3.DataError(
            f"instance {instance_id} has used all {EPOCHS - 1} epochs: give it another instance.id"
        )
    connection.execute(_EPOCH, (instance_id, epoch))
    return epoch


def _begin_run(
    connection: sqlite3.Connection, start: RunStart, markets: Sequence[Market], cursor_key: str
) -> tuple[int, list[int], int]:
    run = connection.execute(
        _BEGIN_RUN,
        (
            start.ts_ns,
            start.mode,
            start.account,
            start.instance_id,
            start.epoch,
            start.version,
            start.config_sha256,
            start.protocol_sha256,
        ),
    ).lastrowid
    found = []
    for market in markets:
        key = (
            start.account,
            market.symbol,
            str(market.tick.normalize()),
            str(market.lot.normalize()),
            str(market.contract_size.normalize()),
        )
        connection.execute(_MARKET, key)
        found.append(int(connection.execute(_FIND_MARKET, key).fetchone()[0]))
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (cursor_key,)).fetchone()
    return int(run or 0), found, 0 if row is None else int(row[0])
