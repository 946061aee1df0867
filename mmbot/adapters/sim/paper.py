"""Paper trading: the matching engine of the backtest behind the Venue port, fed by live streams.

The public book does not show our orders, and they do not change it. Orders take as long to arrive
as the settings say, answers as long to come back; fees and the account are the backtest's.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mmbot.adapters.sim.account import SimAccount
from mmbot.cext import matching as kernel
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.actions import Action, Batch, Place
from mmbot.domain.events import (
    Event,
    Fill,
    FundingPayment,
    OrderUpdate,
    ReferencePrice,
    VenueOrder,
    VenueSnapshot,
)
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.ports import Emit, Leftovers, VenueFigures

HOUR_NS = 3_600_000_000_000
ACCOUNT_EVERY_NS = 500_000_000
RECONCILE_EVERY_NS = 5_000_000_000
TICK_S = 0.05
REDUCE_ONLY = 4
# From the best price down to here is a whole side.
_LAST_PRICE = {Side.BID: 0, Side.ASK: 1 << 62}
_ALL = 1 << 30
_WOULD_CROSS = "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"
_NO_FILL = "IMMEDIATE_ORDER_GOT_NO_FILLS"
_NOT_FOUND = "ORDER_NOT_FOUND"
_CLOSED = "the run is over"
_NOT_REDUCING = "ORDER_SIZE_EXCEEDS_POSITION_SIZE"

Levels = Iterable[tuple[int, int]]
_Report = tuple[int, int, int, int, int, int, bool, int]


class PaperTerms(NamedTuple):
    """What trading costs (parts per billion of value) and how long it takes (nanoseconds)."""

    maker_fee_ppb: int
    taker_fee_ppb: int
    funding_ppb_per_hour: int
    entry_ns: int
    response_ns: int


class _Order:
    __slots__ = ("leaves", "market", "mode", "resting", "side", "ticks")

    def __init__(self, place: Place) -> None:
        self.market = place.market
        self.side = place.side
        self.ticks = place.ticks
        self.leaves = place.lots
        self.mode = place.mode
        self.resting = False


class PaperVenue:
    """Venue over a pretend exchange that is told of the live market by `depth`, `trade` and so on.

    With `fills` off nothing ever fills: quotes rest where they would, for watching only.
    """

    def __init__(
        self,
        account: SimAccount,
        books: Sequence[OrderBook],
        terms: PaperTerms,
        clock: Callable[[], int],
        matchings: Sequence[kernel.Matching],
        *,
        fills: bool = True,
    ) -> None:
        self.account = account
        self._books = tuple(books)
        self._terms = terms
        self._clock = clock
        self._matchings = tuple(matchings)
        self._fills = fills
        self._orders: dict[int, _Order] = {}
        self._requests: deque[tuple[int, Batch]] = deque()
        self._answers: deque[tuple[int, Event]] = deque()
        self._pace = _Pace(clock())
        self._wake = asyncio.Event()

    def submit(self, batch: Batch) -> None:
        """See Venue."""
        self._requests.append((self._clock() + self._terms.entry_ns, batch))
        self._wake.set()

    async def run(self, emit: Emit) -> None:
        """See Venue."""
        while True:
            now_ns = self._clock()
            self._turn(now_ns)
            while self._answers and self._answers[0][0] <= now_ns:
                emit(self._answers.popleft()[1])
            self._keep_account(now_ns, emit)
            self._wake.clear()
            due_ns = min(
                (queue[0][0] for queue in (self._requests, self._answers) if queue), default=None
            )
            delay_s = TICK_S if due_ns is None else min(TICK_S, (due_ns - self._clock()) / 1e9)
            if delay_s > 0:
                try:
                    async with asyncio.timeout(delay_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            else:
                await asyncio.sleep(0)

    async def cancel_all(self, deadline_s: float) -> Leftovers:
        """See Venue: what is under way arrives, then every order goes."""
        self._pace.closed = True
        until_ns = self._clock() + round(deadline_s * 1e9)
        while self._requests and self._clock() < until_ns:
            await asyncio.sleep(TICK_S / 10)
            self._turn(self._clock())
        now_ns = self._clock()
        for order_id, order in list(self._orders.items()):
            self._report(order.market, self._matchings[order.market].cancel(now_ns, order_id))
        return Leftovers(not self._requests, tuple(self._orders))

    def figures(self) -> VenueFigures:
        """See LiveVenue: answers take what the settings say."""
        ack_ms = (self._terms.entry_ns + self._terms.response_ns) / 1e6
        return VenueFigures(ack_ms, ack_ms, 0)

    def snapshot(self, market: int, now_ns: int) -> None:
        """The market's book is known as a whole."""
        self._turn(now_ns)
        for side in Side:
            self._tell(market, now_ns, kernel.CLEAR, side, [(_LAST_PRICE[side], 0)])
            levels = self._books[market].levels(side, _ALL, False)
            self._tell(market, now_ns, kernel.SNAPSHOT, side, levels)
        self._mark(market)

    def depth(self, market: int, sides: tuple[Levels, Levels], now_ns: int) -> None:
        """Levels of a market, bids and asks, have new sizes."""
        self._turn(now_ns)
        for side, levels in zip(Side, sides, strict=True):
            self._tell(market, now_ns, kernel.DEPTH, side, levels)
        self._mark(market)

    def trade(
        self, market: int, side: Side, level: tuple[int, int], times: tuple[int | None, int]
    ) -> None:
        """A taker of this side traded at a price; `times` are the venue's and ours."""
        self._turn(times[1])
        self._tell(market, times[1], kernel.TRADE, side, [level])

    def gap(self, market: int, now_ns: int) -> None:
        """The book is not known until the next snapshot; nothing happens to orders meanwhile."""

    def reference(self, event: ReferencePrice) -> None:
        """An outside price moves nobody here."""

    def _tell(self, market: int, now_ns: int, kind: int, side: Side, levels: Levels) -> None:
        if not self._fills:
            return
        event = self._matchings[market].event
        for ticks, lots in levels:
            reports = event(now_ns, kind, side, ticks, lots)
            if reports:
                self._report(market, reports)

    def _mark(self, market: int) -> None:
        best_bid, _, best_ask, _ = self._books[market].touch(False)
        if best_bid and best_ask:
            self._pace.marks[market] = best_bid + best_ask

    def _turn(self, now_ns: int) -> None:
        """Let requests arrive whose time has come; each happens wholly or not at all."""
        while self._requests and self._requests[0][0] <= now_ns:
            due_ns, batch = self._requests.popleft()
            refusal = self._refusal(batch)
            for action in batch.actions:
                if refusal is None:
                    self._arrive(action, due_ns)
                elif type(action) is Place:
                    self._update(action.market, action.order_id, OrderState.REJECTED, 0, refusal)
                elif action.order_id in self._orders:
                    leaves = self._orders[action.order_id].leaves
                    self._update(action.market, action.order_id, OrderState.OPEN, leaves, refusal)

    def _refusal(self, batch: Batch) -> str | None:
        """Why a batch of several actions, or a place at the end of a run, is refused."""
        places = [action for action in batch.actions if type(action) is Place]
        if places and self._pace.closed:
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

    def _arrive(self, action: Action, now_ns: int) -> None:
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
            if kind == kernel.FILLED and order is not None:
                self._filled(market, order, report)
            elif kind == kernel.ACCEPTED and order is not None:
                order.resting = True
                self.account.rest(market, order.side, order.leaves)
                self._update(market, order_id, OrderState.OPEN, order.leaves, None)
            elif kind == kernel.CANCEL_REFUSED:
                if order is not None:
                    self._update(market, order_id, OrderState.OPEN, order.leaves, _NOT_FOUND)
            elif order is not None:
                self._ended(market, order_id, order, kind)

    def _ended(self, market: int, order_id: int, order: _Order, kind: int) -> None:
        if order.resting:
            self.account.rest(market, order.side, -order.leaves)
        del self._orders[order_id]
        if kind == kernel.CANCELLED:
            self._update(market, order_id, OrderState.CANCELLED, order.leaves, None)
        elif kind == kernel.REJECTED:
            self._update(market, order_id, OrderState.REJECTED, 0, _NOT_REDUCING)
        else:
            reason = _WOULD_CROSS if order.mode is FillMode.POST_ONLY else _NO_FILL
            self._update(market, order_id, OrderState.REJECTED, 0, reason)

    def _filled(self, market: int, order: _Order, report: _Report) -> None:
        _, order_id, _, ticks, lots, leaves, maker, _ = report
        terms = self._terms
        fee_ppb = terms.maker_fee_ppb if maker else terms.taker_fee_ppb
        fee_atoms = self.account.markets[market].fee(ticks, lots, fee_ppb)
        self.account.positions[market].fill(order.side, ticks, lots, fee_atoms)
        if order.resting:
            self.account.rest(market, order.side, -lots)
        order.leaves = leaves
        if leaves == 0:
            del self._orders[order_id]
        self._pace.fills += 1
        self._pace.account_ns = 0
        now_ns = self._clock()
        at_ns = now_ns + terms.response_ns
        fill = Fill(
            now_ns,
            at_ns,
            market,
            order_id,
            self._pace.fills,
            order.side,
            ticks,
            lots,
            leaves,
            maker,
            fee_atoms,
        )
        self._answers.append((at_ns, fill))
        self._wake.set()

    def _update(
        self, market: int, order_id: int, state: OrderState, leaves: int, reason: str | None
    ) -> None:
        now_ns = self._clock()
        at_ns = now_ns + self._terms.response_ns
        self._answers.append(
            (at_ns, OrderUpdate(now_ns, at_ns, market, order_id, state, leaves, reason))
        )
        self._wake.set()

    def _keep_account(self, now_ns: int, emit: Emit) -> None:
        """Tell figures, positions and funding when their time has come and nothing is under way."""
        pace = self._pace
        if now_ns >= pace.funding_ns:
            pace.funding_ns += HOUR_NS
            for market, mark in enumerate(self._marks()):
                if (
                    mark
                    and self.account.positions[market].lots
                    and self._terms.funding_ppb_per_hour
                ):
                    rate_ppb = self._terms.funding_ppb_per_hour
                    atoms = self.account.pay_funding(market, mark, rate_ppb)
                    emit(FundingPayment(now_ns, now_ns, market, atoms))
        if now_ns >= pace.account_ns:
            pace.account_ns = now_ns + ACCOUNT_EVERY_NS
            emit(self.account.snapshot(now_ns, self._marks()))
        if now_ns >= pace.reconcile_ns and not self._answers and not self._requests:
            pace.reconcile_ns = now_ns + RECONCILE_EVERY_NS
            emit(self._everything(now_ns))

    def _marks(self) -> list[int]:
        return [self._pace.marks.get(market, 0) for market in range(len(self._books))]

    def _everything(self, now_ns: int) -> VenueSnapshot:
        orders = tuple(
            VenueOrder(each.market, order_id, order_id, each.side, each.ticks, each.leaves)
            for order_id, each in self._orders.items()
        )
        lots = tuple(position.lots for position in self.account.positions)
        return VenueSnapshot(now_ns, now_ns, orders, lots)


class _Pace:
    """When what is due next, and what is counted; `closed`: no place is taken any more."""

    def __init__(self, now_ns: int) -> None:
        self.closed = False
        self.fills = 0
        self.account_ns = now_ns
        self.reconcile_ns = now_ns
        self.funding_ns = (now_ns // HOUR_NS + 1) * HOUR_NS
        self.marks: dict[int, int] = {}
