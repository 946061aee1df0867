"""The pretend exchange of paper trading: own orders on the live book, matched as in a backtest.

The public book does not show our orders, and they do not change it. Every request happens wholly
or not at all, as at the venue.
"""

from collections.abc import Iterable, Sequence

from mmbot.adapters.sim.account import SimAccount
from mmbot.cext import matching as kernel
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.actions import Action, Batch, Place
from mmbot.domain.events import Event, Fill, OrderUpdate, VenueOrder
from mmbot.domain.order import FillMode, OrderState, Side

REDUCE_ONLY = 4
# From the best price down to here is a whole side.
_LAST_PRICE = {Side.BID: 0, Side.ASK: 1 << 62}
_ALL = 1 << 30
_CLOSED = "the run is over"
_NOT_FOUND = "ORDER_NOT_FOUND"
_NOT_REDUCING = "ORDER_SIZE_EXCEEDS_POSITION_SIZE"
_NO_FILL = "IMMEDIATE_ORDER_GOT_NO_FILLS"
_WOULD_CROSS = "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"

Levels = Iterable[tuple[int, int]]
_Report = tuple[int, int, int, int, int, int, bool, int]


class _Order:
    __slots__ = ("leaves", "market", "mode", "resting", "side", "ticks")

    def __init__(self, place: Place) -> None:
        self.market = place.market
        self.side = place.side
        self.ticks = place.ticks
        self.leaves = place.lots
        self.mode = place.mode
        self.resting = False


