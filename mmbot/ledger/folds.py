"""What the rows amount to: positions and profit of every market, exact, as domain/position folds.

A mark is the latest price known at a moment: of the account's checkpoints (the first and the last
of an hour are kept), of a trade's mid, else the trade's own price; without any, what lots cost that
came by an adjustment.
"""

from msgspec import Struct

from mmbot.domain.market import Market
from mmbot.domain.position import Position
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.ledger.rows import AdjustmentRow


class Book(Struct, frozen=True):
    """One market at a moment; `mark_half_ticks` is 0 when no price was ever known."""

    number: int
    position: Position
    mark_half_ticks: int
    mark_ns: int

    @property
    def market(self) -> Market:
        """Grid and name."""
        return self.position.market

    @property
    def pnl_atoms(self) -> int:
        """Profit since the first row, net of fees, funding included."""
        return self.position.pnl_atoms(self.mark_half_ticks)

    @property
    def pnl_uusd(self) -> int:
        """The same in micro-USD, rounded down."""
        return self.market.atoms_to_uusd(self.pnl_atoms, self.mark_half_ticks)


def books(reader: LedgerReader, window: Window) -> list[Book]:
    """Fold everything before `window.until_ns`, whatever its beginning; markets with rows only."""
    all_before = Window(until_ns=window.until_ns, symbols=window.symbols)
    positions: dict[int, Position] = {}
    marks: dict[int, tuple[int, int]] = {}

    costs: dict[int, tuple[int, int]] = {}

    def position(market: int) -> Position:
        return positions.setdefault(market, Position(reader.markets[market]))

    def mark(market: int, ts_ns: int, half_ticks: int) -> None:
        if half_ticks > 0 and (ts_ns, half_ticks) > marks.get(market, (ts_ns - 1, 0)):
            marks[market] = (ts_ns, half_ticks)

    for fill in reader.fills(all_before):
        position(fill.market).fill(fill.side, fill.ticks, fill.lots, fill.fee_atoms)
        mark(fill.market, fill.ts_ns, fill.mark_half_ticks or 2 * fill.ticks)
    for payment in reader.funding(all_before):
        position(payment.market).fund(payment.atoms)
        mark(payment.market, payment.ts_ns, payment.mark_half_ticks or 0)
    for row in reader.adjustments(all_before):
        held = position(row.market)
        held.lots += row.lots
        held.cash_atoms += row.cash_atoms
        held.fees_atoms += row.fees_atoms
        costs[row.market] = (row.ts_ns, 2 * cost_ticks(held.market, row))
    for hour in reader.hours(all_before):
        mark(hour.market, hour.first_ns, hour.first_half_ticks)
        if hour.last_ns < window.until_ns:
            mark(hour.market, hour.last_ns, hour.last_half_ticks)
    return [
        Book(number, positions[number], *reversed(marks.get(number) or costs.get(number, (0, 0))))
        for number in sorted(positions, key=lambda n: (reader.markets[n].symbol, n))
    ]


def cost_ticks(market: Market, row: AdjustmentRow) -> int:
    """Price that an adjustment's lots came at, rounded down; 0 when it gives none."""
    if not row.lots:
        return 0
    return max(0, -row.cash_atoms // (row.lots * market.unit_value(2)))
