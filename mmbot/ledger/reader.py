"""Reading a ledger, also while a bot is writing to it. Everything read is of one moment.

Rows are those of mmbot.ledger.rows, but `market` is the ledger's own number: a key of `markets`.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from mmbot.domain.market import Market
from mmbot.domain.order import OrderState, Side
from mmbot.errors import UsageError
from mmbot.ledger.care import reading
from mmbot.ledger.keeping import SELECT_RUNS, last_run, run_of
from mmbot.ledger.rows import (
    AdjustmentRow,
    EquityPoint,
    FillRow,
    FundingRow,
    Note,
    OrderRow,
    Run,
)

_FIRST_NS, _LAST_NS = -(2**63), 2**63 - 1


class Window(Struct, frozen=True):
    """From `since_ns` until before `until_ns`; of these markets, None: of all."""

    since_ns: int = _FIRST_NS
    until_ns: int = _LAST_NS
    symbols: frozenset[str] | None = None


class HourMarks(Struct, frozen=True):
    """The first and the last mid known in an hour."""

    market: int
    first_ns: int
    first_half_ticks: int
    last_ns: int
    last_half_ticks: int


class PlacedOrder(Struct, frozen=True):
    """An order and when it was first mentioned."""

    first_ns: int
    row: OrderRow


class _Selection:
    """Rows of one account, by window."""

    def __init__(self, connection: sqlite3.Connection, account: str) -> None:
        self.connection = connection
        self.account = account
        self.markets: dict[int, Market] = {}
        for number, symbol, tick, lot, size in connection.execute(_MARKETS, (account,)):
            self.markets[number] = Market(
                symbol, Decimal(tick), Decimal(lot), contract_size=Decimal(size)
            )

    def of_markets(
        self, select: str, window: Window, tail: str, *more: int, time: str = "ts_ns"
    ) -> Iterator["tuple[Any, ...]"]:
        """Yield rows of tables that name a market."""
        known = {market.symbol for market in self.markets.values()}
        for symbol in sorted(window.symbols or ()):
            if symbol not in known:
                raise UsageError(f"{symbol}: is no market of this ledger")
        numbers = [
            number
            for number, market in self.markets.items()
            if window.symbols is None or market.symbol in window.symbols
        ]
        places = ", ".join("?" * len(numbers))
        where = f"WHERE {time} >= ? AND {time} < ? AND market IN ({places})"
        values = (window.since_ns, window.until_ns, *numbers, *more)
        return self.connection.execute(f"{select} {where} {tail}", values)

    def of_account(
        self, select: str, window: Window, tail: str, *more: int
    ) -> Iterator["tuple[Any, ...]"]:
        """Yield rows of tables that name a run."""
        where = (
            "WHERE ts_ns >= ? AND ts_ns < ?"
            " AND (run IS NULL OR run IN (SELECT id FROM runs WHERE account = ?))"
        )
        values: Sequence[object] = (window.since_ns, window.until_ns, self.account, *more)
        return self.connection.execute(f"{select} {where} {tail}", values)


class _Opened:
    """A ledger that is read in a `with`."""

    def __init__(self, path: Path, account: str | None = None) -> None:
        """DataError when the file cannot be read or is no ledger, at `with`."""
        self.path = path
        self._account = account
        self._stack = ExitStack()
        self._rows: _Selection

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            connection = stack.enter_context(reading(self.path))
            newest = last_run(connection)
            account = self._account or ("" if newest is None else newest.start.account)
            self._rows = _Selection(connection, account)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    @property
    def markets(self) -> Mapping[int, Market]:
        """The account's markets, by the ledger's number."""
        return self._rows.markets

    def symbol(self, market: int | None) -> str:
        """Return a market's name, nothing for no market."""
        return "" if market is None else self.markets[market].symbol


