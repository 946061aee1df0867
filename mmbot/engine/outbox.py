"""Outbox: what leaves the engine: all the rates and the limits allow, booked as it is sent."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mmbot.domain.actions import Action, Batch, Cancel, Place
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.engine.desk import Desk
from mmbot.execution.budget import Budget
from mmbot.execution.diff import Changes, Wanted
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.plan import match, pack
from mmbot.execution.tracker import WorkingOrder
from mmbot.hedging.engine import Hedge
from mmbot.risk.limits import Denial, RiskManager

REPEAT_NS = 60_000_000_000
# Members of an enum are slow to look up.
_OPEN = OrderState.OPEN
_CLOSING = OrderState.CLOSING
_POST_ONLY = FillMode.POST_ONLY


class VenueTraits(NamedTuple):
    """What the engine must know of the venue.

    batch_size: most actions that travel together; book_includes_own: its public book shows our
    own orders, so the book is told which they are; has_index: it tells its index prices, and no
    order goes out without one; slack_ns: how much later than decided a batch may leave;
    reads_per_min: how often it is asked for something, out of the same allowance.
    """

    batch_size: int = 4
    book_includes_own: bool = False
    has_index: bool = False
    slack_ns: int = 0
    reads_per_min: int = 0


class Outbox:
    """Batches and notices of the event in hand, at `now_ns`; `batches` are those not taken yet.

    Whoever is there to `submit` them gets each one as soon as it is complete.
    """

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
        "submit",
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
        self.submit: Callable[[Batch], None] | None = None
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
        self.tell(severity, code, market, text)

    def tell(self, severity: Severity, code: str, market: int | None, text: str) -> None:
        """Keep a notice, however soon after another of its kind: of what begins and ends."""
        self._notices.append(Notice(self.now_ns, severity, code, market, text))

    def pull(self, desk: Desk) -> None:
        """Cancel every order of the market that has no cancel on its way."""
        orders = desk.tracker.cancellable()
        if orders:
            self.cancel(desk, orders)

    def cancel(self, desk: Desk, orders: list[WorkingOrder]) -> None:
        """Cancel these, as many as may be now."""
        cancels_now, _, _ = self._budget.allow(self.now_ns, len(orders), 0, 0)
        if cancels_now:
            market = desk.state.market.index
            cancels = [_closing(market, order) for order in orders[:cancels_now]]
            batches = pack(self.now_ns, cancels, self._traits.batch_size)
            self._budget.spend(self.now_ns, cancels_now, 0, len(batches))
            self._leave(batches)

    def cancel_stray(self, market: int, order_id: int) -> None:
        """Cancel an order of ours that no desk knows, if a cancel may go out; each by itself."""
        cancels_now, _, _ = self._budget.allow(self.now_ns, 1, 0, 0)
        if cancels_now:
            self._budget.spend(self.now_ns, 1, 0, 1)
            self._leave([Batch(self.now_ns, (Cancel(market, order_id),))])

    def send(self, desk: Desk, changes: Changes) -> None:
        """Send these changes as far as rates and limits allow, inner levels first.

        A replacement that has lost its place to a limit is a cancel and nothing more.
        """
        now_ns = self.now_ns
        market = desk.state.market.index
        cancels, pairs, places = match(changes)
        if self._budget.paced:
            pairs, places = self._patient(pairs, places)
        lone_now, pairs_now, places_now = self._budget.allow(
            now_ns, len(cancels), len(pairs), len(places)
        )
        size, before = self._traits.batch_size, len(self.batches)
        if pairs_now < len(pairs):
            cancels = cancels + [order for order, _ in pairs[pairs_now:]]
            pairs = pairs[:pairs_now]
        closing = [_closing(market, order) for order in cancels[:lone_now]]
        if closing:
            self._leave(pack(now_ns, closing, size))
        placed = self._replace(desk, pairs) if pairs else 0
        if places_now:
            new = [self._permit(desk, wanted) for wanted in places[:places_now]]
            alone = [place for place in new if place is not None]
            self._leave(pack(now_ns, alone, size))
            placed += len(alone)
        self._budget.spend(now_ns, len(closing) + pairs_now, placed, len(self.batches) - before)
        desk.counts.placed += placed

    def _patient(
        self, pairs: list[tuple[WorkingOrder, Wanted]], places: list[Wanted]
    ) -> tuple[list[tuple[WorkingOrder, Wanted]], list[Wanted]]:
        """What need not wait of replacements and places, for want of requests or cancels."""
        now_ns, budget = self.now_ns, self._budget
        spare = budget.spare(now_ns, self._risk.orders)
        moves = spare
        if pairs:
            if budget.scarce(now_ns):
                moves = 0
            going = []
            for pair in pairs:
                if moves > 0 or _presses(*pair):
                    going.append(pair)
                    moves -= 1
            pairs = going
            spare -= len(pairs)
        return pairs, places[: max(0, spare)]

    def _replace(self, desk: Desk, pairs: Sequence[tuple[WorkingOrder, Wanted]]) -> int:
        """Send replacements, a batch of them before the next is looked at; how many were placed."""
        market, half = desk.state.market.index, self._traits.batch_size // 2
        placed = 0
        for start in range(0, len(pairs), half):
            cancels: list[Action] = []
            places: list[Action] = []
            for order, wanted in pairs[start : start + half]:
                cancels.append(_closing(market, order))
                place = self._permit(desk, wanted)
                if place is not None:
                    places.append(place)
            placed += len(places)
            # One that has lost its place travels as its cancel, where it would have anyway.
            self._leave([Batch(self.now_ns, tuple(cancels + places))])
        return placed

    def take(self, desk: Desk, hedge: Hedge, *, reduce_only: bool) -> WorkingOrder | None:
        """Send an immediate-or-cancel order, and with it the cancels of what it could meet.

        None when it may not go now; the cancels may have gone alone then.
        """
        market = desk.state.market.index
        rivals = desk.tracker.rivals(hedge.side)
        if len(rivals) >= self._traits.batch_size:
            self.cancel(desk, rivals)
            return None
        now_ns, count = self.now_ns, len(rivals)
        if self._budget.allow(now_ns, count, 0, 1) != (count, 0, 1):
            return None
        place = self._permit(desk, hedge, FillMode.IOC, reduce_only)
        if place is None:
            return None
        cancels = tuple([_closing(market, order) for order in rivals])
        self._budget.spend(now_ns, count, 1, 1)
        desk.counts.placed += 1
        self._leave([Batch(now_ns, (*cancels, place))])
        return desk.tracker.orders[place.order_id]

    def _leave(self, batches: list[Batch]) -> None:
        self.batches += batches
        if self.submit is not None:
            for batch in batches:
                self.submit(batch)

    def _permit(
        self,
        desk: Desk,
        wanted: Wanted | Hedge,
        mode: FillMode = _POST_ONLY,
        reduce_only: bool = False,
    ) -> Place | None:
        """The order of this wish, booked as sent, when the limits allow it."""
        state = desk.state
        place = Place(
            state.market.index,
            self.ids.next(),
            wanted.side,
            wanted.ticks,
            wanted.lots,
            mode,
            reduce_only,
        )
        denial = self._risk.permit(place)
        if denial is None and not desk.guards.band.allows(
            place.ticks, state.reference_ticks, self._traits.has_index
        ):
            denial = Denial.PRICE_BAND
        if denial is not None:
            self.notify(Severity.WARNING, f"denied_{denial.name.lower()}", place.market, denial)
            return None
        desk.tracker.send(place, self.now_ns)
        self._risk.add_order(place)
        return place

    def mirror(self, desk: Desk, side: Side, ticks: int) -> None:
        """Tell a book that shows our orders which of a price are ours; only if it `mirrors`."""
        desk.state.book.set_own(side, ticks, desk.tracker.resting_lots(side, ticks))


def _presses(order: WorkingOrder, wanted: Wanted) -> bool:
    """Whether an order is bolder than what is wanted in its place, so that it must not stay."""
    return order.side * (order.ticks - wanted.ticks) > 0 or order.leaves > wanted.lots


def _closing(market: int, order: WorkingOrder) -> Cancel:
    order.move(_CLOSING)
    return Cancel(market, order.order_id)
