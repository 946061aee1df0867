"""The tables, their versions, and how exact integers of any size stand in them.

An integer that fits 64 bits is an INTEGER, any other its decimal digits as TEXT, in columns without
a type: a column with one would make a float of such digits.
"""

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x6D6D_4C31
"""Tells our files from any other SQLite file; `mmL1`."""

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1

_V1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE epochs (instance_id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);
CREATE TABLE latch (
    id INTEGER PRIMARY KEY, reason TEXT NOT NULL, ts_ns INTEGER NOT NULL,
    cleared_by TEXT, cleared_reason TEXT, cleared_ns INTEGER);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, ts_ns INTEGER NOT NULL, mode TEXT NOT NULL, account TEXT NOT NULL,
    instance_id INTEGER NOT NULL, epoch INTEGER NOT NULL, version TEXT NOT NULL,
    config_sha256 TEXT NOT NULL, protocol_sha256 TEXT NOT NULL,
    end_ns INTEGER, exit_code INTEGER, clean INTEGER NOT NULL DEFAULT 0);
CREATE TABLE markets (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, symbol TEXT NOT NULL, tick TEXT NOT NULL,
    lot TEXT NOT NULL, contract_size TEXT NOT NULL,
    UNIQUE (account, symbol, tick, lot, contract_size));
CREATE TABLE fills (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id),
    market INTEGER NOT NULL REFERENCES markets (id), ts_ns INTEGER NOT NULL,
    trade_id NOT NULL, action_id NOT NULL, order_id NOT NULL, side INTEGER NOT NULL,
    ticks INTEGER NOT NULL, lots NOT NULL, maker INTEGER NOT NULL, fee_atoms NOT NULL,
    mark_half_ticks INTEGER, hedge INTEGER NOT NULL,
    UNIQUE (market, trade_id, maker));
CREATE INDEX fills_by_time ON fills (ts_ns);
CREATE TABLE marks (
    market INTEGER NOT NULL REFERENCES markets (id), trade_id NOT NULL, horizon_ns INTEGER NOT NULL,
    half_ticks INTEGER NOT NULL, PRIMARY KEY (market, trade_id, horizon_ns)) WITHOUT ROWID;
CREATE TABLE funding (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id),
    market INTEGER NOT NULL REFERENCES markets (id), ts_ns INTEGER NOT NULL, atoms NOT NULL,
    mark_half_ticks INTEGER, UNIQUE (market, ts_ns));
CREATE TABLE adjustments (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id),
    market INTEGER NOT NULL REFERENCES markets (id), ts_ns INTEGER NOT NULL, lots NOT NULL,
    cash_atoms NOT NULL, fees_atoms NOT NULL, reason TEXT NOT NULL);
CREATE TABLE transfers (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), ts_ns INTEGER NOT NULL,
    uusd NOT NULL);
CREATE TABLE equity (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), ts_ns INTEGER NOT NULL,
    equity_uusd, pnl_uusd NOT NULL, day_pnl_uusd, drawdown_uusd);
CREATE INDEX equity_by_time ON equity (ts_ns);
CREATE TABLE hours (
    market INTEGER NOT NULL REFERENCES markets (id), hour INTEGER NOT NULL,
    first_ns INTEGER NOT NULL, first_half_ticks INTEGER NOT NULL,
    last_ns INTEGER NOT NULL, last_half_ticks INTEGER NOT NULL,
    PRIMARY KEY (market, hour)) WITHOUT ROWID;
CREATE TABLE orders (
    market INTEGER NOT NULL REFERENCES markets (id), order_id NOT NULL,
    run INTEGER NOT NULL REFERENCES runs (id), first_ns INTEGER NOT NULL, ts_ns INTEGER NOT NULL,
    side INTEGER NOT NULL, ticks INTEGER NOT NULL, lots NOT NULL, leaves_lots NOT NULL,
    state TEXT NOT NULL, reason TEXT, hedge INTEGER NOT NULL,
    PRIMARY KEY (market, order_id)) WITHOUT ROWID;
CREATE INDEX orders_by_time ON orders (first_ns);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs (id), ts_ns INTEGER NOT NULL,
    kind TEXT NOT NULL, market INTEGER REFERENCES markets (id), order_id, text TEXT NOT NULL);
CREATE INDEX journal_by_time ON journal (ts_ns);
INSERT INTO meta VALUES ('readable_from', '1');
"""

MIGRATIONS: Sequence[str] = (_V1,)
"""Script i makes version i + 1 of version i. `readable_from` in meta is the oldest version whose
programs may go on using the file: a change that only adds leaves it alone."""

SCHEMA_VERSION = len(MIGRATIONS)

TABLES = (
    "runs",
    "latch",
    "markets",
    "fills",
    "marks",
    "funding",
    "adjustments",
    "transfers",
    "equity",
    "hours",
    "orders",
    "journal",
)
"""Those for people; what was kept for the bot itself is not among them."""


def exact(value: int) -> int | str:
    """Return an integer as it stands in a column without a type."""
    return value if _SMALLEST <= value <= _LARGEST else str(value)


def exact_or_none(value: int | None) -> int | str | None:
    """Return an integer that may be missing as it stands in a column without a type."""
    return None if value is None else exact(value)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the tables; 0 when there are none yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def readable_from(connection: sqlite3.Connection) -> int:
    """Return the oldest version whose programs understand the tables."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'readable_from'").fetchone()
    return int(row[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to SCHEMA_VERSION, each version whole or not at all."""
    for version in range(version_of(connection), SCHEMA_VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {version + 1}; COMMIT;"
        )
