"""Bookkeeping: what happens to a live bot, as rows of its ledger. See runtime.keeping.Keeper.

Trades come from the venue's own list where there is one; on paper the fills are the trades.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.trading.audit import UNEXPLAINED
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.assemble.live.mids import Mids
from mmbot.assemble.live.remembering import Memories
from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import (
    AccountSnapshot,
    BookGap,
    BookUpdate,
    Event,
    Fill,
    FundingPayment,
    Hindrance,
    Operator,
    OrderUpdate,
    Restatement,
    Transfer,
)
from mmbot.domain.notices import Notice
from mmbot.domain.order import DONE, FillMode, OrderState
from mmbot.engine import Engine
from mmbot.errors import VenueError
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.rows import AdjustmentRow, EquityPoint, FillRow, FundingRow, Kind, OrderRow
from mmbot.runtime.params import RuntimeParams
from mmbot.runtime.supervision import ExitReport
from mmbot.secrets.redaction import redacted

CLOSE_S = 3.0
LAST_TRADES_S = 2.0
OLDEST_NS = 2 * NS_PER_S
POINT_EVERY_NS = NS_PER_S

_MONEY = frozenset({FundingPayment, Transfer, Restatement})
_NOTED = frozenset({Hindrance, BookGap, Operator})

Tell = Callable[[Sequence[Notice]], None]


class OrderRows:
    """Keeps how every order of ours stands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._placed: dict[int, Place] = {}

    def placed(self, place: Place, now_ns: int) -> None:
        """An order was sent."""
        self._placed[place.order_id] = place
        self._row(place, now_ns, OrderState.SENT, place.lots, None)

    def update(self, event: OrderUpdate) -> None:
        """Something was said of an order."""
        place = self._placed.get(event.order_id)
        if place is None:
            return
        self._row(place, event.ts_recv_ns, event.state, event.leaves_lots, event.reason)
        if event.state in DONE:
            del self._placed[event.order_id]

    def fill(self, event: Fill) -> None:
        """An order was filled, wholly or in part."""
        place = self._placed.get(event.order_id)
        if place is None:
            return
        state = OrderState.OPEN if event.leaves_lots else OrderState.FILLED
        self._row(place, event.ts_recv_ns, state, event.leaves_lots, None)
        if not event.leaves_lots:
            del self._placed[event.order_id]

    def _row(
        self, place: Place, ts_ns: int, state: OrderState, leaves: int, reason: str | None
    ) -> None:
        self._ledger.order(
            OrderRow(
                ts_ns,
                place.market,
                place.order_id,
                place.side,
                place.ticks,
                place.lots,
                leaves,
                state,
                reason,
                hedge=place.mode is FillMode.IOC,
            )
        )


