"""Watches a replay and tells the recorder: what was sent, filled, marked, and how things stand."""

from collections.abc import Callable, Sequence
from typing import Protocol

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import Execution, FundingPayment, Restatement
from mmbot.domain.order import FillMode, Side
from mmbot.domain.position import Position
from mmbot.domain.quotes import Quotes
from mmbot.engine.desk import Desk
from mmbot.engine.engine import Engine
from mmbot.research.record import FillRecord, OrderCount, Recorder, RunRecord
from mmbot.research.sums import QuoteSample

# Members of an enum are slow to look up.
_BID = Side.BID
_IOC = FillMode.IOC
CARRIED = "carried"


class WatchedVenue(Protocol):
    """The pretend exchange, as far as a recorder looks into it."""

    @property
    def now_ns(self) -> int:
        """Local time reached."""
        ...

    def marks(self) -> Sequence[int]:
        """Mid of every market, half ticks; 0 while unknown."""
        ...

    def take_executions(self) -> Sequence[Execution]:
        """Fills since the last call."""
        ...

    def take_marks(self) -> Sequence[tuple[int, int, int, bool]]:
        """Mids after fills: (fill number, horizon index, half ticks, matured)."""
        ...

    def take_funding(self) -> Sequence[tuple[FundingPayment, int]]:
        """Funding since the last call, each with the mark it was paid at."""
        ...

    def refusals(self) -> tuple[int, int]:
        """Orders refused so far: (rejected, post-only that would have crossed)."""
        ...


class Watch:
    """RunObserver that feeds a Recorder; `log` is given every batch, if there is one."""

    __slots__ = ("_engine", "_hedges", "_log", "_marks", "_recorder", "_told", "_venue")

    def __init__(
        self,
        engine: Engine,
        venue: WatchedVenue,
        recorder: Recorder,
        log: Callable[[Batch], None] | None,
    ) -> None:
        self._engine = engine
        self._venue = venue
        self._recorder = recorder
        self._log = log
        self._hedges: set[int] = set()
        # Gate and limit change seldom; the recorder starts with none.
        self._told: list[tuple[str | None, int]] = [(None, 0)] * len(engine.desks)
        self._marks = [0] * len(engine.desks)

    def batch(self, batch: Batch) -> None:
        """Count what was sent."""
        placed = 0
        for action in batch.actions:
            if type(action) is Place:
                placed += 1
                if action.mode is _IOC:
                    self._hedges.add(action.order_id)
        self._recorder.sent(placed, len(batch.actions) - placed)
        if self._log is not None:
            self._log(batch)

    def carry(self, held: Restatement) -> None:
        """Begin a market with a position, bought at `cash_atoms` just now."""
        lots = held.lots
        market = self._recorder.tracks[held.market].position.market
        half_ticks = -held.cash_atoms // (lots * market.unit_value(1))
        ticks = half_ticks // 2
        self._recorder.fill(
            FillRecord(
                number=-1 - held.market,
                market=held.market,
                ts_exch_ns=held.ts_venue_ns,
                ts_recv_ns=held.ts_recv_ns,
                order_id=0,
                side=Side.BID if lots > 0 else Side.ASK,
                ticks=ticks,
                lots=abs(lots),
                leaves_lots=0,
                maker=True,
                cause=CARRIED,
                # Booked at a whole tick; what the cash says beyond that is a cost.
                fee_atoms=-held.cash_atoms - lots * market.unit_value(2 * ticks),
                mark_half_ticks=half_ticks,
            )
        )
        for horizon in range(len(self._recorder.horizons_ns)):
            self._recorder.mark(-1 - held.market, horizon, half_ticks, False)

    def step(self, now_ns: int) -> None:
        """Sample every market."""
        marks = self._venue.marks()
        recorder = self._recorder
        for execution in self._venue.take_executions():
            self._fill(execution)
        for index, desk in enumerate(self._engine.desks):
            mark = marks[index]
            if mark == 0:
                continue
            self._marks[index] = mark
            answer = desk.answer
            reason = answer.reason if type(answer) is Quotes else None
            limit_lots = desk.state.room.limit_lots
            if (reason, limit_lots) != self._told[index]:
                self._told[index] = (reason, limit_lots)
                recorder.gate(now_ns, index, reason)
                recorder.set_limit(index, limit_lots)
            recorder.sample(sample_of(now_ns, index, desk, mark, desk.position))

    def finish(self) -> RunRecord:
        """End the recording at the last marks: a recording's end may leave no book."""
        for execution in self._venue.take_executions():
            self._fill(execution)
        # No sample is made of these, so they can wait until here.
        for matured in self._venue.take_marks():
            self._recorder.mark(*matured)
        for payment, at in self._venue.take_funding():
            self._recorder.funding(payment.market, payment.ts_recv_ns, payment.atoms, at)
        rejected, would_cross = self._venue.refusals()
        self._recorder.order(OrderCount.REJECTED, rejected)
        self._recorder.order(OrderCount.POST_ONLY_REJECTED, would_cross)
        marks = [mark or last for mark, last in zip(self._venue.marks(), self._marks, strict=True)]
        return self._recorder.finish(self._venue.now_ns, marks)

    def _fill(self, execution: Execution) -> None:
        number, fill, cause, mark = execution
        self._recorder.fill(
            FillRecord(
                number=number,
                market=fill.market,
                ts_exch_ns=fill.ts_venue_ns,
                ts_recv_ns=fill.ts_recv_ns,
                order_id=fill.order_id,
                side=fill.side,
                ticks=fill.ticks,
                lots=fill.lots,
                leaves_lots=fill.leaves_lots,
                maker=fill.maker,
                cause=cause,
                fee_atoms=fill.fee_atoms,
                mark_half_ticks=mark,
                hedge=fill.order_id in self._hedges,
            )
        )


def sample_of(now_ns: int, index: int, desk: Desk, mark: int, position: Position) -> QuoteSample:
    """Return how a market stands: its best own quotes, and a position at this mark."""
    bid = bid_lots = ask = ask_lots = 0
    for order in desk.tracker.orders.values():
        if not order.rests:
            continue
        if order.side is _BID:
            if order.ticks > bid:
                bid, bid_lots = order.ticks, order.leaves
        elif ask == 0 or order.ticks < ask:
            ask, ask_lots = order.ticks, order.leaves
    return QuoteSample(
        now_ns,
        index,
        mark,
        position.lots,
        position.pnl_atoms(mark),
        bid,
        ask,
        bid_lots,
        ask_lots,
    )
