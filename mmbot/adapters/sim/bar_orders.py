"""Own orders against bars: what rests, what a bar or the drawn book fills, and what is reported."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.bar_fills import BarFill, Resting
from mmbot.adapters.sim.exchange import Terms
from mmbot.adapters.sim.reports import Reports
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.actions import Place
from mmbot.domain.events import Event, Execution, Fill, OrderUpdate
from mmbot.domain.order import FillMode, OrderState, Side

MARKET = 0
_ALL_LEVELS = 100


class _Found(NamedTuple):
    """An execution as the matching decides it, before fees."""

    order: Resting
    ticks: int
    lots: int
    cause: str


class Markouts:
    """Marks that come due after fills: the first close at or after fill time plus horizon."""

    def __init__(self, horizons_ns: Sequence[int]) -> None:
        self._horizons = tuple(horizons_ns)
        self._due: list[deque[tuple[int, int]]] = [deque() for _ in horizons_ns]
        self._marks: list[tuple[int, int, int, bool]] = []

    def fill(self, number: int, ts_ns: int) -> None:
        """Remember a fill; fills come in order of time."""
        for horizon_ns, due in zip(self._horizons, self._due, strict=True):
            due.append((ts_ns + horizon_ns, number))

    def close(self, ts_ns: int, mark: int, last: bool) -> None:
        """Mark what is due at a close, half ticks; at the last one everything, as not matured."""
        for horizon, due in enumerate(self._due):
            while due and (last or due[0][0] <= ts_ns):
                due_ns, number = due.popleft()
                self._marks.append((number, horizon, mark, due_ns <= ts_ns))

    def take(self) -> list[tuple[int, int, int, bool]]:
        """Marks since the last call: (fill number, horizon index, half ticks, matured)."""
        marks, self._marks = self._marks, []
        return marks


class BarOrders:
    """Orders of one market; fees and positions go to the account, answers into `events`.

    `now_ns` and `mark`, in half ticks, are the exchange's and set by it.
    """

    def __init__(
        self, book: OrderBook, account: SimAccount, terms: Terms, horizons_ns: Sequence[int]
    ) -> None:
        self.now_ns = 0
        self.mark = 0
        self.events: list[Event] = []
        self.reports = Reports()
        self.markouts = Markouts(horizons_ns)
        self._fills = 0
        self._book = book
        self._account = account
        self._terms = terms
        self._orders: dict[int, Resting] = {}

    def resting(self) -> Iterable[Resting]:
        """Orders on the book, in order of arrival."""
        return self._orders.values()

    def place(self, place: Place) -> None:
        """Let an order take what the book shows within its limit, and rest if it may."""
        order = Resting(place.order_id, place.side, place.ticks, place.lots)
        held = self._account.positions[MARKET].lots
        if place.reduce_only and place.lots > -place.side * held:
            self.reports.rejected += 1
            self._answer(order, OrderState.REJECTED, "rejected: would not only reduce")
            return
        wanted = self._takeable(order)
        if wanted and place.mode is FillMode.POST_ONLY:
            self.reports.would_cross += 1
            self._answer(order, OrderState.EXPIRED, "expired: would cross")
            return
        full = sum(lots for _, lots in wanted) >= order.leaves
        if place.mode is not FillMode.FOK or full:
            self._take(order, wanted)
        if order.leaves == 0:
            return
        if place.mode in (FillMode.IOC, FillMode.FOK):
            self._answer(order, OrderState.EXPIRED, "expired: could not fill")
            return
        self._orders[order.order_id] = order
        self._account.rest(MARKET, order.side, order.leaves)
        self._answer(order, OrderState.OPEN, None)

    def cancel(self, order_id: int) -> None:
        """Take an order off the book, or refuse when it does not rest."""
        order = self._orders.pop(order_id, None)
        if order is None:
            gone = Resting(order_id, Side.BID, 0, 0)
            self._answer(gone, OrderState.OPEN, "cancel refused: not resting")
            return
        self._account.rest(MARKET, order.side, -order.leaves)
        self._answer(order, OrderState.CANCELLED, None)

    def fill(self, fills: Iterable[BarFill], mark: int) -> None:
        """Book what a bar filled; `mark` is the mid it began with, half ticks."""
        for order, lots, through in fills:
            self._account.rest(MARKET, order.side, -lots)
            cause = "trade_through" if through else "touch"
            self._execute(_Found(order, order.ticks, lots, cause), mark)
            if order.leaves == 0:
                del self._orders[order.order_id]

    def _takeable(self, order: Resting) -> list[tuple[int, int]]:
        levels = self._book.levels(-order.side, _ALL_LEVELS)
        return [level for level in levels if order.side * level[0] <= order.side * order.ticks]

    def _take(self, order: Resting, levels: Sequence[tuple[int, int]]) -> None:
        for ticks, shown in levels:
            lots = min(shown, order.leaves)
            if lots > 0:
                self._book.set_level(-order.side, ticks, shown - lots)
                self._execute(_Found(order, ticks, lots, "taker"), self.mark)

    def _execute(self, found: _Found, mark: int) -> None:
        order, ticks, lots, cause = found
        maker = cause != "taker"
        rate = self._terms.maker_fee_ppb if maker else self._terms.taker_fee_ppb
        order.leaves -= lots
        fill = Fill(
            ts_venue_ns=self.now_ns,
            ts_recv_ns=self.now_ns,
            market=MARKET,
            order_id=order.order_id,
            trade_id=self._fills,
            side=order.side,
            ticks=ticks,
            lots=lots,
            leaves_lots=order.leaves,
            maker=maker,
            fee_atoms=self._account.markets[MARKET].fee(ticks, lots, rate),
        )
        self._account.positions[MARKET].fill(fill.side, ticks, lots, fill.fee_atoms)
        self.events.append(fill)
        self.reports.add_execution(Execution(self._fills, fill, cause, mark))
        self.markouts.fill(self._fills, fill.ts_recv_ns)
        self._fills += 1

    def _answer(self, order: Resting, state: OrderState, reason: str | None) -> None:
        now_ns = self.now_ns
        leaves = order.leaves if state is OrderState.OPEN else 0
        self.events.append(
            OrderUpdate(now_ns, now_ns, MARKET, order.order_id, state, leaves, reason)
        )