class PaperFloor:
    """Matches; what it has to say is appended to `told`, dated with the moment it happened.

    `fees_ppb` are those of makers and takers. Fill ids count from `first_fill`.
    """

    def __init__(
        self,
        account: SimAccount,
        books: Sequence[OrderBook],
        matchings: Sequence[kernel.Matching],
        fees_ppb: tuple[int, int],
        first_fill: int,
    ) -> None:
        self.account = account
        self.told: list[Event] = []
        self.closed = False
        self.fills = first_fill
        self._books = tuple(books)
        self._matchings = tuple(matchings)
        self._fees_ppb = fees_ppb
        self._orders: dict[int, _Order] = {}
        self._now_ns = 0

    def resting(self) -> tuple[VenueOrder, ...]:
        """Return every order that is here; it has the same id as ours."""
        return tuple(
            VenueOrder(each.market, order_id, order_id, each.side, each.ticks, each.leaves)
            for order_id, each in self._orders.items()
        )

    def arrive(self, batch: Batch, now_ns: int) -> None:
        """Take in a request."""
        self._now_ns = now_ns
        refusal = self._refusal(batch)
        for action in batch.actions:
            order_id = action.order_id
            if refusal is None:
                self._act(action, now_ns)
            elif type(action) is Place:
                self._tell(action.market, order_id, OrderState.REJECTED, 0, refusal)
            elif order_id in self._orders:
                leaves = self._orders[order_id].leaves
                self._tell(action.market, order_id, OrderState.OPEN, leaves, refusal)

    def cancel_everything(self, now_ns: int) -> None:
        """Take every order off."""
        self._now_ns = now_ns
        for order_id, order in list(self._orders.items()):
            self._report(order.market, self._matchings[order.market].cancel(now_ns, order_id))

    def market_row(self, market: int, kind: int, side: Side, levels: Levels, now_ns: int) -> None:
        """Something happened on the market: levels with their new sizes, or a trade."""
        self._now_ns = now_ns
        event = self._matchings[market].event
        for ticks, lots in levels:
            reports = event(now_ns, kind, side, ticks, lots)
            if reports:
                self._report(market, reports)

    def market_anew(self, market: int, now_ns: int) -> None:
        """The book is known as a whole."""
        for side in Side:
            levels = self._books[market].levels(side, _ALL, False)
            self.market_row(market, kernel.CLEAR, side, [(_LAST_PRICE[side], 0)], now_ns)
            self.market_row(market, kernel.SNAPSHOT, side, levels, now_ns)

    def mark(self, market: int) -> int:
        """Return the mid of the live book in half ticks, 0 while a side is missing."""
        best_bid, _, best_ask, _ = self._books[market].touch(False)
        return best_bid + best_ask if best_bid and best_ask else 0

    def _refusal(self, batch: Batch) -> str | None:
        """Why a batch of several actions, or a place at the end of a run, is refused."""
        places = [action for action in batch.actions if type(action) is Place]
        if places and self.closed:
            return _CLOSED
        if len(batch.actions) == 1:
            return None
        known = (type(each) is Place or each.order_id in self._orders for each in batch.actions)
        if not all(known):
            return _NOT_FOUND
        crossing = (each.mode is FillMode.POST_ONLY and self._crosses(each) for each in places)
        return _WOULD_CROSS if any(crossing) else None

    def _crosses(self, place: Place) -> bool:
        best_bid, _, best_ask, _ = self._books[place.market].touch(False)
        if place.side is Side.BID:
            return 0 < best_ask <= place.ticks
        return place.ticks <= best_bid

    def _act(self, action: Action, now_ns: int) -> None:
        matching = self._matchings[action.market]
        if type(action) is Place:
            self._orders[action.order_id] = _Order(action)
            mode = action.mode + REDUCE_ONLY if action.reduce_only else int(action.mode)
            reports = matching.submit(
                now_ns, action.order_id, action.side, action.ticks, action.lots, mode
            )
        else:
            reports = matching.cancel(now_ns, action.order_id)
        self._report(action.market, reports)

    def _report(self, market: int, reports: Sequence[_Report]) -> None:
        for report in reports:
            kind, order_id = report[:2]
            order = self._orders.get(order_id)
            if order is None:
                # A cancel that came too late: what ended the order is told already.
                continue
            if kind == kernel.FILLED:
                self._filled(market, order, report)
            elif kind == kernel.ACCEPTED:
                order.resting = True
                self.account.rest(market, order.side, order.leaves)
                self._tell(market, order_id, OrderState.OPEN, order.leaves, None)
            elif kind == kernel.CANCEL_REFUSED:
                self._tell(market, order_id, OrderState.OPEN, order.leaves, _NOT_FOUND)
            else:
                self._ended(order_id, order, kind)

    def _ended(self, order_id: int, order: _Order, kind: int) -> None:
        if order.resting:
            self.account.rest(order.market, order.side, -order.leaves)
        del self._orders[order_id]
        if kind == kernel.CANCELLED:
            self._tell(order.market, order_id, OrderState.CANCELLED, order.leaves, None)
            return
        reason = _WOULD_CROSS if order.mode is FillMode.POST_ONLY else _NO_FILL
        if kind == kernel.REJECTED:
            reason = _NOT_REDUCING
        self._tell(order.market, order_id, OrderState.REJECTED, 0, reason)

    def _filled(self, market: int, order: _Order, report: _Report) -> None:
        _, order_id, _, ticks, lots, leaves, maker, _ = report
        fee_ppb = self._fees_ppb[0 if maker else 1]
        fee_atoms = self.account.markets[market].fee(ticks, lots, fee_ppb)
        self.account.positions[market].fill(order.side, ticks, lots, fee_atoms)
        if order.resting:
            self.account.rest(market, order.side, -lots)
        order.leaves = leaves
        if leaves == 0:
            del self._orders[order_id]
        self.fills += 1
        self.told.append(
            Fill(
                self._now_ns,
                self._now_ns,
                market,
                order_id,
                self.fills,
                order.side,
                ticks,
                lots,
                leaves,
                maker,
                fee_atoms,
            )
        )

    def _tell(
        self, market: int, order_id: int, state: OrderState, leaves: int, reason: str | None
    ) -> None:
        now_ns = self._now_ns
        self.told.append(OrderUpdate(now_ns, now_ns, market, order_id, state, leaves, reason))
