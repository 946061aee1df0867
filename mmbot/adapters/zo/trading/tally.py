"""What was told of the account so far: positions, and executions the audit has yet to compare."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

# Executions that the list of trades has not shown yet, of a market.
MOST_SPANS = 5_000


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
    """Engine actions after `low` up to `high`, told by an update at `told_ns`, and what it told."""

    low: int
    high: int
    booked: Booked
    told_ns: int = 0


class Tally:
    """Signed lots by market index, and what each update told of a market, for the audit.

    None of the latter may be forgotten: the audit takes for untold what it does not find. When too
    many wait the oldest are put together, and compared together. What was not told up to an action
    in `adjusted` is in the position, which was taken as it is.
    """

    def __init__(self, markets: int, most_spans: int = MOST_SPANS) -> None:
        self.lots = [0] * markets
        self.adjusted = [0] * markets
        self._most_spans = most_spans
        self._unaudited: list[deque[Span]] = [deque() for _ in range(markets)]
        self._given_up: list[deque[Span]] = [deque(maxlen=most_spans) for _ in range(markets)]

    def book(self, span: tuple[int, int], market: int, booked: Booked, now_ns: int = 0) -> None:
        """Take what an update told of one execution; updates come in order."""
        self.lots[market] += booked.lots
        kept = self._unaudited[market]
        low, high = span
        if not kept or kept[-1].high != high:
            kept.append(Span(low, high, Booked(), now_ns))
            if len(kept) > self._most_spans:
                first, second = kept.popleft(), kept[0]
                second.low = first.low
                second.booked.add(first.booked)
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

    def lacking(self, market: int, listed: Sequence[int], listed_to: int) -> bool:
        """Whether something told before an action that the list has shown is of none `listed`.

        `listed` are the market's actions, in order.
        """
        for span in self._unaudited[market]:
            if span.high >= listed_to:
                break
            at = bisect_right(listed, span.low)
            if at == len(listed) or listed[at] > span.high:
                return True
        return False

    def passed(self, market: int, listed_to: int) -> list[Span]:
        """Give up what lies before an action that the list has shown; returns what that was."""
        kept = self._unaudited[market]
        found = []
        while kept and kept[0].high < listed_to:
            found.append(kept.popleft())
        self._given_up[market] += found
        return found

    def gave_up(self, action_id: int, market: int) -> bool:
        """Whether the action was told, and listed too late to be compared."""
        return any(span.low < action_id <= span.high for span in self._given_up[market])
