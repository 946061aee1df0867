"""Reconciling: acts on what a snapshot of the venue shows that we did not know."""

from collections.abc import Sequence

from mmbot.domain.events import VenueOrder, VenueSnapshot
from mmbot.domain.notices import Severity
from mmbot.domain.order import OrderState, Side
from mmbot.engine.desk import Counts, Desk
from mmbot.engine.outbox import Outbox
from mmbot.engine.stops import POSITION, Stops
from mmbot.execution.reconcile import Findings, Reconciler


class Reconciling:
    """Brings desks in line with the venue, and stops what cannot be."""

    __slots__ = ("_desks", "_foreign", "_outbox", "_reconciler", "_stops")

    def __init__(self, desks: Sequence[Desk], stops: Stops, outbox: Outbox) -> None:
        self._desks = desks
        self._stops = stops
        self._outbox = outbox
        self._reconciler = Reconciler(outbox.ids)
        # Orders of others that were told about, by the venue's id.
        self._foreign: frozenset[int] = frozenset()

    def take(self, event: VenueSnapshot) -> None:
        """Take in a snapshot."""
        desks = self._desks
        findings = self._reconciler.compare(
            event,
            [desk.tracker for desk in desks],
            [desk.position.lots for desk in desks],
        )
        self._count_foreign(findings)
        self._cancel_ours(findings)
        for market, order in findings.landed:
            order.move(OrderState.OPEN)
            order.land(event.ts_recv_ns)
            self._mirror(market, order.side, order.ticks)
        for market, order in findings.gone:
            desks[market].tracker.end(order.order_id, event.ts_recv_ns)
            self._mirror(market, order.side, order.ticks)
            self._outbox.notify(
                Severity.WARNING, "order_gone", market, f"{order.order_id} rests no more"
            )
        self._judge_positions(findings, event)
        for desk in desks:
            if desk.guards.flattening is not None:
                desk.guards.flattening.waiting = False
            if desk.hedging is not None:
                desk.hedging.waiting = False

    def stray(self, market: int, order_id: int, text: str) -> None:
        """An order is said to rest that no desk has: ours is cancelled, a later run's halts."""
        ids = self._outbox.ids
        epoch = ids.epoch_of(order_id)
        self._outbox.notify(Severity.CRITICAL, "stray_order", market, text)
        if epoch is not None and epoch > ids.epoch:
            self._stops.breaker.halt(f"foreign_epoch: run {epoch} of this instance trades")
        elif epoch is not None:
            self._outbox.cancel_stray(market, order_id)

    def _count_foreign(self, findings: Findings) -> None:
        every = [desk.counts for desk in self._desks]
        for counts in every:
            counts.foreign_orders = counts.foreign_bids = counts.foreign_asks = 0
        for order in (*findings.foreign, *findings.later):
            if 0 <= order.market < len(every):
                _add(every[order.market], order)
        for order in findings.foreign:
            if order.venue_id not in self._foreign:
                self._outbox.notify(Severity.WARNING, "foreign_order", order.market, f"{order}")
        self._foreign = frozenset(order.venue_id for order in findings.foreign)

    def _cancel_ours(self, findings: Findings) -> None:
        for order in findings.later:
            if order.order_id is not None:
                self._stops.breaker.halt(
                    f"foreign_epoch: order {order.order_id} is of a later run of this instance"
                )
        for order in findings.stale:
            if order.order_id is not None:
                text = f"{order.order_id} of an earlier run"
                self._outbox.notify(Severity.INFO, "stale_order", order.market, text)
                self._outbox.cancel_stray(order.market, order.order_id)
        for order in findings.zombies:
            if order.order_id is not None:
                self._outbox.notify(Severity.CRITICAL, "zombie_order", order.market, f"{order}")
                self._outbox.cancel_stray(order.market, order.order_id)

    def _judge_positions(self, findings: Findings, event: VenueSnapshot) -> None:
        hindrances = self._stops.hindrances
        for market in findings.mismatched:
            theirs = event.lots[market] if market < len(event.lots) else 0
            ours = self._desks[market].position.lots
            text = f"the venue says {theirs} lots, our fills add up to {ours}"
            if not hindrances.holds(POSITION, market):
                self._outbox.notify(Severity.CRITICAL, "position", market, text)
            hindrances.put(POSITION, market, text)
        for market in findings.agreed:
            if hindrances.put(POSITION, market, None):
                self._outbox.notify(Severity.INFO, "position", market, "equal again")

    def _mirror(self, market: int, side: Side, ticks: int) -> None:
        if self._outbox.mirrors:
            self._outbox.mirror(self._desks[market], side, ticks)


def _add(counts: Counts, order: VenueOrder) -> None:
    counts.foreign_orders += 1
    if order.side is Side.BID:
        counts.foreign_bids += order.lots
    else:
        counts.foreign_asks += order.lots
