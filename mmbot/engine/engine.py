"""Engine: events in, batches out. It only sequences: what to quote, what to change and what is
allowed is decided in quoting, execution, risk and hedging.

Its now is the receipt time of the event in hand. Each market is decided on once per interval,
on the first event that finds it due, for as long as it has a book.
"""

from collections.abc import Sequence

from mmbot.domain.actions import Batch
from mmbot.domain.events import (
    AccountSnapshot,
    BookGap,
    BookUpdate,
    Event,
    Fill,
    FundingPayment,
    Operator,
    OrderUpdate,
    ReferencePrice,
    Timer,
)
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.order import OrderState, Side
from mmbot.domain.position import Position
from mmbot.domain.quotes import Quotes
from mmbot.engine.desk import NEVER_NS, Desk
from mmbot.engine.outbox import Outbox, VenueTraits
from mmbot.errors import InvariantViolation
from mmbot.execution.budget import Budget
from mmbot.execution.diff import diff
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.tracker import Booking
from mmbot.hedging.engine import Hedge, HedgingEngine
from mmbot.risk.breaker import Breaker, BreakerMemory, BreakerState
from mmbot.risk.limits import NO_SNAPSHOT, RiskManager

# Members of an enum are slow to look up.
_OPEN = OrderState.OPEN
_REJECTED = OrderState.REJECTED
_UNKNOWN = OrderState.UNKNOWN


