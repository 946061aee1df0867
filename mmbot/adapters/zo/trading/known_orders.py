"""Orders of ours as the venue side knows them: both identities, and what is still unproven.

An order stays here until its end is proven, and is remembered for a while after that: whoever
was reported dead and is seen alive is a zombie (reliability 3.2).
"""

from collections.abc import Iterator

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.trading.hindrances import Outlet
from mmbot.domain.actions import Place
from mmbot.domain.events import OrderUpdate
from mmbot.domain.order import DONE, FillMode, OrderState, Side

REMEMBERED = 4096
# Members of an enum are slow to look up and to compare.
_IOC, _FOK = FillMode.IOC, FillMode.FOK
_SENT = OrderState.SENT


class KnownOrder:
    """One order.

    told: the state the engine heard last. landed: the venue has, or had, it for certain.
    stamp: of the only bytes that can create it. immediate: it never rests. action_id: the first one
    after which it was known to rest. probed_ns: since when a snapshot without it proves that it is
    gone. wanted: no cancel was asked for. cancel_due_ns: when a cancel of its own is to be sent.
    """

    __slots__ = (
        "action_id",
        "cancel_due_ns",
        "cancel_tries",
        "immediate",
        "landed",
        "leaves",
        "lots",
        "market",
        "order_id",
        "probed_ns",
        "side",
        "stamp",
        "ticks",
        "told",
        "venue_id",
        "wanted",
    )

    def __init__(self, market: int, order_id: int, side: Side, ticks: int, lots: int) -> None:
        self.market = market
        self.order_id = order_id
        self.side = side
        self.ticks = ticks
        self.lots = lots
        self.leaves = lots
        self._begin()

    def _begin(self) -> None:
        self.immediate = False
        self.told = _SENT
        self.landed = False
        self.stamp: EngineSeconds | None = None
        self.action_id = 0
        self.venue_id: int | None = None
        self.probed_ns: int | None = None
        self.wanted = True
        self.cancel_due_ns: int | None = None
        self.cancel_tries = 0

    @property
    def done(self) -> bool:
        """Whether its end was told."""
        return self.told in DONE


def alive(market: int, order_id: int, side: Side, ticks: int, lots: int) -> KnownOrder:
    """Return an order that rests although this run did not place it, or thought it dead."""
    order = KnownOrder(market, order_id, side, ticks, lots)
    order.told = OrderState.OPEN
    return order


class KnownOrders:
    """By client id and by venue id; tells the engine every change once."""

    __slots__ = ("_by_venue_id", "_ended", "_live", "_outlet")

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._live: dict[int, KnownOrder] = {}
        self._ended: dict[int, KnownOrder] = {}
        self._by_venue_id: dict[int, KnownOrder] = {}

    def __iter__(self) -> Iterator[KnownOrder]:
        return iter(list(self._live.values()))

    @property
    def unknown(self) -> int:
        """How many have an outcome that nobody knows."""
        return sum(order.told is OrderState.UNKNOWN for order in self._live.values())

    def place(self, place: Place) -> KnownOrder:
        """Take in an order that is about to be sent."""
        order = KnownOrder(place.market, place.order_id, place.side, place.ticks, place.lots)
        mode = place.mode
        order.immediate = mode is _IOC or mode is _FOK
        self._live[order.order_id] = order
        return order

    def adopt(self, order: KnownOrder) -> None:
        """Take in an order that rests and was not placed by this run, or was thought dead."""
        self._ended.pop(order.order_id, None)
        self._live[order.order_id] = order

    def get(self, order_id: int) -> KnownOrder | None:
        """Return an order that is not done."""
        return self._live.get(order_id)

    def ended(self, order_id: int) -> KnownOrder | None:
        """Return an order that was told to be done."""
        return self._ended.get(order_id)

    def of_venue(self, venue_id: int) -> KnownOrder | None:
        """Return the order that has this venue id, done or not."""
        return self._by_venue_id.get(venue_id)

    def identify(self, order: KnownOrder, venue_id: int) -> None:
        """Note the venue's id: the order has landed."""
        order.landed = True
        order.venue_id = venue_id
        self._by_venue_id[venue_id] = order

    def tell(self, order: KnownOrder, state: OrderState, reason: str | None = None) -> None:
        """Tell the engine where an order stands; nothing follows its end."""
        if order.done or (state is order.told and reason is None):
            return
        order.told = state
        if state in DONE:
            self._end(order)
        now_ns = self._outlet.clock()
        self._outlet.tell(
            OrderUpdate(0, now_ns, order.market, order.order_id, state, order.leaves, reason)
        )

    def _end(self, order: KnownOrder) -> None:
        order.cancel_due_ns = None
        order.probed_ns = None
        self._live.pop(order.order_id, None)
        self._ended[order.order_id] = order
        if len(self._ended) > REMEMBERED:
            oldest = self._ended.pop(next(iter(self._ended)))
            if oldest.venue_id is not None:
                self._by_venue_id.pop(oldest.venue_id, None)
