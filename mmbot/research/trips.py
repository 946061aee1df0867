"""Average-cost view of one market: what was realised, what is still open, who won.

Every fill that reduces a position closes part of it at its average cost; a fill that turns the
position around closes all of it and opens the rest. Fees follow the lots they were paid for.
Integer atoms: what a division leaves over stays with the open part, so no atom is ever lost.
"""

from collections.abc import Iterable

from mmbot.domain.market import Market
from mmbot.research.record import FillRecord


class AverageCost:
    """Signed open lots with what they cost; closings counted as won, lost or even after fees."""

    __slots__ = (
        "closed_lots",
        "closings",
        "cost_atoms",
        "fees_atoms",
        "lots",
        "market",
        "realised_atoms",
        "wins",
    )

    def __init__(self, market: Market, fills: Iterable[FillRecord] = ()) -> None:
        """Fold `fills` of one market, in order."""
        self.market = market
        self.lots = 0
        self.cost_atoms = 0
        self.fees_atoms = 0
        self.realised_atoms = 0
        self.closed_lots = 0
        self.closings = 0
        self.wins = 0
        for fill in fills:
            self.fill(fill)

    def fill(self, fill: FillRecord) -> None:
        """Book one fill: close against the open position first, open with the rest."""
        signed = fill.side * fill.lots
        closing = min(abs(self.lots), fill.lots) if signed * self.lots < 0 else 0
        value = self.market.unit_value(2 * fill.ticks)
        closing_fee = fill.fee_atoms * closing // fill.lots
        if closing:
            self._close(closing, fill.side * closing * value, closing_fee)
        self.lots += signed
        self.cost_atoms += fill.side * (fill.lots - closing) * value
        self.fees_atoms += fill.fee_atoms - closing_fee

    def _close(self, lots: int, value_atoms: int, fee_atoms: int) -> None:
        held = abs(self.lots)
        cost = self.cost_atoms * lots // held
        entry_fees = self.fees_atoms * lots // held
        profit = -value_atoms - cost - entry_fees - fee_atoms
        self.cost_atoms -= cost
        self.fees_atoms -= entry_fees
        self.realised_atoms += profit
        self.closed_lots += lots
        self.closings += 1
        self.wins += profit > 0

    def unrealised_atoms(self, mark_half_ticks: int) -> int:
        """Profit of the open part at a mark, after the fees it has cost."""
        held = self.lots * self.market.unit_value(mark_half_ticks) if self.lots else 0
        return held - self.cost_atoms - self.fees_atoms
