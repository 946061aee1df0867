"""What was told of the account so far: positions, and executions the audit has yet to compare."""

from msgspec import Struct


class Booked(Struct):
    """Executions of one engine action in one market, added up: signed lots, and atoms."""

    lots: int = 0
    cash_atoms: int = 0
    fees_atoms: int = 0


class Tally:
    """Signed lots by market index, and what was told since the audit by (action, market).

    None of the latter may be forgotten: the audit takes what it does not find for untold.
    """

    def __init__(self, markets: int) -> None:
        self.lots = [0] * markets
        self.unaudited: dict[tuple[int, int], Booked] = {}

    def book(self, action_id: int, market: int, booked: Booked) -> None:
        """Take what was told of one execution."""
        self.lots[market] += booked.lots
        kept = self.unaudited.setdefault((action_id, market), Booked())
        kept.lots += booked.lots
        kept.cash_atoms += booked.cash_atoms
        kept.fees_atoms += booked.fees_atoms
