"""Ends that a receipt told, held back until the stream has told all that came before them."""

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.trading.known_orders import KnownOrder, KnownOrders
from mmbot.domain.order import OrderState


class Ending(Struct):
    """An end that is told when the stream has reached the action that brought it."""

    order: KnownOrder
    state: OrderState
    action_id: int
    due_ns: int


class Endings:
    """What waits; an end whose evidence is late is told all the same."""

    def __init__(self, orders: KnownOrders, evidence_ms: int) -> None:
        self._evidence_ns = evidence_ms * NS_PER_MS
        self._orders = orders
        self._held: list[Ending] = []

    def hold(self, order: KnownOrder, state: OrderState, action_id: int, now_ns: int) -> None:
        """Keep an end until its action is told, unless one of the order waits already."""
        if not any(each.order is order for each in self._held):
            self._held.append(Ending(order, state, action_id, now_ns + self._evidence_ns))

    def reached(self, action_id: int) -> None:
        """The stream has told everything up to this action."""
        if self._held:
            self._tell([each for each in self._held if each.action_id <= action_id])

    def late(self, now_ns: int) -> bool:
        """Tell those that waited for too long; whether there were any."""
        late = [each for each in self._held if each.due_ns <= now_ns]
        self._tell(late)
        return bool(late)

    def _tell(self, ready: list[Ending]) -> None:
        self._held = [each for each in self._held if each not in ready]
        for each in ready:
            self._orders.tell(each.order, each.state)
