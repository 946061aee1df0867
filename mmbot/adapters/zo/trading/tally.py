"""What was told of the account so far: positions, and executions the audit has yet to compare."""

from collections import deque

from msgspec import Struct


class Booked(Struct):
    """Executions of one market, added up: signed lots, and atoms."""

    lots: int = 0
    cash_atoms: int = 0
    fees_atoms: int = 0

    def add(self, other: "Booked") -> None:
        """Count more."""
        self.lots += other.lots
        self.cash_atoms += other.cash_atoms
        self.fees_atoms += other.fees_atoms


class Span(Struct):
    """Engine actions after `low` up to `high`, told by one update, and what it told."""

    low: int
    high: int
    booked: Booked


class Tally:
    """Signed lots by market index, and what each update told of a market, for the audit.

    None of the latter may be forgotten: the audit takes for untold what it does not find.
    """

    def __init__(self, markets: int) -> None:
        self.lots = [0] * markets
        self._unaudited: list[deque[Span]] = [deque() for _ in range(markets)]

    def book(self, span: tuple[int, int], market: int, booked: Booked) -> None:
        """Take what an update told of one execution; updates come in order."""
        self.lots[market] += booked.lots
        kept = self._unaudited[market]
        low, high = span
        if not kept or kept[-1].high != high:
            kept.append(Span(low, high, Booked()))
        kept[-1].booked.add(booked)

    def told(self, action_id: int, market: int) -> Span | None:
        """Return what was told of a market by the update that had this action."""
        for span in self._unaudited[market]:
            if span.low < action_id <= span.high:
                return span
            if span.low >= action_id:
                break
        return None

    def audited(self, span: Span, market: int) -> None:
        """It was compared."""
        self._unaudited[market].remove(span)
