"""Batches become actions, and every action is followed until its orders' fate is proven.

While nobody has answered, only the identical bytes go out again, and only while what they place is
still wanted: the venue executes bytes once (reliability 0, 3.2).
"""

from functools import partial

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.trading.cancels import Cancels
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.trading.flights import Flight, action_of
from mmbot.adapters.zo.trading.health import Answered, Health
from mmbot.adapters.zo.trading.known_orders import KnownOrder, KnownOrders
from mmbot.adapters.zo.trading.verdicts import Verdicts
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.order import HELD_BACK, OrderState
from mmbot.errors import ActionError, Unavailable

NOT_ALONE = "its batch cancels an order whose venue id is not known"
STOPPING = "stopping"
# Of a batch of cancels whose connections break; after that each order is cancelled by itself.
_MOST_COPIES = 3
# Longer than the venue's answers are waited for; then a flight has nothing left to hear.
_FORGET_NS = 5_000 * NS_PER_MS


class Sender:
    """Sends batches; `stopping` refuses everything that places.

    `repeats` counts how often the same bytes went out again.
    """

    __slots__ = (
        "_cancels",
        "_dispatch",
        "_flights",
        "_health",
        "_orders",
        "_verdicts",
        "ack_ns",
        "repeats",
        "resend_ns",
        "split_ns",
        "stopping",
    )

    def __init__(
        self,
        dispatch: Dispatch,
        orders: KnownOrders,
        cancels: Cancels,
        verdicts: Verdicts,
        health: Health,
    ) -> None:
        self.stopping = False
        self.ack_ns = 0
        self.resend_ns: tuple[int, ...] = ()
        self.split_ns = 0
        self._dispatch = dispatch
        self._orders = orders
        self._cancels = cancels
        self._verdicts = verdicts
        self._health = health
        self._flights: list[Flight] = []
        self.repeats = 0

    @property
    def in_flight(self) -> int:
        """How many actions have no definite answer yet."""
        return len(self._flights)

    def pace(self, ack_ms: int, resend_ms: tuple[int, ...], split_ms: int) -> None:
        """Set when an answer is late, when bytes go again, when a batch of cancels is split."""
        self.ack_ns = ack_ms * NS_PER_MS
        self.resend_ns = tuple(each * NS_PER_MS for each in resend_ms)
        self.split_ns = split_ms * NS_PER_MS

    def submit(self, batch: Batch, market_ids: tuple[int, ...]) -> None:
        """Send a batch at once; `market_ids` are the venue's, by the engine's number."""
        now_ns = self._dispatch.clock()
        cancelled: list[KnownOrder] = []
        alone: list[KnownOrder] = []
        placed: list[Place] = []
        for action in batch.actions:
            # Actions are final, and isinstance is slow to say no of a struct.
            if type(action) is Cancel:
                order = self._orders.get(action.order_id)
                if order is not None:
                    order.wanted = False
                    (alone if order.venue_id is None else cancelled).append(order)
            elif type(action) is Place:
                placed.append(action)
        refusal = self._refusal(now_ns, alone) if placed else None
        if refusal is not None:
            for place in placed:
                self._orders.tell(self._orders.place(place), OrderState.REJECTED, refusal)
            placed = []
        self._send(cancelled, placed, market_ids, now_ns)
        for order in alone:
            self._cancels.want(order, now_ns)

    def tick(self, now_ns: int) -> None:
        """Repeat what nobody has answered, say what nobody knows, notice what has expired."""
        for flight in self._flights:
            self._look_at(flight, now_ns)
        self._flights = [each for each in self._flights if not self._over(each, now_ns)]
        self._verdicts.expire(now_ns)
        self._cancels.tick(now_ns)

    def _refusal(self, now_ns: int, alone: list[KnownOrder]) -> str | None:
        if self.stopping:
            return STOPPING
        if alone:
            return NOT_ALONE
        if self._health.pace.crowded(now_ns):
            return HELD_BACK
        return self._dispatch.no_places(now_ns)

    def _send(
        self,
        cancelled: list[KnownOrder],
        placed: list[Place],
        market_ids: tuple[int, ...],
        now_ns: int,
    ) -> None:
        pace = self._dispatch.pace
        may_cancel = pace.has(now_ns, len(cancelled))
        if self._health.maintained or self._health.quiet(now_ns) or not may_cancel:
            # A place is not kept for later, a cancel is.
            for place in placed:
                self._orders.tell(self._orders.place(place), OrderState.REJECTED, "not now")
            placed = []
        orders = cancelled + [self._orders.place(place) for place in placed]
        if not orders:
            return
        one_by_one = len(cancelled) == 1 or not may_cancel
        if not placed and (one_by_one or not self._health.permit(now_ns)):
            for order in cancelled:
                self._cancels.want(order, now_ns)
            return
        action = action_of(cancelled, placed, market_ids)
        try:
            signed = self._dispatch.sign(action, now_ns)
        except (Unavailable, ActionError) as error:
            self._unsigned(orders[len(cancelled) :], str(error))
            for order in cancelled:
                self._cancels.want(order, now_ns)
            return
        flight = Flight(signed, tuple(orders), len(placed), now_ns)
        self._hand_over(flight)
        pace.spend(now_ns, len(cancelled))
        self._flights.append(flight)
        late_ns = self.resend_ns[-1] + self.split_ns if placed else self.split_ns
        for order in cancelled:
            # Should nobody answer, each of them is cancelled by itself.
            order.cancel_tries = 0
            order.cancel_due_ns = now_ns + late_ns
        for order in orders[len(cancelled) :]:
            order.stamp = signed.stamp

    def _unsigned(self, placed: list[KnownOrder], reason: str) -> None:
        for order in placed:
            self._orders.tell(order, OrderState.REJECTED, reason)

    def _hand_over(self, flight: Flight) -> None:
        flight.copies += 1
        self._dispatch.send(flight.signed, partial(self._judge, flight), not flight.places)
        self.repeats += flight.copies > 1

    def _judge(self, flight: Flight, outcome: Answered) -> None:
        if not flight.left(outcome):
            return
        repeated = flight.copies - flight.refused > 1
        if self._verdicts.judge(flight.orders, flight.places, outcome, repeated=repeated):
            flight.settled = True
        else:
            flight.go_on(outcome)

    def _look_at(self, flight: Flight, now_ns: int) -> None:
        if flight.settled:
            return
        if not flight.places:
            self._once_more(flight, now_ns)
            return
        age_ns = now_ns - flight.sent_ns
        if age_ns >= self.ack_ns:
            for order in flight.placed:
                self._verdicts.unanswered(order)
        again = sum([age_ns >= due_ns for due_ns in self.resend_ns]) + 1
        # Nothing is quoted while the way is in trouble: what was sent before is not placed again,
        # then or later, even where no cancel could be spared for it yet.
        if self._health.troubled or self._health.quiet(now_ns):
            flight.unfit = True
        if again <= flight.copies or not flight.wanted or flight.unfit:
            return
        if not self._dispatch.engine_clock.expired(flight.signed.stamp):
            self._hand_over(flight)

    def _once_more(self, flight: Flight, now_ns: int) -> None:
        # Cancels whose connection broke: by another one, at once.
        held = self._health.maintained or self._health.quiet(now_ns)
        if flight.broke and flight.copies < _MOST_COPIES and not held:
            flight.broke = False
            self._hand_over(flight)

    def _over(self, flight: Flight, now_ns: int) -> bool:
        if flight.settled:
            return True
        late = now_ns - flight.sent_ns > _FORGET_NS
        return late and all(order.done or order.landed for order in flight.placed)
