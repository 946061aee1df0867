"""Ends that a receipt told, held back until the stream has told all that came before them."""

from msgspec import Struct

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

    def __init__(self, orders: KnownOrders) -> None:
        self._orders = orders
        self._held: list[Ending] = []

    def hold(self, ending: Ending) -> None:
        """Keep one, unless the order's end waits already."""
        if not any(each.order is ending.order for each in self._held):
            self._held.append(ending)

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
