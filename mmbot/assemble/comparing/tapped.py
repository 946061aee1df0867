"""A pretend exchange as a live bot saw the real one: books from when it saw them, and promptly."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from mmbot.adapters.sim.bars import BarExchange
from mmbot.adapters.sim.exchange import ReplayExchange
from mmbot.domain.actions import Batch
from mmbot.domain.events import BookUpdate, Event, Restatement

# How long a changed book is kept back at most. A backtest tells it when something is due; a live
# bot hears at once, and takes orders off that the price comes near.
STEP_NS = 2_000_000


class Opening:
    """How a market begins: when its book is seen, and with which position."""

    def __init__(self, start_ns: int, lots: int = 0) -> None:
        self.start_ns = start_ns
        self.lots = lots


class Tapped:
    """SimVenue around a pretend exchange; `told` is given its events, `carry`
    the positions it begins with."""

    def __init__(
        self,
        venue: ReplayExchange | BarExchange,
        openings: Sequence[Opening],
        told: Callable[[Event], object],
        carry: Callable[[Restatement], object],
        step_ns: int = STEP_NS,
    ) -> None:
        self._venue = venue
        self._told = told
        self._carry = carry
        self._step_ns = step_ns
        self._closed = dict(enumerate(openings))
        self._unseen: dict[int, BookUpdate] = {}

    @property
    def now_ns(self) -> int:
        """See SimVenue."""
        return self._venue.now_ns

    @property
    def finished(self) -> bool:
        """See SimVenue."""
        return self._venue.finished

    def advance(self, until_ns: int) -> Sequence[Event]:
        """See SimVenue."""
        until_ns = min(until_ns, self._venue.now_ns + self._step_ns)
        if not self._closed:
            events = self._venue.advance(until_ns)
        else:
            starts = [each.start_ns for each in self._closed.values()]
            until_ns = min([until_ns, *(ns for ns in starts if ns > self.now_ns)])
            events = self._opened(self._venue.advance(until_ns))
        for event in events:
            self._told(event)
        return events

    def submit(self, batch: Batch) -> None:
        """See SimVenue."""
        self._venue.submit(batch)

    def _opened(self, events: Sequence[Event]) -> list[Event]:
        """Hold books back until it is time, then show them."""
        now_ns = self._venue.now_ns
        seen: list[Event] = []
        for event in events:
            if isinstance(event, BookUpdate) and event.market in self._closed:
                self._unseen[event.market] = replace(event, ts_recv_ns=now_ns)
            else:
                seen.append(event)
        for market, opening in list(self._closed.items()):
            if now_ns >= opening.start_ns and market in self._unseen:
                del self._closed[market]
                if opening.lots:
                    seen.append(self._held(market, opening.lots))
                seen.append(replace(self._unseen.pop(market), ts_recv_ns=now_ns))
        return seen

    def _held(self, market: int, lots: int) -> Restatement:
        """Put a position there, worth nothing more nor less than what it cost at the mid of now."""
        position = self._venue.account.positions[market]
        cash_atoms = -lots * position.market.unit_value(self._venue.marks()[market])
        position.restate(lots, cash_atoms, 0)
        now_ns = self.now_ns
        held = Restatement(now_ns, now_ns, market, lots, cash_atoms, 0, "held before the run")
        self._carry(held)
        return held
