"""Emergency cancels: in parallel batches of four, and singly whatever those leave.

A batch that is refused, or not answered soon, is split; who stays is cancelled by both its ids
(reliability 3.2 rule 8).
"""

from functools import partial

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.rest.answers import RestingOrder
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.wire.actions import MOST_PARTS, Atomic, CancelByClientId, CancelById
from mmbot.adapters.zo.wire.outcomes import Accepted


class Company:
    """Cancels what rests as snapshots show it; `split_ms` is how long a batch may be silent."""

    def __init__(self, dispatch: Dispatch, split_ms: int) -> None:
        self._dispatch = dispatch
        self._split_ns = split_ms * NS_PER_MS
        # When each order was last cancelled alone, and in company, by venue id.
        self._alone_ns: dict[int, int] = {}
        self._together_ns: dict[int, int] = {}

    def cancel(self, own: list[RestingOrder]) -> None:
        """Cancel what a snapshot has shown, each the first time in company."""
        now_ns = self._dispatch.clock()
        fresh = [order for order in own if order.order_id not in self._together_ns]
        for at in range(0, len(fresh), MOST_PARTS):
            self._together(fresh[at : at + MOST_PARTS], now_ns)
        for order in own:
            since_ns = self._alone_ns.get(order.order_id, self._together_ns.get(order.order_id))
            if since_ns is not None and now_ns - since_ns >= self._split_ns:
                self._alone(order, now_ns)

    def _together(self, orders: list[RestingOrder], now_ns: int) -> None:
        if not self._dispatch.pace.has(now_ns, len(orders)):
            return
        for order in orders:
            self._together_ns[order.order_id] = now_ns
        if len(orders) == 1:
            self._alone(orders[0], now_ns)
            return
        self._dispatch.pace.spend(now_ns, len(orders))
        parts = tuple(CancelById(order.order_id, order.market_id) for order in orders)
        self._dispatch.urgent(Atomic(parts), partial(self._split, orders))

    def _split(self, orders: list[RestingOrder], outcome: object) -> None:
        if not isinstance(outcome, Accepted):
            now_ns = self._dispatch.clock()
            for order in orders:
                self._alone(order, now_ns)

    def _alone(self, order: RestingOrder, now_ns: int) -> None:
        pace = self._dispatch.pace
        if not pace.has(now_ns):
            # The next snapshot comes soon.
            return
        first = order.order_id not in self._alone_ns
        self._alone_ns[order.order_id] = now_ns
        pace.spend(now_ns)
        self._dispatch.urgent(CancelById(order.order_id), _ignored)
        if not first and order.client_order_id is not None and pace.has(now_ns):
            pace.spend(now_ns)
            self._dispatch.urgent(CancelByClientId(order.client_order_id), _ignored)


def _ignored(_outcome: object) -> None:
    """The next snapshot tells more."""
