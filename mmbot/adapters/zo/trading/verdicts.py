"""What the answer to a batch means for each of its orders (reliability 3.2 rules 2, 5 and 7)."""

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.trading.cancels import Cancels
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.trading.evidence import Evidence
from mmbot.adapters.zo.trading.health import Answered
from mmbot.adapters.zo.trading.hindrances import FROZEN
from mmbot.adapters.zo.trading.known_orders import KnownOrder, alive
from mmbot.adapters.zo.wire.outcomes import Accepted, Cancelled, NotSent, Placed, Unknown
from mmbot.adapters.zo.wire.refusals import Group, Refusal
from mmbot.domain.order import OrderState

_FREEZING = ("MARKET_FROZEN", "MARKET_NOT_READY", "ONLY_IMMEDIATE_ORDERS_ALLOWED", "MARKET_EMPTY")
_LATER_NS = NS_PER_S
# Refusals of the moment, not of the cancels: those are tried again without asking anybody.
_OF_THE_VENUE = (Group.G1, Group.G3, Group.G8, Group.G9)


class Verdicts:
    """Applies answers to orders. The first `len(orders) - places` of a batch are its cancels."""

    def __init__(self, dispatch: Dispatch, cancels: Cancels, on: Evidence) -> None:
        self.zombies = 0
        self._dispatch = dispatch
        self._cancels = cancels
        self._on = on

    def judge(
        self,
        orders: tuple[KnownOrder, ...],
        places: int,
        outcome: Answered,
        *,
        repeated: bool,
    ) -> bool:
        """Take the answer to one copy of a batch; whether its fate is known by that.

        `repeated`: another copy is on its way, or nobody knows what became of it.
        """
        split = len(orders) - places
        cancelled, placed = orders[:split], orders[split:]
        if isinstance(outcome, Accepted):
            self._accepted(orders, outcome)
            return True
        if isinstance(outcome, NotSent):
            self._refused(placed, "not sent")
            self._cancel_alone(cancelled)
            return True
        if isinstance(outcome, Unknown):
            for order in placed:
                self.unanswered(order, outcome.reason)
            return False
        return self._rejected(cancelled, placed, outcome.refusal, repeated=repeated)

    def unanswered(self, order: KnownOrder, reason: str = "no answer in time") -> None:
        """Nobody can say whether it was placed: looking may help."""
        if order.told is OrderState.SENT and not order.landed:
            self._on.orders.tell(order, OrderState.UNKNOWN, reason)
            self._on.settling.ask()

    def expire(self, now_ns: int) -> None:
        """Orders whose bytes can take effect no more: the next snapshot decides about them."""
        for order in self._on.orders:
            if order.landed or order.stamp is None or order.probed_ns is not None:
                continue
            if self._dispatch.expired(order.stamp):
                order.probed_ns = now_ns
                self._on.settling.ask()

    def _accepted(self, orders: tuple[KnownOrder, ...], outcome: Accepted) -> None:
        joins = self._on.joins
        for order, result in zip(orders, outcome.results, strict=True):
            if isinstance(result, Placed):
                self._placed(order, result, outcome.action_id)
            elif isinstance(result, Cancelled):
                joins.end(order, OrderState.CANCELLED, outcome.action_id)

    def _placed(self, order: KnownOrder, result: Placed, action_id: int) -> None:
        joins = self._on.joins
        filled = sum(fill.lots for fill in result.fills)
        if result.order_id is None:
            joins.executed(order, action_id, whole=filled >= order.lots)
            return
        if order.done and order.venue_id is None:
            order = self._zombie(order, result)
        order.action_id = action_id
        order.leaves = result.resting_lots
        late = order.venue_id is None
        joins.identify(order, result.order_id)
        if late and not order.wanted and not order.done:
            # It was to be cancelled before anybody knew its id.
            self._cancels.want(order, self._dispatch.clock())

    def _zombie(self, dead: KnownOrder, result: Placed) -> KnownOrder:
        self.zombies += 1
        lots = result.resting_lots
        found = alive(dead.market, dead.order_id, dead.side, dead.ticks, lots)
        found.wanted = False
        self._on.orders.adopt(found)
        return found

    def _rejected(
        self,
        cancelled: tuple[KnownOrder, ...],
        placed: tuple[KnownOrder, ...],
        refusal: Refusal,
        *,
        repeated: bool,
    ) -> bool:
        now_ns = self._dispatch.clock()
        if refusal.group is Group.G2:
            self._look_up((*cancelled, *placed), placed, now_ns)
            return True
        if repeated and placed:
            # Of this copy only: another one may come yet, or came in time, and be taken.
            for order in placed:
                self.unanswered(order, refusal.name)
            if refusal.group is Group.G4:
                self._cancel_alone(cancelled)
            return False
        self._refused(placed, refusal.name)
        if refusal.name in _FREEZING and placed:
            self._on.hindrances.begin(FROZEN, refusal.name, placed[0].market)
        if refusal.group is Group.G4:
            self._cancel_alone(cancelled)
        elif refusal.group in _OF_THE_VENUE or not placed:
            for order in cancelled:
                order.cancel_due_ns = now_ns + _LATER_NS
        else:
            self._keep(cancelled, refusal.name)
        return True

    def _look_up(
        self, orders: tuple[KnownOrder, ...], placed: tuple[KnownOrder, ...], now_ns: int
    ) -> None:
        # The bytes were taken, so no copy of them can take effect any more: a look decides.
        for order in placed:
            order.landed = True
        for order in orders:
            if not order.done:
                # Should the look be long in coming, what is to go is cancelled meanwhile.
                order.cancel_due_ns = None if order.wanted else now_ns + _LATER_NS
                order.probed_ns = now_ns
        self._on.settling.ask()

    def _refused(self, placed: tuple[KnownOrder, ...], reason: str) -> None:
        for order in placed:
            self._on.orders.tell(order, OrderState.REJECTED, reason)

    def _keep(self, cancelled: tuple[KnownOrder, ...], reason: str) -> None:
        for order in cancelled:
            order.cancel_due_ns = None
            order.wanted = True
            self._on.orders.tell(order, OrderState.OPEN, reason)

    def _cancel_alone(self, cancelled: tuple[KnownOrder, ...]) -> None:
        now_ns = self._dispatch.clock()
        for order in cancelled:
            if not order.done:
                self._cancels.want(order, now_ns)
