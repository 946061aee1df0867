"""Engine: events in, batches out. It only sequences: what to quote, what to change and what is
allowed is decided in quoting, execution, risk and hedging.

Its now is the receipt time of the event in hand. Each market is decided on once per interval,
on the first event that finds it due, for as long as it has a book.
"""

from collections.abc import Callable, Sequence

from mmbot.domain.actions import Batch
from mmbot.domain.events import (
    AccountSnapshot,
    BookGap,
    BookUpdate,
    Command,
    Event,
    Fill,
    FundingPayment,
    Hindrance,
    IndexPrice,
    Operator,
    OrderUpdate,
    PublicTrades,
    ReferencePrice,
    Restatement,
    Timer,
    Transfer,
    VenueSnapshot,
)
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.position import Position
from mmbot.engine.answers import Answers
from mmbot.engine.deciding import Decider
from mmbot.engine.desk import NEVER_NS, Desk
from mmbot.engine.flattening import Flattening
from mmbot.engine.outbox import Outbox, VenueTraits
from mmbot.engine.reconciling import Reconciling
from mmbot.engine.stops import Stops, severity_of
from mmbot.errors import InvariantViolation
from mmbot.execution.budget import Budget
from mmbot.execution.order_ids import OrderIds
from mmbot.risk.breaker import Breaker, BreakerState
from mmbot.risk.limits import NO_SNAPSHOT, RiskManager

# A halt that is there already does not forbid it: an operator asked, and it only reduces.
_ENDS_FLATTENING = (Command.RESUME, Command.HALT, Command.STOP)


