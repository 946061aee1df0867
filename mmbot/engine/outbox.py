"""Outbox: what leaves the engine: all the rates and the limits allow, booked as it is sent."""

from typing import NamedTuple

from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.engine.desk import Desk
from mmbot.execution.budget import Budget
from mmbot.execution.diff import Changes
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.plan import pack
from mmbot.hedging.engine import Hedge
from mmbot.risk.limits import RiskManager

REPEAT_NS = 60_000_000_000
# Members of an enum are slow to look up.
_CLOSING = OrderState.CLOSING
_POST_ONLY = FillMode.POST_ONLY


class VenueTraits(NamedTuple):
    """What the engine must know of the venue.

    batch_size: most actions that travel together; book_includes_own: its public book shows our
    own orders, so the book is told which they are.
    """

    batch_size: int = 4
    book_includes_own: bool = False


class Outbox:
    """Batches and notices of the event in hand, at `now_ns`; `batches` are those not taken yet."""

    __slots__ = (
        "_budget",
        "_notices",
        "_risk",
        "_told_ns",
        "_traits",
        "batches",
        "ids",
        "mirrors",
        "now_ns",
    )

    def __init__(
        self, risk: RiskManager, ids: OrderIds, budget: Budget, traits: VenueTraits
    ) -> None:
        self.ids = ids
        self.now_ns = 0
        self._risk = risk
        self._budget = budget
        self._traits = traits
        self.mirrors = traits.book_includes_own
        self.batches: list[Batch] = []
        self._notices: list[Notice] = []
        self._told_ns: dict[tuple[str, int | None], int] = {}

    def take_batches(self) -> list[Batch]:
        """Batches since the last call, in the order they must be sent."""
        batches, self.batches = self.batches, []
        return batches

    def take_notices(self) -> list[Notice]:
        """Notices since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def notify(self, severity: Severity, code: str, market: int | None, text: str) -> None:
        """Keep a notice; one that is not critical is told once per REPEAT_NS, code and market."""
        if severity is not Severity.CRITICAL:
            told_ns = self._told_ns.get((code, market))
            if told_ns is not None and self.now_ns - told_ns < REPEAT_NS:
                return
            self._told_ns[code, market] = self.now_ns
        self._notices.append(Notice(self.now_ns, severity, code, market, text))

    def pull(self, desk: Desk) -> None:
        """Cancel every order of the market that has no cancel on its way."""
        orders = desk.tracker.cancellable()
        if orders:
            self.send(desk, Changes(orders, []), None)

    def cancel_stray(self, market: int, order_id: int) -> None:
        """Cancel an order of ours that no desk knows, if a cancel may go out."""
        cancels_now, _ = self._budget.allow(self.now_ns, 1, 0)
        if cancels_now:
            self._budget.spend(self.now_ns, 1, 0)
            self.batches.append(Batch(self.now_ns, (Cancel(market, order_id),)))

    def send(self, desk: Desk, changes: Changes, hedge: Hedge | None) -> None:
        """Send these changes, cancels first, then the hedge, then quotes from the inside out."""
        now_ns = self.now_ns
        market = desk.state.market.index
        places: list[Place] = []
        count = len(changes.places) + (hedge is not None)
        cancels_now, places_now = self._budget.allow(now_ns, len(changes.cancels), count)
        cancels = []
        for order in changes.cancels[:cancels_now]:
            order.move(_CLOSING)
            cancels.append(Cancel(market, order.order_id))
        if hedge is not None and places_now:
            side, ticks, lots = hedge
            place = Place(
                market, self.ids.next(), side, ticks, lots, FillMode.IOC, reduce_only=True
            )
            if self._permit(desk, place):
                places.append(place)
                desk.hedge = desk.tracker.orders[place.order_id]
        for wanted in changes.places:
            if len(places) >= places_now:
                break
            place = Place(
                market, self.ids.next(), wanted.side, wanted.ticks, wanted.lots, _POST_ONLY
            )
            if self._permit(desk, place):
                places.append(place)
        self._budget.spend(now_ns, len(cancels), len(places))
        self.batches += pack(now_ns, cancels, places, self._traits.batch_size)

    def _permit(self, desk: Desk, place: Place) -> bool:
        denial = self._risk.permit(place)
        if denial is not None:
            self.notify(Severity.WARNING, f"denied_{denial.name.lower()}", place.market, denial)
            return False
        desk.tracker.send(place, self.now_ns)
        self._risk.add_order(place)
        return True

    def mirror(self, desk: Desk, side: Side, ticks: int) -> None:
        """Tell a book that shows our orders which of a price are ours; only if it `mirrors`."""
        desk.state.book.set_own(side, ticks, desk.tracker.resting_lots(side, ticks))
