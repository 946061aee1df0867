"""Answers: books the venue's word on orders, and fills, and what follows from them."""

from typing import Final

from mmbot.domain.events import UNIDENTIFIED, Fill, OrderUpdate
from mmbot.domain.notices import Severity
from mmbot.domain.order import HELD_BACK, ORDER_GONE, POST_ONLY, RACES, FillMode, OrderState
from mmbot.engine.desk import Desk
from mmbot.engine.outbox import Outbox
from mmbot.engine.reconciling import Reconciling
from mmbot.engine.stops import UNSOLICITED, Stops
from mmbot.execution.tracker import Booking, WorkingOrder
from mmbot.risk.limits import RiskManager
from mmbot.risk.rejects import REDUCE_IS_POST_ONLY, TOO_MANY, is_position

# The reason of an OrderUpdate CANCELLED that nobody asked for.
NOT_ASKED_FOR: Final = "unsolicited"
# Refusals that a quiet market maker meets as well, in plain words: nothing is wrong, and the next
# decision quotes anew.
_REFUSALS: Final = {
    ORDER_GONE: (
        Severity.INFO,
        "replacement_refused",
        "the order to be replaced was gone already, filled or cancelled (ORDER_NOT_FOUND)",
    ),
    HELD_BACK: (Severity.INFO, "held_back", HELD_BACK),
    POST_ONLY: (
        Severity.INFO,
        "would_have_taken",
        f"the market had moved to the price of a new quote ({POST_ONLY})",
    ),
}
# Members of an enum are slow to look up.
_OPEN = OrderState.OPEN
_REJECTED = OrderState.REJECTED
_CANCELLED = OrderState.CANCELLED
_UNKNOWN = OrderState.UNKNOWN


class Answers:
    """Takes in what the venue says of orders; keeps nothing of its own."""

    __slots__ = ("_outbox", "_reconciling", "_risk", "_stops")

    def __init__(
        self, risk: RiskManager, stops: Stops, outbox: Outbox, reconciling: Reconciling
    ) -> None:
        self._risk = risk
        self._stops = stops
        self._outbox = outbox
        self._reconciling = reconciling

    def take_order_update(self, desk: Desk, event: OrderUpdate) -> None:
        """Book the venue's word on an order."""
        order = desk.tracker.update(event)
        state = event.state
        if state is _OPEN and order is not None and order.known_ns == event.ts_recv_ns:
            desk.state.take_latency(event.ts_recv_ns - order.placed_ns)
        if order is None:
            if state is _OPEN and event.reason is None:
                # It rests though we hold it for finished, or it is not ours at all.
                self._reconciling.stray(event.market, event.order_id, f"{event}")
            return
        if self._outbox.mirrors:
            self._outbox.mirror(desk, order.side, order.ticks)
        if state is _REJECTED:
            self._take_refusal(desk, order, event)
        elif state is _UNKNOWN:
            self._outbox.notify(Severity.WARNING, "order_unknown", event.market, f"{event.reason}")
        elif state is _CANCELLED:
            desk.counts.cancelled += 1
            if event.reason == NOT_ASKED_FOR:
                self._take_unsolicited(desk, event)

    def take_fill(self, desk: Desk, event: Fill) -> bool:
        """Book a fill; tells whether it moved the position."""
        tracker = desk.tracker
        order = tracker.orders.get(event.order_id)
        booking = tracker.fill(event)
        if booking is Booking.DUPLICATE:
            return False
        moved = booking is not Booking.IDENTIFIED
        if moved:
            desk.position.fill(event.side, event.ticks, event.lots, event.fee_atoms)
            counts = desk.counts
            counts.fills += 1
            counts.volume_uusd += desk.state.market.notional_uusd(2 * event.ticks, event.lots)
            if desk.observer is not None:
                desk.observer.take_fill(event)
        self._risk.take_exposure(event.market, desk.exposure(0))
        if order is not None and self._outbox.mirrors:
            self._outbox.mirror(desk, order.side, order.ticks)
        if moved and booking is not Booking.BOOKED:
            self._tell_odd_fill(event, booking)
        return moved

    def _tell_odd_fill(self, event: Fill, booking: Booking) -> None:
        if event.order_id == UNIDENTIFIED:
            severity, code = Severity.INFO, "unidentified_fill"
        elif booking is Booking.NOT_WORKING and self._outbox.ids.issued(event.order_id):
            severity, code = Severity.WARNING, "late_fill"
        else:
            severity, code = Severity.CRITICAL, "unexpected_fill"
        self._outbox.notify(severity, code, event.market, f"{event}")

    def _take_refusal(self, desk: Desk, order: WorkingOrder, event: OrderUpdate) -> None:
        name = "" if event.reason is None else event.reason
        if name in RACES:
            desk.counts.raced += 1
        elif name != HELD_BACK:
            desk.counts.rejected += 1
        severity, code, text = _REFUSALS.get(name, (Severity.WARNING, "order_rejected", name))
        self._outbox.notify(severity, code, event.market, text)
        if order.mode is FillMode.IOC:
            if desk.guards.flattening is not None:
                desk.guards.flattening.refused(order.order_id, name)
            hedging = desk.hedging
            if hedging is not None:
                hedging.plain = hedging.plain or name == REDUCE_IS_POST_ONLY
                hedging.waiting = hedging.waiting or is_position(name)
            return
        if name == HELD_BACK:
            return
        levels = 1 + sum(one.side is order.side for one in desk.tracker.orders.values())
        desk.guards.rejects.take(order.side, name, levels, event.ts_recv_ns)
        if name == TOO_MANY:
            text = f"the venue takes no more orders; {max(1, levels - 1)} a side for a minute"
            self._outbox.notify(Severity.WARNING, "too_many_orders", event.market, text)
        if desk.guards.rejects.paused(event.ts_recv_ns):
            self._outbox.notify(Severity.WARNING, "reject_storm", event.market, name)
            self._outbox.pull(desk)

    def _take_unsolicited(self, desk: Desk, event: OrderUpdate) -> None:
        market = desk.state.market.index
        self._outbox.notify(Severity.WARNING, "unsolicited_cancel", market, f"{event.order_id}")
        if self._stops.unsolicited(event.ts_recv_ns):
            self._outbox.notify(Severity.CRITICAL, "unsolicited_cancels", None, UNSOLICITED)