class Engine:
    """Keeps what the strategies want resting, as far as risk and the venue's rates allow."""

    __slots__ = (
        "_answers",
        "_breaker_state",
        "_decider",
        "_desk_of",
        "_due_ns",
        "_outbox",
        "_reconciling",
        "budget",
        "desks",
        "risk",
        "stops",
    )

    def __init__(
        self,
        desks: Sequence[Desk],
        risk: RiskManager,
        breaker: Breaker,
        ids: OrderIds,
        budget: Budget,
        traits: VenueTraits,
    ) -> None:
        self.desks = tuple(desks)
        self._desk_of: dict[int | None, Desk] = dict(enumerate(self.desks))
        self.risk = risk
        self.stops = Stops(breaker, len(self.desks))
        self._breaker_state = breaker.state
        self.budget = budget
        self._outbox = Outbox(risk, ids, budget, traits)
        self._decider = Decider(risk, self.stops, self._outbox)
        self._reconciling = Reconciling(self.desks, self.stops, self._outbox)
        self._answers = Answers(risk, self.stops, self._outbox, self._reconciling)
        self._due_ns = NEVER_NS
        for index, desk in enumerate(self.desks):
            if desk.state.market.index != index:
                raise InvariantViolation(f"market {desk.state.market} is not at its index")

    @property
    def positions(self) -> tuple[Position, ...]:
        """Every market's position, by index; not to be changed."""
        return tuple(desk.position for desk in self.desks)

    def submit_by(self, submit: Callable[[Batch], None]) -> None:
        """Have each batch submitted the moment it is complete; `handle` returns them as ever."""
        self._outbox.submit = submit

    def next_wakeup_ns(self) -> int | None:
        """When a Timer is wanted; None before the first book."""
        return None if self._due_ns == NEVER_NS else self._due_ns

    def decide_at(self, market: int, ts_ns: int) -> None:
        """Move a market's next decision: for replaying a run that decided when it did."""
        self.desks[market].due_ns = ts_ns
        self._due_ns = min([desk.due_ns for desk in self.desks])

    def take_notices(self) -> list[Notice]:
        """Notices since the last call."""
        return self._outbox.take_notices()

    def handle(self, event: Event) -> Sequence[Batch]:
        """Take in one event; return what must be sent, in order.

        Raises InvariantViolation when the event cannot be, such as an order state that only we set.
        """
        outbox = self._outbox
        outbox.now_ns = now_ns = event.ts_recv_ns
        # Events are final, and isinstance is slow to say no of a struct.
        if type(event) is not Timer:
            desk = self._desk_of.get(getattr(event, "market", None))
            if desk is None:
                self._take_account_event(event)
            elif type(event) is OrderUpdate:
                self._answers.take_order_update(desk, event)
            elif type(event) is BookUpdate:
                self._take_book(desk, now_ns)
            elif type(event) is PublicTrades:
                desk.state.takers.take(event)
                return ()
            else:
                self._take_market_event(desk, event)
        if now_ns >= self._due_ns:
            self._decide_due(now_ns)
        return outbox.take_batches() if outbox.batches else ()

    def _take_book(self, desk: Desk, now_ns: int) -> None:
        state = desk.state
        desk.guards.take_book(state.book_ts_ns, now_ns)
        state.book_ts_ns = now_ns
        if desk.due_ns == NEVER_NS:
            desk.due_ns = self._due_ns = now_ns
        elif now_ns < desk.due_ns:
            self._decider.endangered(desk)

    def _take_account_event(self, event: Event) -> None:
        stops = self.stops
        if type(event) is AccountSnapshot:
            self.risk.take_account(event)
            stops.judge(event, self.risk.account.verdict(event.ts_recv_ns))
            self._follow_stops()
        elif type(event) is VenueSnapshot:
            self._reconciling.take(event)
            for index, desk in enumerate(self.desks):
                self.risk.take_exposure(index, desk.exposure(0))
            self._follow_stops()
        elif type(event) is Transfer:
            stops.breaker.losses.transfer(event.uusd)
            self._outbox.notify(Severity.INFO, "transfer", None, f"{event.uusd} uusd")
        elif type(event) is Hindrance and event.market is None:
            self._take_hindrance(event)
        elif type(event) is Operator and event.market is None:
            self._obey(event)
        else:
            self._outbox.notify(Severity.CRITICAL, "unknown_market", None, f"{event}")

    def _take_hindrance(self, event: Hindrance) -> None:
        if self.stops.hinder(event):
            ended = event.reason is None
            text = "is over" if event.reason is None else event.reason
            code = f"{event.name}_over" if ended else event.name
            # Never held back: an end that is not told would leave its alert open.
            self._outbox.tell(severity_of(event), code, event.market, text)
            self._follow_stops()

    def _obey(self, event: Operator) -> None:
        chosen = [d for d in self.desks if event.market in (None, d.state.market.index)]
        if event.command is Command.STOP:
            self.stops.stop(event)
        else:
            self.stops.breaker.command(event)
        for desk in chosen:
            if event.command is Command.FLATTEN:
                guards, min_lots = desk.guards, desk.state.market.min_lots
                slippage_ppb = event.slippage_ppb
                if slippage_ppb is None:
                    slippage_ppb = guards.slippage_ppb
                guards.flattening = Flattening(slippage_ppb, guards.slicing, min_lots)
            elif event.command in _ENDS_FLATTENING:
                desk.guards.flattening = None
        self._outbox.tell(Severity.WARNING, event.command, event.market, event.reason)
        self._follow_stops()

    def _follow_stops(self) -> None:
        """Tell about a change of the breaker, and take off whatever is stopped."""
        stops = self.stops
        state = stops.state
        before = self._breaker_state
        if state is not before:
            self._breaker_state = state
            if before is not BreakerState.RUNNING:
                self._outbox.tell(Severity.INFO, f"{before}_over", None, "is over")
            severity = Severity.INFO if state is BreakerState.RUNNING else Severity.CRITICAL
            reason = stops.breaker.account_reason() or stops.breaker.reduce_reason(-1)
            self._outbox.tell(severity, state, None, reason or f"no longer {before}")
        for index, desk in enumerate(self.desks):
            if stops.reason(index) is not None:
                self._outbox.pull(desk)

    def _take_market_event(self, desk: Desk, event: Event) -> None:
        state = desk.state
        if type(event) is Fill:
            if self._answers.take_fill(desk, event):
                self._decider.hedged(desk, event)
        elif type(event) is ReferencePrice:
            self._take_reference(desk, event)
        elif type(event) is IndexPrice:
            desk.guards.band.index_ticks = event.ticks
        elif type(event) is BookGap:
            state.book_ts_ns = None
            desk.guards.lost_book()
            self._outbox.notify(Severity.WARNING, "book_gap", event.market, event.reason)
            self._outbox.pull(desk)
        elif type(event) is FundingPayment:
            desk.position.fund(event.atoms)
        elif type(event) is Restatement:
            market = state.market
            desk.position.restate(event.lots, event.cash_atoms, event.fees_atoms)
            self.risk.take_exposure(event.market, desk.exposure(0))
            size, cash = market.size(event.lots), market.money(event.cash_atoms)
            text = f"{event.reason}: size {size:+f}, cash {cash:+.2f}"
            self._outbox.notify(Severity.WARNING, "restatement", event.market, text)
        elif type(event) is Hindrance:
            self._take_hindrance(event)
        elif type(event) is Operator:
            self._obey(event)
        else:
            raise InvariantViolation(f"not an event of a market: {event}")

    def _take_reference(self, desk: Desk, event: ReferencePrice) -> None:
        state, now_ns = desk.state, event.ts_recv_ns
        desk.guards.take_reference(state.reference_ts_ns, now_ns)
        state.reference_ticks = event.mid_ticks
        state.reference_ts_ns = now_ns
        if desk.guards.reference_share and now_ns < desk.due_ns:
            self._decider.endangered(desk)

    def _decide_due(self, now_ns: int) -> None:
        stops = self.stops
        verdict = self.risk.account.verdict(now_ns)
        # Before the first snapshot there is nothing to alarm about, only nothing to do yet.
        if verdict is not None and verdict is not NO_SNAPSHOT:
            stops.breaker.fail(verdict)
            self._follow_stops()
        soonest_ns = NEVER_NS
        for index, desk in enumerate(self.desks):
            due_ns = desk.due_ns
            if due_ns <= now_ns:
                desk.due_ns = due_ns = now_ns + desk.tolerance.interval_ns
                reason = stops.reason(index)
                self._decider.decide(desk, now_ns, verdict if reason is None else reason)
                desk.state.takers.forget()
            if due_ns < soonest_ns:
                soonest_ns = due_ns
        self._due_ns = soonest_ns