class Engine:
    """Keeps what the strategies want resting, as far as risk and the venue's rates allow."""

    __slots__ = (
        "_breaker",
        "_breaker_state",
        "_desk_of",
        "_due_ns",
        "_outbox",
        "desks",
        "risk",
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
        self._breaker = breaker
        self._breaker_state = breaker.state
        self._outbox = Outbox(risk, ids, budget, traits)
        self._due_ns = NEVER_NS
        for index, desk in enumerate(self.desks):
            if desk.state.market.index != index:
                raise InvariantViolation(f"market {desk.state.market} is not at its index")

    @property
    def positions(self) -> tuple[Position, ...]:
        """Every market's position, by index; not to be changed."""
        return tuple(desk.position for desk in self.desks)

    @property
    def halted(self) -> str | None:
        """Why trading has stopped until an operator clears it, or None."""
        if self._breaker_state is BreakerState.HALTED:
            return self._breaker.stop_reason(0)
        return None

    @property
    def stop_reason(self) -> str | None:
        """Why nothing at all is quoted by our own decision, or None."""
        return self._breaker.stop_reason(-1)

    @property
    def memory(self) -> BreakerMemory:
        """What must outlive the process."""
        return self._breaker.memory

    def next_wakeup_ns(self) -> int | None:
        """When a Timer is wanted; None before the first book."""
        return None if self._due_ns == NEVER_NS else self._due_ns

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
        if type(event) is not Timer and type(event).__name__ not in ("Hindrance", "IndexPrice", "VenueSnapshot"):
            desk = self._desk_of.get(getattr(event, "market", None))
            if desk is None:
                self._take_account_event(event)
            elif type(event) is OrderUpdate:
                self._take_order_update(desk, event)
            elif type(event) is BookUpdate:
                desk.state.book_ts_ns = now_ns
                if desk.due_ns == NEVER_NS:
                    desk.due_ns = self._due_ns = now_ns
            else:
                self._take_market_event(desk, event)
        if now_ns >= self._due_ns:
            self._decide_due(now_ns)
        return outbox.take_batches() if outbox.batches else ()

    def _take_account_event(self, event: Event) -> None:
        if type(event) is AccountSnapshot:
            self.risk.take_account(event)
            self._breaker.observe(event, self.risk.account.verdict(event.ts_recv_ns))
            self._follow_breaker()
        elif type(event) is Operator and event.market is None:
            self._obey(event)
        else:
            self._outbox.notify(Severity.CRITICAL, "unknown_market", None, f"{event}")

    def _obey(self, event: Operator) -> None:
        self._breaker.command(event)
        self._outbox.notify(Severity.WARNING, event.command, event.market, event.reason)
        self._follow_breaker()

    def _follow_breaker(self) -> None:
        """Tell about a change of the breaker, and take off whatever it stops."""
        state = self._breaker.state
        if state is not self._breaker_state:
            self._breaker_state = state
            severity = Severity.INFO if state is BreakerState.RUNNING else Severity.CRITICAL
            reason = self._breaker.stop_reason(0)
            self._outbox.notify(
                severity, state, None, "figures are good" if reason is None else reason
            )
        for index, desk in enumerate(self.desks):
            if self._breaker.stop_reason(index) is not None:
                self._outbox.pull(desk)

    def _take_market_event(self, desk: Desk, event: Event) -> None:
        if type(event) is Fill:
            self._take_fill(desk, event)
        elif type(event) is ReferencePrice:
            desk.state.reference_ticks = event.mid_ticks
            desk.state.reference_ts_ns = event.ts_recv_ns
        elif type(event) is BookGap:
            desk.state.book_ts_ns = None
            self._outbox.notify(Severity.WARNING, "book_gap", event.market, event.reason)
            self._outbox.pull(desk)
        elif type(event) is FundingPayment:
            desk.position.fund(event.atoms)
        elif type(event) is Operator:
            self._obey(event)
        else:
            raise InvariantViolation(f"not an event of a market: {event}")

    def _take_order_update(self, desk: Desk, event: OrderUpdate) -> None:
        order = desk.tracker.update(event)
        if order is not None:
            if self._outbox.mirrors:
                self._outbox.mirror(desk, order.side, order.ticks)
            state = event.state
            if state is _REJECTED or state is _UNKNOWN:
                code = f"order_{state}"
                self._outbox.notify(Severity.WARNING, code, event.market, f"{event.reason}")
        elif event.state is _OPEN and event.reason is None:
            # It rests though we hold it for finished, or it is not ours at all.
            self._outbox.notify(Severity.CRITICAL, "stray_order", event.market, f"{event}")
            if self._outbox.ids.owns(event.order_id):
                self._outbox.cancel_stray(event.market, event.order_id)

    def _take_fill(self, desk: Desk, event: Fill) -> None:
        order = desk.tracker.orders.get(event.order_id)
        booking = desk.tracker.fill(event)
        if booking is Booking.DUPLICATE:
            return
        desk.position.fill(event.side, event.ticks, event.lots, event.fee_atoms)
        self.risk.take_exposure(event.market, desk.exposure(0))
        if order is not None and self._outbox.mirrors:
            self._outbox.mirror(desk, order.side, order.ticks)
        if booking is not Booking.BOOKED:
            late = booking is Booking.NOT_WORKING and self._outbox.ids.issued(event.order_id)
            severity = Severity.WARNING if late else Severity.CRITICAL
            code = "late_fill" if late else "unexpected_fill"
            self._outbox.notify(severity, code, event.market, f"{event}")

    def _decide_due(self, now_ns: int) -> None:
        verdict = self.risk.account.verdict(now_ns)
        # Before the first snapshot there is nothing to alarm about, only nothing to do yet.
        if verdict is not None and verdict is not NO_SNAPSHOT:
            self._breaker.fail(verdict)
            self._follow_breaker()
        soonest_ns = NEVER_NS
        for index, desk in enumerate(self.desks):
            due_ns = desk.due_ns
            if due_ns <= now_ns:
                desk.due_ns = due_ns = now_ns + desk.interval_ns
                reason = self._breaker.stop_reason(index)
                self._decide(desk, now_ns, verdict if reason is None else reason)
            if due_ns < soonest_ns:
                soonest_ns = due_ns
        self._due_ns = soonest_ns

    def _decide(self, desk: Desk, now_ns: int, stop_reason: str | None) -> None:
        state = desk.state
        market = state.market.index
        risk = self.risk
        best_bid, _, best_ask, _ = state.book.touch()
        mark = best_bid + best_ask if best_bid and best_ask else 0
        risk.take_exposure(market, desk.exposure(mark))
        if stop_reason is None and state.book_ts_ns is None:
            stop_reason = "no book"
        if stop_reason is not None:
            desk.answer = Quotes((), (), stop_reason)
            self._outbox.pull(desk)
            return
        state.now_ns = now_ns
        state.position_lots = desk.position.lots
        state.equity_uusd = risk.equity_uusd
        state.free_uusd = risk.free_uusd
        state.room = risk.room(market)
        desk.answer = answer = desk.strategy.decide(state)
        if type(answer) is not Quotes:
            return
        hedge = None
        if desk.hedging is not None:
            hedge = self._hedge(desk, desk.hedging, answer, (best_bid, best_ask))
            active = desk.hedge if hedge is None else hedge
            if active is not None:
                # The hedge must not trade with our own quotes.
                answer = (
                    Quotes((), answer.asks, answer.reason)
                    if active.side is Side.ASK
                    else Quotes(answer.bids, (), answer.reason)
                )
        changes = diff(answer, desk.tracker, desk.tolerance, state.room, now_ns)
        if hedge is not None or changes.places or changes.cancels:
            self._outbox.send(desk, changes, hedge)
        if hedge is not None and desk.hedge is None and desk.hedging is not None:
            desk.hedging.settle()

    def _hedge(
        self, desk: Desk, hedging: HedgingEngine, answer: Quotes, best: tuple[int, int]
    ) -> Hedge | None:
        """A hedge to send now; only while the strategy finds the market fit to quote."""
        if desk.hedge is not None and desk.hedge.order_id not in desk.tracker.orders:
            desk.hedge = None
            hedging.settle()
        if desk.hedge is not None or not (answer.bids or answer.asks):
            return None
        side = Side.ASK if desk.position.lots > 0 else Side.BID
        if any(order.state is not _OPEN for order in desk.tracker.rivals(side)):
            return None
        ratio = self.risk.position_ratio(desk.state.market.index)
        return hedging.decide(ratio, desk.position.lots, *best, self._outbox.now_ns)
