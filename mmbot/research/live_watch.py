"""Watches a bot that trades against time and takes the same notes of it as of a backtest.

The mid of a fill is that of our own copy of the book at the moment we heard of it; a pretend
exchange knows it of the moment it happened. Corrections by the venue go to the fees.
"""

from collections import deque
from heapq import heappop, heappush

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import Event, Fill, FundingPayment, OrderUpdate, Restatement
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.domain.quotes import Quotes
from mmbot.engine import Engine
from mmbot.engine.desk import Desk
from mmbot.research.record import FillRecord, OrderCount, Recorder, RunRecord
from mmbot.research.watch import CARRIED, sample_of

CAUSE = "venue"
RESTATED = "restated"
# The venue's refusal of an order that would have taken.
_WOULD_CROSS = "POST_ONLY"
_SEEN_TRADES = 4096


class LiveWatch:
    """Feeds a Recorder from what the engine was told and what it sent; `tick` samples."""

    def __init__(self, engine: Engine, recorder: Recorder) -> None:
        self._engine = engine
        self._recorder = recorder
        self._hedges: set[int] = set()
        self._marks = [0] * len(engine.desks)
        # What came before the book did: nothing has a price yet.
        self._early: list[deque[Fill | Restatement | FundingPayment]] = [
            deque() for _ in engine.desks
        ]
        self._carried = [desk.position.lots for desk in engine.desks]
        self._due: list[tuple[int, int, int, int]] = []
        self._numbers = 0
        self._seen: dict[tuple[int, int], None] = {}
        self._told: list[tuple[str | None, int]] = [(None, 0)] * len(engine.desks)

    def batch(self, batch: Batch) -> None:
        """See what was sent."""
        placed = 0
        for action in batch.actions:
            if type(action) is Place:
                placed += 1
                if action.mode is FillMode.IOC:
                    self._hedges.add(action.order_id)
        self._recorder.sent(placed, len(batch.actions) - placed)

    def event(self, event: Event) -> None:
        """See what the engine was told, after it was."""
        if type(event) is Fill or type(event) is Restatement or type(event) is FundingPayment:
            early = self._early[event.market]
            early.append(event)
            if self._mark(event.market, event.ts_recv_ns):
                self._book(event.market, event.ts_recv_ns)
        elif type(event) is OrderUpdate and event.state is OrderState.REJECTED:
            crossed = event.reason is not None and event.reason.startswith(_WOULD_CROSS)
            self._recorder.order(OrderCount.POST_ONLY_REJECTED if crossed else OrderCount.REJECTED)

    def tick(self, now_ns: int) -> None:
        """Sample every market that has a book; to be called some times a second."""
        self._mature(now_ns)
        recorder = self._recorder
        for index, desk in enumerate(self._engine.desks):
            if not self._mark(index, now_ns):
                continue
            self._book(index, now_ns)
            answer = desk.answer
            reason = answer.reason if type(answer) is Quotes else None
            limit_lots = desk.state.room.limit_lots
            if (reason, limit_lots) != self._told[index]:
                self._told[index] = (reason, limit_lots)
                recorder.gate(now_ns, index, reason)
                recorder.set_limit(index, limit_lots)
            mark = self._marks[index]
            position = recorder.tracks[index].position
            recorder.sample(sample_of(now_ns, index, desk, mark, position))

    def finish(self, now_ns: int) -> RunRecord:
        """End the notes; markouts that are not due yet are cut short."""
        self.tick(now_ns)
        while self._due:
            _, number, horizon, market = heappop(self._due)
            self._recorder.mark(number, horizon, self._marks[market], False)
        return self._recorder.finish(now_ns, self._marks)

    def _mark(self, market: int, now_ns: int) -> bool:
        """Read the mid anew, after the markouts that were due at the one before."""
        self._mature(now_ns)
        bid, _, ask, _ = self._engine.desks[market].state.book.touch()
        if bid and ask:
            self._marks[market] = bid + ask
        return self._marks[market] > 0

    def _mature(self, now_ns: int) -> None:
        while self._due and self._due[0][0] <= now_ns:
            _, number, horizon, market = heappop(self._due)
            desk: Desk = self._engine.desks[market]
            bid, _, ask, _ = desk.state.book.touch()
            if bid and ask:
                self._marks[market] = bid + ask
            self._recorder.mark(number, horizon, self._marks[market], True)

    def _book(self, market: int, now_ns: int) -> None:
        carried = self._carried[market]
        if carried:
            self._carried[market] = 0
            self._add_lots(market, now_ns, carried, CARRIED)
        early = self._early[market]
        while early:
            event = early.popleft()
            if type(event) is Fill:
                self._fill(event)
            elif type(event) is FundingPayment:
                mark = self._marks[market]
                self._recorder.funding(market, event.ts_recv_ns, event.atoms, mark)
            elif type(event) is Restatement:
                self._restate(event)

    def _fill(self, fill: Fill) -> None:
        # A fill whose order was not known comes a second time when it is.
        key = (fill.market, fill.trade_id)
        if key in self._seen:
            return
        self._seen[key] = None
        if len(self._seen) > _SEEN_TRADES:
            del self._seen[next(iter(self._seen))]
        self._recorder.fill(
            FillRecord(
                number=self._number(fill.market, fill.ts_recv_ns),
                market=fill.market,
                # A venue that does not say when is taken to have told at once.
                ts_exch_ns=fill.ts_venue_ns or fill.ts_recv_ns,
                ts_recv_ns=fill.ts_recv_ns,
                order_id=fill.order_id,
                side=fill.side,
                ticks=fill.ticks,
                lots=fill.lots,
                leaves_lots=fill.leaves_lots,
                maker=fill.maker,
                cause=CAUSE,
                fee_atoms=fill.fee_atoms,
                mark_half_ticks=self._marks[fill.market],
                hedge=fill.order_id in self._hedges,
            )
        )

    def _restate(self, event: Restatement) -> None:
        cost = event.fees_atoms - event.cash_atoms
        if event.lots:
            market = self._recorder.tracks[event.market].position.market
            ticks = self._marks[event.market] // 2
            # Booked at a whole tick; what the cash says beyond that is a cost.
            cost -= event.lots * market.unit_value(2 * ticks)
            self._add_lots(event.market, event.ts_recv_ns, event.lots, RESTATED, cost)
        elif not self._recorder.restate(event.market, cost):
            mark = self._marks[event.market]
            self._recorder.funding(event.market, event.ts_recv_ns, -cost, mark)

    def _add_lots(self, market: int, ts_ns: int, lots: int, cause: str, fee_atoms: int = 0) -> None:
        """Book lots that were not traded here, at the mid of now."""
        ticks = self._marks[market] // 2
        self._recorder.fill(
            FillRecord(
                number=self._number(market, ts_ns),
                market=market,
                ts_exch_ns=ts_ns,
                ts_recv_ns=ts_ns,
                order_id=0,
                side=Side.BID if lots > 0 else Side.ASK,
                ticks=ticks,
                lots=abs(lots),
                leaves_lots=0,
                maker=True,
                cause=cause,
                fee_atoms=fee_atoms,
                mark_half_ticks=2 * ticks,
            )
        )

    def _number(self, market: int, ts_ns: int) -> int:
        self._numbers += 1
        for horizon, after_ns in enumerate(self._recorder.horizons_ns):
            heappush(self._due, (ts_ns + after_ns, self._numbers, horizon, market))
        return self._numbers
