"""Positions from before the run: the venue says what they are, and nobody what they have earned.

They are taken over with the first snapshot of the venue. Their profit counts from the first mid
that is seen, so that what a run earned is what it earned itself.
"""

from collections.abc import Sequence

from mmbot.domain.events import BookUpdate, Event, Restatement, VenueSnapshot
from mmbot.engine import Engine

HELD_BEFORE = "held before the run"


class Inheritance:
    """Says what has to be restated before an event is dealt with; `over` when nothing is left."""

    __slots__ = ("_begun", "_engine", "_lots", "over")

    def __init__(self, engine: Engine) -> None:
        self.over = False
        self._engine = engine
        self._begun = False
        # Lots by market whose worth is still to be told.
        self._lots: dict[int, int] = {}

    def before(self, event: Event) -> Sequence[Restatement]:
        """Return the restatements that are due with this event."""
        if type(event) is VenueSnapshot and not self._begun:
            return self._begin(event)
        if type(event) is BookUpdate and event.market in self._lots:
            told = self._worth(event.market, event.ts_recv_ns)
            self._end()
            return () if told is None else (told,)
        return ()

    def _begin(self, event: VenueSnapshot) -> list[Restatement]:
        self._begun = True
        now_ns = event.ts_recv_ns
        told = []
        for position, lots in zip(self._engine.positions, event.lots, strict=True):
            held = lots - position.lots
            if held:
                market = position.market.index
                self._lots[market] = held
                told.append(Restatement(now_ns, now_ns, market, held, 0, 0, HELD_BEFORE))
                worth = self._worth(market, now_ns)
                if worth is not None:
                    told.append(worth)
        self._end()
        return told

    def _worth(self, market: int, now_ns: int) -> Restatement | None:
        """Return what the lots held cost at the mid of now, once there is one."""
        state = self._engine.desks[market].state
        best_bid, _, best_ask, _ = state.book.touch()
        if not 0 < best_bid < best_ask:
            return None
        lots = self._lots.pop(market)
        cash_atoms = -lots * state.market.unit_value(best_bid + best_ask)
        return Restatement(now_ns, now_ns, market, 0, cash_atoms, 0, HELD_BEFORE)

    def _end(self) -> None:
        self.over = self._begun and not self._lots
