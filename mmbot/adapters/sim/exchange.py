"""The pretend exchange of event backtests and simulations: the replay kernel behind a SimVenue.

Decides what the kernel does not: fees, funding and the account. Rows come from recordings or from
the synthetic market; the kernel matches, this turns its answers into events.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.reports import Reports
from mmbot.cext import replay as kernel
from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import (
    BookUpdate,
    Event,
    Execution,
    Fill,
    FundingPayment,
    OrderUpdate,
    PublicTrades,
    ReferencePrice,
)
from mmbot.domain.market import MICRO, PPB, Contract
from mmbot.domain.order import FillMode, OrderState
from mmbot.errors import DataError

if TYPE_CHECKING:
    from mmbot.cext.replay import _Execution as Filled
    from mmbot.cext.replay import _Response as Response

HOUR_NS = 3_600_000_000_000
# How often the exchange tells the account's figures; after a fill it does so at once.
ACCOUNT_EVERY_NS = 500_000_000


class RowSource(Protocol):
    """Where a market's rows come from."""

    def rows(self) -> bytes:
        """Next rows of the market, empty when there are no more."""
        ...

    def reference(self) -> float | None:
        """Mid of an outside venue now, in ticks; None when there is none."""
        ...


class RecordedRows:
    """Rows of a recording, chunk by chunk."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def rows(self) -> bytes:
        """Next chunk, empty at the end; one may be empty where the order is not settled yet."""
        return next((chunk for chunk in self._chunks if chunk), b"")

    def reference(self) -> float | None:
        """None: recordings carry one venue."""
        return None


class Terms(NamedTuple):
    """What trading costs: parts per billion of value; funding is paid by longs every hour."""

    maker_fee_ppb: int
    taker_fee_ppb: int
    funding_ppb_per_hour: int = 0


# Members of an enum are slow to look up.
_POST_ONLY = FillMode.POST_ONLY
_OPEN = OrderState.OPEN
# So are attributes of a module, where it is done at every step.
_ENDED = kernel.ENDED
_NEED_ROWS = kernel.NEED_ROWS
_RESPONSE = kernel.RESPONSE
_ACCEPTED = kernel.ACCEPTED
_REJECTED = kernel.REJECTED
_EXPIRED = kernel.EXPIRED
_REDUCE_ONLY = kernel.REDUCE_ONLY


class _Order:
    __slots__ = ("leaves", "post_only", "resting", "side")

    def __init__(self, place: Place) -> None:
        self.side = place.side
        self.leaves = place.lots
        self.post_only = place.mode is _POST_ONLY
        self.resting = False


_CAUSES = {
    kernel.QUEUE: "queue",
    kernel.TRADE_THROUGH: "trade_through",
    kernel.BOOK_CROSS: "book_cross",
    kernel.TAKER: "taker",
    kernel.ARRIVAL: "arrival",
}
_WORDS = {
    kernel.ACCEPTED: (OrderState.OPEN, None),
    kernel.CANCELLED: (OrderState.CANCELLED, None),
    kernel.CANCEL_REFUSED: (OrderState.OPEN, "cancel refused: not resting"),
    kernel.EXPIRED: (OrderState.EXPIRED, "expired: would cross, or could not fill"),
    kernel.REJECTED: (OrderState.REJECTED, "rejected: would not only reduce"),
}


class ReplayExchange:
    """SimVenue over row sources; one per market, in the order of the account's markets.

    `tells_trades`: whether what others trade is told at all.
    """

    __slots__ = (
        "_account_ns",
        "_funding_ns",
        "_marks",
        "_orders",
        "_replay",
        "_reports",
        "_sources",
        "_terms",
        "account",
        "finished",
        "now_ns",
        "tells_trades",
    )

    def __init__(
        self,
        replay: kernel.Replay,
        sources: Sequence[RowSource],
        account: SimAccount,
        terms: Terms,
    ) -> None:
        self._replay = replay
        self._sources = sources
        self.account = account
        self._terms = terms
        self._marks = [0] * len(account.markets)
        self._orders: dict[int, _Order] = {}
        self._reports = Reports()
        self.finished = False
        self.tells_trades = True
        for index, source in enumerate(sources):
            self._feed(index, source)
        if replay.advance(-1) == kernel.ENDED:
            raise DataError("expected market events, found none in the time asked for")
        self.now_ns = replay.start_ns
        self._funding_ns = (self.now_ns // HOUR_NS + 1) * HOUR_NS
        self._account_ns = self.now_ns

    def advance(self, until_ns: int) -> Sequence[Event]:
        """Let time pass to `until_ns` or to the next answer.

        Answers come alone; when the time is reached come changed books, funding, the account.
        """
        replay = self._replay
        stop_ns = until_ns if until_ns < self._funding_ns else self._funding_ns
        code = replay.advance(stop_ns)
        while code == _NEED_ROWS:
            market = replay.needed_market
            self._feed(market, self._sources[market])
            code = replay.advance(stop_ns)
        self.now_ns = now_ns = replay.now_ns
        if code == _RESPONSE:
            return [self._answer(response) for response in replay.take_responses()]
        self.finished = code == _ENDED
        events: list[Event] = []
        for market, exch_ns, local_ns, mark, trades in replay.take_changed_books():
            self._marks[market] = mark
            if trades is not None and self.tells_trades:
                events.append(PublicTrades(exch_ns, local_ns, market, *trades))
            mid_ticks = self._sources[market].reference()
            if mid_ticks is not None:
                events.append(ReferencePrice(exch_ns, local_ns, market, mid_ticks))
            events.append(BookUpdate(exch_ns, local_ns, market))
        if now_ns == self._funding_ns:
            self._fund(events)
        if now_ns >= self._account_ns:
            self._account_ns = now_ns + ACCOUNT_EVERY_NS
            events.append(self.account.snapshot(now_ns, self.marks()))
        return events

    def submit(self, batch: Batch) -> None:
        """Send the actions of a batch, in order, at `now_ns`."""
        for action in batch.actions:
            if type(action) is Place:
                self._orders[action.order_id] = _Order(action)
                self._replay.submit(
                    action.market,
                    action.order_id,
                    action.side,
                    action.ticks,
                    action.lots,
                    action.mode + _REDUCE_ONLY if action.reduce_only else action.mode,
                )
            else:
                self._replay.cancel(action.market, action.order_id)

    def marks(self) -> Sequence[int]:
        """Mid of every market as seen locally, half ticks; 0 while a side is missing."""
        return self._marks

    def take_executions(self) -> Sequence[Execution]:
        """Fills known locally since the last call."""
        return self._reports.take_executions()

    def take_marks(self) -> list[tuple[int, int, int, bool]]:
        """Mids that came due after fills: (fill number, horizon index, half ticks, matured)."""
        return self._replay.take_marks()

    def take_funding(self) -> list[tuple[FundingPayment, int]]:
        """Funding since the last call, each with the mark it was paid at, half ticks."""
        return self._reports.take_funding()

    def market_volume_usd(self) -> float | None:
        """Everything that was traded on the exchange, by anybody; None when nobody traded."""
        total = 0.0
        for index, market in enumerate(self.account.markets):
            lots, ticklots = self._replay.traded(index)
            worth = lots if market.contract is Contract.INVERSE else ticklots
            # At two half ticks a lot is worth what it is worth at one tick.
            total += worth * market.notional_uusd(2, PPB) / PPB / MICRO
        return total or None

    def refusals(self) -> tuple[int, int]:
        """Orders refused so far: (rejected, post-only that would have crossed)."""
        return self._reports.rejected, self._reports.would_cross

    def _feed(self, market: int, source: RowSource) -> None:
        rows = source.rows()
        self._replay.feed(market, rows, not rows)

    def _answer(self, response: "Response") -> Event:
        kind, market, order_id, exch_ns, local_ns, leaves, execution = response
        if execution is not None:
            return self._fill(response, execution)
        order = self._orders.get(order_id)
        state, reason = _WORDS[kind]
        if order is not None:
            if kind == _ACCEPTED:
                order.resting = True
                self.account.rest(market, order.side, order.leaves)
            elif state is not _OPEN:
                self._forget(market, order_id, order)
                self._reports.rejected += kind == _REJECTED
                self._reports.would_cross += kind == _EXPIRED and order.post_only
        return OrderUpdate(exch_ns, local_ns, market, order_id, state, leaves, reason)

    def _fill(self, response: "Response", execution: "Filled") -> Fill:
        _, market, order_id, exch_ns, local_ns, leaves, _ = response
        ticks, lots, maker, cause, mid, number = execution
        order = self._orders[order_id]
        traits = self.account.markets[market]
        rate = self._terms.maker_fee_ppb if maker else self._terms.taker_fee_ppb
        fee_atoms = traits.fee(ticks, lots, rate)
        fill = Fill(
            exch_ns,
            local_ns,
            market,
            order_id,
            number,
            order.side,
            ticks,
            lots,
            leaves,
            maker,
            fee_atoms,
        )
        self.account.positions[market].fill(order.side, ticks, lots, fee_atoms)
        if order.resting:
            self.account.rest(market, order.side, -lots)
        order.leaves = leaves
        if leaves == 0:
            del self._orders[order_id]
        self._account_ns = self.now_ns
        self._reports.add_execution(Execution(number, fill, _CAUSES[cause], mid))
        return fill

    def _forget(self, market: int, order_id: int, order: _Order) -> None:
        if order.resting:
            self.account.rest(market, order.side, -order.leaves)
        del self._orders[order_id]

    def _fund(self, events: list[Event]) -> None:
        self._funding_ns += HOUR_NS
        rate = self._terms.funding_ppb_per_hour
        if rate == 0:
            return
        for market, mark in enumerate(self.marks()):
            if self.account.positions[market].lots == 0 or mark == 0:
                continue
            atoms = self.account.pay_funding(market, mark, rate)
            payment = FundingPayment(self.now_ns, self.now_ns, market, atoms)
            self._reports.add_funding(payment, mark)
            events.append(payment)
