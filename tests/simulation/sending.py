"""Invariants of actions, sent (I5, I14-I16, I18) and executed (I8, I9, I12, I13, I24)."""

from collections import defaultdict, deque
from typing import NamedTuple

from mmbot.domain.status import Mode
from tests.simulation.exchange import Venue
from tests.simulation.jumps import Jumps
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Process
from tests.simulation.requests import ALLOWED_KINDS, Request, epoch_of, instance_of
from tests.simulation.terms import Belief, MarketBelief, Report, Surroundings, Terms

SECOND, MINUTE = 1.0, 60.0
# The engine's second is read through a cache; an estimate may be so much behind, never ahead.
GRACE_S = 1
# What is signed may wait so long for a connection.
WAIT_S = 0.2


class _Window:
    """How much was sent within a span."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._sent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, count: int, now_s: float) -> int:
        """Count something; how much there was within the span."""
        self._sent.append((now_s, count))
        self._sum += count
        return self.sum(now_s)

    def sum(self, now_s: float) -> int:
        """How much there was within the span."""
        # A message of exactly one span ago is outside of it.
        while self._sent and self._sent[0][0] <= now_s - self._span_s + 1e-6:
            self._sum -= self._sent.popleft()[1]
        return self._sum


class _Windows(NamedTuple):
    places: _Window
    cancels: _Window
    requests: _Window


def _windows() -> _Windows:
    return _Windows(_Window(SECOND), _Window(SECOND), _Window(MINUTE))


class Sendings:
    """What the bot hands to the network, at that moment."""

    def __init__(
        self,
        loop: VirtualLoop,
        venue: Venue,
        terms: Terms,
        surroundings: Surroundings,
        report: Report,
    ) -> None:
        self.count = 0
        self.halted = False
        self._loop = loop
        self._venue = venue
        self._terms = terms
        self._surroundings = surroundings
        self._report = report
        # By machine: those of a pair know nothing of each other.
        self._windows: defaultdict[str, _Windows] = defaultdict(_windows)
        self._known: set[bytes] = set()
        self._before: dict[int, str] = {}
        # When each market was last seen in order.
        self._fine_at: dict[int, float] = {}
        self._jumps = Jumps(loop, venue)

    def read(self, process: Process) -> None:
        """A GET was sent."""
        self._asked(process)

    def cancels_used_up(self) -> bool:
        """Whether no more cancels may be sent at this moment."""
        now_s, most = self._loop.now_s, self._terms.cancels_per_s
        return any(each.cancels.sum(now_s) >= most for each in self._windows.values())

    def sent(self, request: Request, process: Process) -> None:
        """An action was sent, for the first time or again."""
        self.count += 1
        self._asked(process)
        if request.kind not in ALLOWED_KINDS:
            self._report("I14", f"an action of the kind {request.kind} was signed")
            return
        self._stamped(request, process)
        self._paced(request, self._windows[process.host])
        if request.places:
            self._allowed(request, process)
        self._known.add(request.digest)

    def _asked(self, process: Process) -> None:
        requests = self._windows[process.host].requests
        if requests.add(1, self._loop.now_s) > self._terms.actions_per_min:
            self._report("I18", f"more than {self._terms.actions_per_min} requests in a minute")

    def _stamped(self, request: Request, process: Process) -> None:
        if request.digest in self._known or self._venue.operation.stalled:
            return
        if self._jumps.unheard(process):
            return
        engine_s = self._venue.exchange.state.now_s
        age = engine_s - request.stamp_s
        left = request.stamp_s + 60 - engine_s
        if age < 0 and not self._venue.operation.ahead_ns:
            self._report("I15", f"stamped {-age} s in the engine's future")
        # Cancels may live longer: they free what a short life protects.
        if request.places and left > self._terms.lifetime_s + GRACE_S:
            ahead = self._venue.operation.ahead_ns
            if not ahead:
                self._report("I15", f"a place can land for {left} s")

    def _paced(self, request: Request, windows: _Windows) -> None:
        if request.digest in self._known:
            return
        now_s, terms = self._loop.now_s, self._terms
        if request.places and windows.places.add(len(request.places), now_s) > terms.places_per_s:
            self._report("I18", f"more than {terms.places_per_s} places in a second")
        if request.cancels and windows.cancels.add(request.cancels, now_s) > terms.cancels_per_s:
            self._report("I18", f"more than {terms.cancels_per_s} cancels in a second")

    def _allowed(self, request: Request, process: Process) -> None:
        view = self._surroundings.told_by(process)
        if view is None:
            self._report("I5", "a place was sent by a bot that does not say how it stands")
            return
        self.halted = self.halted or view.mode is Mode.HALTED
        if self.halted:
            self._report("I16", "a place was sent after the halt")
        taking = all(place.reduce_only for place in request.places)
        if taking and self._terms.may_take:
            return
        for market, why in self._forbidden(view, request).items():
            # What was decided a moment ago may still be on its way through the program.
            late = self._before.get(market) is not None
            if late and not self._decided_well(request, process, market):
                self._report("I5", f"a place in market {market}, not quoted: {why}")

    def _decided_well(self, request: Request, process: Process, market: int) -> bool:
        """Whether bytes have only waited for a connection, since the market might be quoted.

        Of a repetition nobody knows when it was decided: as late as it can have been.
        """
        if request.digest in self._known:
            return self._loop.now_s - self._fine_at.get(market, -WAIT_S) < WAIT_S
        places = [place for place in request.places if place.market == market]
        whens = [self._surroundings.decided_by(process, each.client_id) for each in places]
        return all(
            when is not None
            and self._loop.now_s - when.at_s <= WAIT_S
            and _forbids(when.belief, when.belief.markets[market]) is None
            for when in whens
        )

    def look(self, view: Belief | None) -> None:
        """Remember what may not be quoted at this moment, `view` as the bot sees it."""
        self._before = {}
        now_s = self._loop.now_s
        self._jumps.look()
        if view is not None:
            self.halted = self.halted or view.mode is Mode.HALTED
            for market, status in enumerate(view.markets):
                if (why := _forbids(view, status)) is not None:
                    self._before[market] = why
                else:
                    self._fine_at[market] = now_s

    def _forbidden(self, view: Belief, request: Request) -> dict[int, str]:
        markets = sorted({place.market for place in request.places})
        whys = {market: _forbids(view, view.markets[market]) for market in markets}
        return {market: why for market, why in whys.items() if why is not None}


def _forbids(view: Belief, status: MarketBelief) -> str | None:
    if view.mode is not Mode.QUOTING:
        return f"{view.mode} {', '.join(view.reasons)}"
    return status.reason


class Executions:
    """What the exchange did with what it was sent."""

    def __init__(self, loop: VirtualLoop, venue: Venue, terms: Terms, report: Report) -> None:
        self.placed = 0
        self._loop = loop
        self._venue = venue
        self._terms = terms
        self._report = report
        # Client ids with the bytes that carried them, and how often they had an effect.
        self._carriers: dict[int, bytes] = {}
        self._effects: dict[int, int] = {}
        self._refused: set[bytes] = set()
        self._highest_epoch = 0

    def executed(self, request: Request, accepted: bool) -> bool:
        """An action of ours came to the engine; tells whether it was refused before and now not."""
        for place in request.places:
            if place.client_id is None:
                self._report("I9", "an order without a client id")
            elif self._carriers.setdefault(place.client_id, request.digest) != request.digest:
                self._report("I9", f"client id {place.client_id} in other bytes again")
        late = accepted and request.digest in self._refused
        if accepted:
            for place in request.places:
                self._took_effect(place.client_id)
        else:
            self._refused.add(request.digest)
        self._priced(request)
        return late

    def _took_effect(self, client_id: int | None) -> None:
        self.placed += 1
        if client_id is None:
            return
        count = self._effects[client_id] = self._effects.get(client_id, 0) + 1
        if count > 1:
            self._report("I8", f"client id {client_id} took effect {count} times")
        if instance_of(client_id) != self._terms.instance:
            self._report("I9", f"client id {client_id} is of another instance")
        epoch = epoch_of(client_id)
        if epoch < self._highest_epoch:
            self._report("I24", f"a place of epoch {epoch} after one of {self._highest_epoch}")
        self._highest_epoch = max(self._highest_epoch, epoch)

    def _priced(self, request: Request) -> None:
        for place in request.places:
            index = self._venue.outside(place.market)
            terms = self._terms.markets[place.market]
            if not place.post_only and not (self._terms.may_take and place.reduce_only):
                self._report("I12", f"market {place.market}: an order that may take")
            if not place.ticks or not 0 < place.lots <= terms.order_lots:
                self._report("I13", f"market {place.market}: {place.lots} lots at {place.ticks}")
            elif index and abs(place.ticks / index - 1) > self._terms.band:
                self._report("I13", f"market {place.market}: {place.ticks} by an index of {index}")
