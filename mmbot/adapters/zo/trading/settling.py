"""What a snapshot proves about orders: landed, gone, never existed, or alive though reported dead.

Nothing is proven by a snapshot that was asked for too early: `probed_ns` of an order says from when
on one without it counts (reliability 3.2, 3.3).
"""

from collections.abc import Callable

from mmbot.adapters.web.clock import NS_PER_MS, Clock
from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.rest.answers import AccountView, RestingOrder
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.known_orders import KnownOrder, KnownOrders, alive
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.domain.order import OrderState

# An unknown order is asked about twice a second at most.
_ASK_NS = 500 * NS_PER_MS
# How long a receipt may take to name an order that the stream told of.
_NAMED_NS = 150 * NS_PER_MS
GONE = "gone, nobody told how"
NEVER = "proven never to have existed"


class Settling:
    """Compares snapshots with the orders of this instance. `prove` asks for one."""

    def __init__(
        self, traded: TradedAccount, clock: Clock, orders: KnownOrders, joins: Joins
    ) -> None:
        self.prove: Callable[[], None] | None = None
        self.zombies = 0
        self._index = {listing.market_id: at for at, listing in enumerate(traded.listings)}
        self._ids = traded.ids
        self._clock = clock
        self._orders = orders
        self._joins = joins
        self._asked_ns: int | None = None
        self._wanted = False
        self._stranger_ns: int | None = None

    def ask(self) -> None:
        """Want a snapshot: soon, but not more than two a second."""
        self._wanted = True
        self.tick(self._clock())

    def stranger(self, now_ns: int) -> None:
        """An order was placed that nobody knows: its receipt will name it, or a snapshot has to."""
        if any(order.venue_id is None for order in self._orders):
            self._stranger_ns = self._stranger_ns or now_ns
        else:
            self._wanted = True
            self.tick(now_ns)

    def tick(self, now_ns: int) -> None:
        """Ask for a snapshot when one is wanted and the last was long enough ago."""
        if self._stranger_ns is not None and now_ns - self._stranger_ns >= _NAMED_NS:
            self._stranger_ns = None
            self._wanted |= any(each.rests for each in self._joins.strangers)
        recent = self._asked_ns is not None and now_ns - self._asked_ns < _ASK_NS
        if self._wanted and not recent and self.prove is not None:
            self._wanted = False
            self._asked_ns = now_ns
            self.prove()

    def may_land(self, expired: Callable[[EngineSeconds], bool]) -> bool:
        """Whether bytes that are on their way could still create an order."""
        return any(
            not (order.landed or order.stamp is None or expired(order.stamp))
            for order in self._orders
        )

    def all_gone(self) -> None:
        """It is proven that nothing of ours is left: tell so of every order."""
        for order in self._orders:
            self._orders.tell(order, OrderState.EXPIRED, GONE if order.landed else NEVER)

    def view(self, view: AccountView, asked_ns: int) -> None:
        """Take a snapshot up to which the stream has told everything; asked for at `asked_ns`."""
        present: set[int] = set()
        for resting in view.orders:
            order = self._order(resting, view.update_id)
            if order is not None:
                present.add(order.order_id)
        for order in self._orders:
            if order.order_id not in present:
                self._absent(order, view.update_id, asked_ns)

    def _order(self, resting: RestingOrder, update_id: int) -> KnownOrder | None:
        client_id = resting.client_order_id
        market = self._index.get(resting.market_id)
        if client_id is None or market is None or not self._ids.owns(client_id):
            return None
        order = self._orders.get(client_id)
        if order is None:
            order = self._stray(resting, client_id, market)
        elif order.venue_id is None:
            order.leaves = resting.lots
            self._joins.identify(order, resting.order_id)
        order.action_id = order.action_id or update_id
        if order.probed_ns is not None and not order.wanted:
            # It was not found when it was to be cancelled, and yet it rests.
            order.cancel_due_ns = self._clock()
        order.probed_ns = None
        return order

    def _stray(self, resting: RestingOrder, client_id: int, market: int) -> KnownOrder:
        # Not of this run, which the engine decides about; or reported dead, and that is decided.
        found = alive(market, client_id, resting.side, resting.ticks, resting.lots)
        if self._ids.issued(client_id):
            self.zombies += 1
            found.wanted = False
            found.cancel_due_ns = self._clock()
        self._orders.adopt(found)
        self._joins.identify(found, resting.order_id)
        return found

    def _absent(self, order: KnownOrder, update_id: int, asked_ns: int) -> None:
        if order.probed_ns is not None:
            if asked_ns < order.probed_ns:
                self.ask()
                return
            match = self._joins.strangers.only_match(order)
            if match is not None:
                self._joins.identify(order, match.venue_id)
            reason = GONE if order.landed else NEVER
            self._orders.tell(order, OrderState.EXPIRED, reason)
        elif order.venue_id is not None and 0 < order.action_id <= update_id:
            # The stream told how it ended, or the end waits for its turn.
            order.probed_ns = self._clock()
            self.ask()