class Bookkeeping:
    """Keeper over a ledger whose run has been begun.

    `money` are the markets of the venue's trades, `tell` hears of notices. `last_trades` reads the
    venue's list once more, None where the fills are the trades.
    """

    def __init__(
        self,
        ledger: Ledger,
        run: int,
        engine: Engine,
        params: RuntimeParams,
        clock: Callable[[], int],
    ) -> None:
        self.tell: Tell = _nobody
        self.money: Mapping[int, MarketMoney] = {}
        self.last_trades: Callable[[], Awaitable[None]] | None = None
        self._engine = engine
        self._ledger = ledger
        self._run = run
        self._most_rows = params.journal_backlog_count
        self._clock = clock
        self._orders = OrderRows(ledger)
        self._mids = Mids(ledger, len(engine.desks))
        self._point_ns = 0
        self._memories = Memories(ledger, engine, clock)

    async def run(self) -> None:
        """See Keeper."""
        await self._memories.run()

    def event(self, event: Event) -> None:
        """See Keeper."""
        if type(event) is BookUpdate:
            self._mids.note(event.market, event.ts_recv_ns, self._mark(event.market) or 0)
        elif type(event) is OrderUpdate:
            self._orders.update(event)
        elif type(event) is Fill:
            self._fill(event)
        elif type(event) is AccountSnapshot:
            self._point(event)
            self._memories.note()
        elif type(event) in _MONEY:
            self._money(event)
            self._memories.note()
        elif type(event) in _NOTED:
            _note(self._ledger, event)
            if type(event) is Operator:
                self._memories.note()

    def batch(self, batch: Batch) -> None:
        """See Keeper."""
        for action in batch.actions:
            if type(action) is Place:
                self._orders.placed(action, batch.ts_ns)

    def notices(self, notices: Sequence[Notice]) -> None:
        """See Keeper."""
        for each in notices:
            text = f"{each.severity.name} {each.code}: {each.text}"
            self._ledger.note(each.ts_ns, Kind.NOTICE, each.market, None, redacted(text))
        self.tell(notices)

    def trouble(self) -> str | None:
        """See Keeper."""
        count, age_ns = self._ledger.backlog(self._clock())
        if self._ledger.failure is not None:
            return self._ledger.failure
        if count > self._most_rows or age_ns > OLDEST_NS:
            return f"the disk is {count} rows or {age_ns / NS_PER_S:.1f} s behind"
        return None

    def trades(self, trades: Sequence[OwnTrade], cursor: int) -> None:
        """Take trades of the venue's list, and up to which one all are known."""
        rows = []
        for own in trades:
            money = self.money.get(own.trade.market_id)
            if money is not None:
                rows.append(_trade_row(own, money))
        self._ledger.fills(rows, cursor)

    def heard(self, own: OwnTrade, heard_ns: int) -> None:
        """Take when a trade of the venue's list was heard of."""
        money = self.money.get(own.trade.market_id)
        if money is not None:
            self._mids.traded(money.market.index, own.trade.trade_id, heard_ns, self._clock())

    def late(self, own: OwnTrade) -> None:
        """Take back lots that were booked without a trade: this one has brought them after all."""
        money = self.money.get(own.trade.market_id)
        if money is not None:
            lots, reason = -own.side * own.trade.lots, "listed after all"
            self._ledger.adjustment(
                AdjustmentRow(self._clock(), money.market.index, lots, 0, 0, reason)
            )

    async def halt(self, reason: str, now_ns: int) -> None:
        """See Keeper."""
        await self._memories.halt(reason, now_ns)

    async def end(self, report: ExitReport, now_ns: int) -> None:
        """See Keeper."""
        text = f"exit {report.code}: {report.reason}"
        if self._memories.halt_lost:
            text += "; the halt is not on the disk"
        self._ledger.note(now_ns, Kind.RUN, None, None, text)
        if self.last_trades is not None:
            lacking = await _lacking(self.last_trades)
            if lacking is not None:
                self._ledger.note(now_ns, Kind.RUN, None, None, lacking)
        await self._memories.keep()
        clean = report.leftovers.clean
        self._ledger.end_run(self._run, now_ns, report.code, clean)
        self._ledger.close(CLOSE_S)

    def _money(self, event: Event) -> None:
        ledger, now_ns = self._ledger, event.ts_recv_ns
        if type(event) is FundingPayment:
            ledger.funding([FundingRow(event.ts_venue_ns or now_ns, event.market, event.atoms)])
        elif type(event) is Transfer:
            ledger.transfer(now_ns, event.uusd)
        elif type(event) is Restatement:
            row = AdjustmentRow(
                now_ns,
                event.market,
                event.lots,
                event.cash_atoms,
                event.fees_atoms,
                event.reason,
            )
            # The rows of trades are right already: only what no trade explains is added to them.
            if event.reason == UNEXPLAINED:
                ledger.adjustment(row)
            ledger.note(now_ns, Kind.STATE, event.market, None, f"restated: {row}")

    def _fill(self, event: Fill) -> None:
        mark = self._mark(event.market)
        if self.last_trades is None:
            row = FillRow(
                event.ts_venue_ns,
                event.market,
                event.trade_id,
                event.trade_id,
                event.order_id,
                event.side,
                event.ticks,
                event.lots,
                event.maker,
                event.fee_atoms,
                mark_half_ticks=mark,
            )
            self._ledger.fills([row], None)
            self._mids.traded(event.market, event.trade_id, event.ts_recv_ns, self._clock())
        text = f"{event.side.name} {event.lots} lots at {event.ticks} ticks, mark {mark}"
        self._ledger.note(event.ts_recv_ns, Kind.FILL, event.market, event.order_id, text)
        self._orders.fill(event)

    def _mark(self, market: int) -> int | None:
        best_bid, _, best_ask, _ = self._engine.desks[market].state.book.touch()
        return best_bid + best_ask if best_bid and best_ask else None

    def _point(self, event: AccountSnapshot) -> None:
        if event.ts_recv_ns - self._point_ns < POINT_EVERY_NS:
            return
        self._point_ns = event.ts_recv_ns
        marks = tuple(self._mark(index) or 0 for index in range(len(self._engine.desks)))
        pnl_uusd = sum(
            position.market.atoms_to_uusd(position.pnl_atoms(mark), mark)
            for position, mark in zip(self._engine.positions, marks, strict=True)
            if mark
        )
        self._ledger.equity(EquityPoint(event.ts_recv_ns, event.mf_uusd, pnl_uusd, marks=marks))


def _note(ledger: Ledger, event: Event) -> None:
    now_ns = event.ts_recv_ns
    if type(event) is Hindrance:
        reason = "over" if event.reason is None else event.reason
        ledger.note(now_ns, Kind.STATE, event.market, None, f"{event.name}: {reason}")
    elif type(event) is BookGap:
        ledger.note(now_ns, Kind.STATE, event.market, None, f"book: {event.reason}")
    elif type(event) is Operator:
        text = f"{event.command}: {event.reason}"
        ledger.note(now_ns, Kind.COMMAND, event.market, None, text)


def _trade_row(own: OwnTrade, money: MarketMoney) -> FillRow:
    trade = own.trade
    return FillRow(
        trade.time_ns,
        money.market.index,
        trade.trade_id,
        trade.action_id,
        trade.order_id,
        own.side,
        trade.ticks,
        trade.lots,
        own.is_maker,
        money.trade_fee_atoms(own),
    )


async def _lacking(read: Callable[[], Awaitable[None]]) -> str | None:
    """Read the trades since the last look; say what is missing if that does not work.

    The next run has them then: it goes on where the list was read last.
    """
    try:
        async with asyncio.timeout(LAST_TRADES_S):
            await read()
    except (VenueError, TimeoutError) as error:
        return f"the last trades are not read: {error or 'no answer in time'}"
    return None


def _nobody(_notices: Sequence[Notice]) -> None:
    """Nobody is told."""
