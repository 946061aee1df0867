"""Cancels one by one, until each order is proven gone: by id, or by client id while that is all.

Cancels change nothing twice, so each attempt is new bytes; the attempts go on at a calm pace and
end only with evidence (reliability 3.2 rules 2, 4 and 8).
"""

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.trading.evidence import Evidence
from mmbot.adapters.zo.trading.health import Answered, Health
from mmbot.adapters.zo.trading.known_orders import KnownOrder
from mmbot.adapters.zo.wire.actions import CancelByClientId, CancelById
from mmbot.adapters.zo.wire.outcomes import Accepted, Cancelled, NotSent, Rejected
from mmbot.adapters.zo.wire.refusals import Group
from mmbot.domain.order import OrderState

_PAUSES_NS = tuple(ms * NS_PER_MS for ms in (300, 500, 700, 1_500, 3_000))
_NOT_SENT_NS = 100 * NS_PER_MS
_NOT_THERE_NS = 500 * NS_PER_MS
_REFUSED_NS = 1_000 * NS_PER_MS


class Cancels:
    """Sends the single cancels that are due."""

    def __init__(self, dispatch: Dispatch, on: Evidence, health: Health) -> None:
        self._dispatch = dispatch
        self._on = on
        self._health = health

    def want(self, order: KnownOrder, now_ns: int) -> None:
        """Cancel an order alone, now if the venue is to be asked at all."""
        order.wanted = False
        order.cancel_tries = 0
        order.cancel_due_ns = now_ns
        self._attempt(order, now_ns)

    def tick(self, now_ns: int) -> None:
        """Send what is due."""
        for order in self._on.orders:
            if order.cancel_due_ns is not None and order.cancel_due_ns <= now_ns:
                self._attempt(order, now_ns)

    def _attempt(self, order: KnownOrder, now_ns: int) -> None:
        pace = self._dispatch.pace
        if self._health.maintained or not pace.has(now_ns) or not self._health.permit(now_ns):
            return
        if order.cancel_tries and not pace.again(now_ns):
            return
        pace.spend(now_ns)
        pause = _PAUSES_NS[min(order.cancel_tries, len(_PAUSES_NS) - 1)]
        order.cancel_tries += 1
        order.cancel_due_ns = now_ns + pause
        action: CancelById | CancelByClientId = (
            CancelByClientId(order.order_id)
            if order.venue_id is None
            else CancelById(order.venue_id)
        )
        landed = order.landed
        self._dispatch.urgent(action, lambda outcome: self._judge(order, outcome, landed=landed))

    def _judge(self, order: KnownOrder, outcome: Answered, *, landed: bool) -> None:
        if order.done:
            return
        now_ns = self._dispatch.clock()
        if isinstance(outcome, Accepted):
            result = outcome.results[0]
            if isinstance(result, Cancelled) and order.venue_id is None:
                self._on.joins.identify(order, result.order_id)
            self._on.joins.end(order, OrderState.CANCELLED, outcome.action_id)
        elif isinstance(outcome, NotSent):
            order.cancel_due_ns = now_ns + _NOT_SENT_NS
        elif not isinstance(outcome, Rejected):
            # Nobody knows: the next attempt tells.
            return
        elif outcome.refusal.group is Group.G4:
            self._not_found(order, now_ns, landed=landed)
        elif outcome.refusal.group is not Group.G2:
            # Refused for the venue's reasons: it rests, and is cancelled when they are over.
            order.cancel_due_ns = now_ns + _REFUSED_NS

    def _not_found(self, order: KnownOrder, now_ns: int, *, landed: bool) -> None:
        if landed:
            order.cancel_due_ns = None
            order.probed_ns = now_ns
            self._on.settling.ask()
        elif order.landed:
            # The cancel was there before the order, which rests now.
            order.cancel_due_ns = now_ns
        else:
            # It may still land, until it has expired; then it is heard of, and cancelled at once.
            order.cancel_due_ns = max(order.cancel_due_ns or 0, now_ns + _NOT_THERE_NS)
