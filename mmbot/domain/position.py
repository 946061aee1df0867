"""Position: a fold over fills and funding, in exact integers.

Equity change since the start is `cash + lots * unit_value(mark) - fees + funding`, in atoms,
with no branch for shorts.
"""

from mmbot.domain.market import Market
from mmbot.domain.order import Side


class Position:
    """Signed lots, cash from fills, fees paid and funding received, of one market."""

    __slots__ = (
        "cash_atoms",
        "fees_atoms",
        "fills",
        "funding_atoms",
        "lots",
        "market",
        "volume_lots",
    )

    def __init__(self, market: Market) -> None:
        self.market = market
        self.lots = 0
        self.cash_atoms = 0
        self.fees_atoms = 0
        self.funding_atoms = 0
        self.volume_lots = 0
        self.fills = 0

    def fill(self, side: Side, ticks: int, lots: int, fee_atoms: int) -> None:
        """Book one execution: `lots` > 0 at `ticks`, fee in atoms (negative: rebate)."""
        signed = side * lots
        self.lots += signed
        self.cash_atoms -= signed * self.market.unit_value(2 * ticks)
        self.fees_atoms += fee_atoms
        self.volume_lots += lots
        self.fills += 1

    def fund(self, atoms: int) -> None:
        """Book funding; positive is received."""
        self.funding_atoms += atoms

    def restate(self, lots: int, cash_atoms: int, fees_atoms: int) -> None:
        """Add what the venue's own list of trades says beyond the fills booked here."""
        self.lots += lots
        self.cash_atoms += cash_atoms
        self.fees_atoms += fees_atoms

    def pnl_atoms(self, mark_half_ticks: int) -> int:
        """Total profit since the start at this mark (half ticks), net of fees and funding."""
        held = self.lots * self.market.unit_value(mark_half_ticks) if self.lots else 0
        return self.cash_atoms + held - self.fees_atoms + self.funding_atoms