class LedgerReader(_Opened):
    """One account's books: by default those of the newest run. Use it in a `with`."""

    def runs(self) -> Iterator[Run]:
        """Yield the account's runs, oldest first."""
        rows = self._rows.connection.execute(
            f"{SELECT_RUNS} WHERE account = ? ORDER BY id", (self._rows.account,)
        )
        yield from map(run_of, rows)

    def fills(self, window: Window) -> Iterator[FillRow]:
        """Yield trades by time; `mark_half_ticks` is the one told with the trade or later."""
        for row in self._rows.of_markets(_FILLS, window, "ORDER BY ts_ns, id"):
            ts_ns, market, trade, action, order, side, ticks, lots, maker, fee, mark, hedge = row
            yield FillRow(
                ts_ns,
                market,
                int(trade),
                int(action),
                int(order),
                Side(side),
                ticks,
                int(lots),
                bool(maker),
                int(fee),
                mark,
                bool(hedge),
            )

    def fills_by_minute(self, since_ns: int) -> Iterator[tuple[int, Side, int]]:
        """Yield how many trades each minute since then had, by our side; minutes from 1970."""
        rows = self._rows.of_markets(_MINUTES, Window(since_ns), "GROUP BY 1, 2 ORDER BY 1, 2")
        for minute, side, count in rows:
            yield minute, Side(side), count

    def marks(self, horizon_ns: int) -> dict[tuple[int, int], int]:
        """Return the mids so long after trades, by market and trade id."""
        rows = self._rows.connection.execute(_MARKS, (horizon_ns, self._rows.account))
        return {(market, int(trade)): half_ticks for market, trade, half_ticks in rows}

    def funding(self, window: Window) -> Iterator[FundingRow]:
        """Yield funding payments by time."""
        for ts_ns, market, atoms, mark in self._rows.of_markets(
            _FUNDING, window, "ORDER BY ts_ns, id"
        ):
            yield FundingRow(ts_ns, market, int(atoms), mark)

    def adjustments(self, window: Window) -> Iterator[AdjustmentRow]:
        """Yield adjustments by time."""
        rows = self._rows.of_markets(_ADJUSTMENTS, window, "ORDER BY ts_ns, id")
        for ts_ns, market, lots, cash, fees, reason in rows:
            yield AdjustmentRow(ts_ns, market, int(lots), int(cash), int(fees), reason)

    def transfers(self, window: Window) -> Iterator[tuple[int, int]]:
        """Yield (time, micro-USD) of money that came or left."""
        for ts_ns, uusd in self._rows.of_account(_TRANSFERS, window, "ORDER BY ts_ns, id"):
            yield ts_ns, int(uusd)

    def points(self, window: Window) -> Iterator[EquityPoint]:
        """Yield the checkpoints of the account by time, without marks."""
        rows = self._rows.of_account(_EQUITY, window, "ORDER BY ts_ns, id")
        for ts_ns, equity, pnl, day, drawdown in rows:
            yield EquityPoint(ts_ns, _number(equity), int(pnl), _number(day), _number(drawdown))

    def hours(self, window: Window) -> Iterator[HourMarks]:
        """Yield the mids of the hours that begin in a window, by market and time."""
        rows = self._rows.of_markets(_HOURS, window, "ORDER BY market, hour", time="first_ns")
        for row in rows:
            yield HourMarks(*row)

    def orders(self, window: Window, most: int) -> list[PlacedOrder]:
        """Return the latest orders, oldest first."""
        tail = "ORDER BY first_ns DESC, order_id DESC LIMIT ?"
        rows = list(self._rows.of_markets(_ORDERS, window, tail, most, time="first_ns"))
        return [
            PlacedOrder(
                first_ns,
                OrderRow(
                    ts_ns,
                    market,
                    int(order),
                    Side(side),
                    ticks,
                    int(lots),
                    int(leaves),
                    OrderState(state),
                    reason,
                    bool(hedge),
                ),
            )
            for (
                first_ns,
                ts_ns,
                market,
                order,
                side,
                ticks,
                lots,
                leaves,
                state,
                reason,
                hedge,
            ) in reversed(rows)
        ]

    def events(self, window: Window, most: int) -> list[Note]:
        """Return the latest events, oldest first; with symbols, those of these markets only.

        Explanations are left out: see `explained`.
        """
        tail = "AND kind <> 'explained' ORDER BY id DESC LIMIT ?"
        if window.symbols is None:
            rows = list(self._rows.of_account(_JOURNAL, window, tail, most))
        else:
            rows = list(self._rows.of_markets(_JOURNAL, window, tail, most))
        return [
            Note(ts_ns, kind, market, _number(order), text)
            for ts_ns, kind, market, order, text in reversed(rows)
        ]

    def explained(self, window: Window) -> dict[str, str]:
        """Return the latest explanation of each market, as JSON by symbol."""
        tail = "AND kind = 'explained' ORDER BY id"
        rows = self._rows.of_markets(_JOURNAL, window, tail)
        return {self.symbol(market): text for _, _, market, _, text in rows}


def _number(value: int | str | None) -> int | None:
    return None if value is None else int(value)


_MARKETS = "SELECT id, symbol, tick, lot, contract_size FROM markets WHERE account = ?"
_FILLS = (
    "SELECT ts_ns, market, trade_id, action_id, order_id, side, ticks, lots, maker, fee_atoms,"
    " coalesce(mark_half_ticks, (SELECT half_ticks FROM marks WHERE marks.market = fills.market"
    " AND marks.trade_id = fills.trade_id AND horizon_ns = 0)), hedge FROM fills"
)
_MINUTES = "SELECT ts_ns / 60000000000, side, count(*) FROM fills"
_MARKS = (
    "SELECT market, trade_id, half_ticks FROM marks WHERE horizon_ns = ?"
    " AND market IN (SELECT id FROM markets WHERE account = ?)"
)
_FUNDING = "SELECT ts_ns, market, atoms, mark_half_ticks FROM funding"
_ADJUSTMENTS = "SELECT ts_ns, market, lots, cash_atoms, fees_atoms, reason FROM adjustments"
_TRANSFERS = "SELECT ts_ns, uusd FROM transfers"
_EQUITY = "SELECT ts_ns, equity_uusd, pnl_uusd, day_pnl_uusd, drawdown_uusd FROM equity"
_HOURS = "SELECT market, first_ns, first_half_ticks, last_ns, last_half_ticks FROM hours"
_ORDERS = (
    "SELECT first_ns, ts_ns, market, order_id, side, ticks, lots, leaves_lots, state, reason, hedge"
    " FROM orders"
)
_JOURNAL = "SELECT ts_ns, kind, market, order_id, text FROM journal"
