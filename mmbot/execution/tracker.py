"""Tracker: the working orders of one market, and the worst they can do to the position.

An order counts with all it has left until the venue says it is done. What it has left falls only
by fills that were seen, so position and exposure together are right whatever order news comes in.
"""

from collections import deque
from enum import IntEnum

from mmbot.domain.actions import Place
from mmbot.domain.events import UNIDENTIFIED, Fill, OrderUpdate
from mmbot.domain.order import DONE, TRANSITIONS, FillMode, OrderState, Side
from mmbot.errors import InvariantViolation

# Members of an enum are slow to look up where every microsecond counts.
_BID = Side.BID
_SENT = OrderState.SENT
_OPEN = OrderState.OPEN
_CLOSING = OrderState.CLOSING
_FILLED = OrderState.FILLED
_CANCELLED = OrderState.CANCELLED
_UNKNOWN = OrderState.UNKNOWN
_IOC = FillMode.IOC

# Trades remembered, to know a fill that is told twice; replays reach back far less.
SEEN_TRADES = 4096
# Orders remembered after their end, so that older news of them is not taken for a stray order.
ENDED_ORDERS = 1024


class Booking(IntEnum):
    """What a fill turned out to be; DUPLICATE and IDENTIFIED leave the position alone.

    IDENTIFIED: it was booked while its order was not known, and now the order has it too.
    """

    BOOKED = 0
    DUPLICATE = 1
    NOT_WORKING = 2
    EXCESS = 3
    IDENTIFIED = 4


class WorkingOrder:
    """One order that may be alive at the venue: sent; `rests` once the venue has confirmed it.

    `known_ns` is when that was first heard, the receipt time; 0 before.
    """

    __slots__ = (
        "known_ns",
        "leaves",
        "lots",
        "mode",
        "order_id",
        "placed_ns",
        "rests",
        "side",
        "state",
        "ticks",
    )

    def __init__(self, place: Place, now_ns: int) -> None:
        self.order_id = place.order_id
        self.side = place.side
        self.ticks = place.ticks
        self.lots = self.leaves = place.lots
        self.mode = place.mode
        self.placed_ns = now_ns
        self.state = _SENT
        self.rests = False
        self.known_ns = 0

    def land(self, now_ns: int) -> None:
        """It is heard to rest."""
        self.rests = True
        if self.known_ns == 0:
            self.known_ns = now_ns

    def move(self, state: OrderState) -> None:
        """Change the state; InvariantViolation when the transition table forbids it."""
        if state not in TRANSITIONS[self.state]:
            raise InvariantViolation(f"order {self.order_id}: {self.state} cannot become {state}")
        self.state = state


class Tracker:
    """Orders by id, with the lots each side adds up to: sent, open, closing and unknown alike.

    `ended` has the latest orders that are done, each with the receipt time of its end.
    """

    __slots__ = ("_ends", "_seen", "ask_lots", "bid_lots", "ended", "orders")

    def __init__(self) -> None:
        self.orders: dict[int, WorkingOrder] = {}
        self.bid_lots = 0
        self.ask_lots = 0
        self.ended: dict[int, int] = {}
        # Their ids, oldest first: a dictionary is slow to find its oldest key.
        self._ends: deque[int] = deque()
        self._seen: dict[tuple[int, int], None] = {}

    def send(self, place: Place, now_ns: int) -> WorkingOrder:
        """Take in an order that is on its way; InvariantViolation when its id is in use."""
        order = WorkingOrder(place, now_ns)
        if order.order_id in self.orders or order.lots <= 0:
            raise InvariantViolation(f"not a new order of a positive size: {place}")
        self.orders[order.order_id] = order
        self._count(order.side, order.lots)
        return order

    def update(self, event: OrderUpdate) -> WorkingOrder | None:
        """Apply the venue's word on an order; None when that order is not working.

        A repeated word changes nothing. OPEN settles CLOSING only with a reason, the refusal of
        the cancel; without one it is the late answer to the place.
        """
        order = self.orders.get(event.order_id)
        if order is None:
            return None
        state = event.state
        # Of the orders that are done only a filled one may still be here.
        if state is order.state or order.state is _FILLED:
            return order
        if state is _OPEN:
            order.land(event.ts_recv_ns)
            if order.state is _CLOSING and event.reason is None:
                return order
        order.move(state)
        if state in DONE:
            order.known_ns = event.ts_recv_ns
            self._finish(order, event.ts_recv_ns)
        return order

    def end(self, order_id: int, now_ns: int) -> None:
        """Take out an order that is proven gone, whatever was heard of it."""
        order = self.orders[order_id]
        if order.state is not _FILLED:
            order.move(_CANCELLED)
        self._drop(order, now_ns)

    def fill(self, event: Fill) -> Booking:
        """Apply one execution once, also when its order becomes known only later."""
        order_id, trade_id = key = (event.order_id, event.trade_id)
        if key in self._seen:
            return Booking.DUPLICATE
        identified = (UNIDENTIFIED, trade_id) in self._seen
        if order_id == UNIDENTIFIED and trade_id in [trade for _, trade in self._seen]:
            return Booking.DUPLICATE
        self._seen[key] = None
        if len(self._seen) > SEEN_TRADES:
            del self._seen[next(iter(self._seen))]
        order = self.orders.get(event.order_id)
        if order is None:
            return Booking.IDENTIFIED if identified else Booking.NOT_WORKING
        lots = min(event.lots, order.leaves)
        order.leaves -= lots
        self._count(order.side, -lots)
        if order.state in DONE:
            self._finish(order, event.ts_recv_ns)
        elif event.leaves_lots == 0 or order.leaves == 0:
            order.move(_FILLED)
            self._finish(order, event.ts_recv_ns)
        elif order.state is _SENT:
            order.move(_OPEN)
            order.land(event.ts_recv_ns)
        if identified:
            return Booking.IDENTIFIED
        return Booking.BOOKED if lots == event.lots else Booking.EXCESS

    def _finish(self, order: WorkingOrder, now_ns: int) -> None:
        order.rests = False
        # Filled, yet some fills have not been heard of: they still move the position.
        if order.state is not _FILLED or order.leaves == 0:
            self._drop(order, now_ns)

    def _drop(self, order: WorkingOrder, now_ns: int) -> None:
        order.rests = False
        del self.orders[order.order_id]
        self._count(order.side, -order.leaves)
        self.ended[order.order_id] = now_ns
        self._ends.append(order.order_id)
        if len(self._ends) > ENDED_ORDERS:
            del self.ended[self._ends.popleft()]

    def _count(self, side: Side, lots: int) -> None:
        if side is _BID:
            self.bid_lots += lots
        else:
            self.ask_lots += lots

    def resting_lots(self, side: Side, ticks: int) -> int:
        """Lots of our confirmed orders at one price."""
        return sum(
            [
                order.leaves
                for order in self.orders.values()
                if order.rests and order.ticks == ticks and order.side is side
            ]
        )

    def unknown(self) -> int:
        """How many orders nobody knows the outcome of."""
        return sum([order.state is _UNKNOWN for order in self.orders.values()])

    def cancellable(self) -> list[WorkingOrder]:
        """Every order that may rest and has no cancel on its way."""
        return [
            order
            for order in self.orders.values()
            if order.state is not _CLOSING and order.state not in DONE and order.mode is not _IOC
        ]

    def rivals(self, side: Side) -> list[WorkingOrder]:
        """Own orders that one of `side` could trade with."""
        return [order for order in self.cancellable() if order.side is not side]
