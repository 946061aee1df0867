"""Paper trading: the backtest's exchange behind the Venue port, fed by live streams.

Orders take as long to arrive as the settings say, answers as long to come back.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from mmbot.adapters.sim.paper_floor import Levels, PaperFloor
from mmbot.cext import matching as kernel
from mmbot.domain.actions import Batch
from mmbot.domain.events import Event, Fill, FundingPayment, ReferencePrice, VenueSnapshot
from mmbot.domain.order import Side
from mmbot.ports import Emit, Leftovers, VenueFigures

HOUR_NS = 3_600_000_000_000
ACCOUNT_EVERY_NS = 500_000_000
RECONCILE_EVERY_NS = 5_000_000_000
TICK_S = 0.05


class PaperTerms(NamedTuple):
    """Delays in nanoseconds; funding in parts per billion an hour, paid by longs.

    With `fills` off nothing ever fills: quotes rest where they would, for watching only.
    """

    entry_ns: int
    response_ns: int
    funding_ppb_per_hour: int = 0
    fills: bool = True


class _Due:
    """When what is told again and again is due next; ns."""

    def __init__(self, now_ns: int) -> None:
        self.account_ns = now_ns
        self.reconcile_ns = now_ns
        self.funding_ns = (now_ns // HOUR_NS + 1) * HOUR_NS


class PaperVenue:
    """Venue over a pretend exchange that is told of the live market; see MarketTap."""

    def __init__(self, floor: PaperFloor, terms: PaperTerms, clock: Callable[[], int]) -> None:
        self.floor = floor
        self._terms = terms
        self._clock = clock
        self._requests: deque[tuple[int, Batch]] = deque()
        self._answers: deque[Event] = deque()
        self._due = _Due(clock())
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
            while self._answers and self._answers[0].ts_recv_ns <= now_ns:
                emit(self._answers.popleft())
            self._tell_account(now_ns, emit)
            self._wake.clear()
            try:
                async with asyncio.timeout(self._wait_s()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def cancel_all(self, deadline_s: float) -> Leftovers:
        """See Venue: what is under way arrives, then every order goes."""
        self.floor.closed = True
        until_ns = self._clock() + round(deadline_s * 1e9)
        while self._requests and self._clock() < until_ns:
            await asyncio.sleep(TICK_S / 10)
            self._turn(self._clock())
        self.floor.cancel_everything(self._clock())
        self._collect()
        left = tuple(order.venue_id for order in self.floor.resting())
        return Leftovers(not self._requests, left, "requests are under way")

    def figures(self) -> VenueFigures:
        """Answers take what the settings say."""
        ack_ms = (self._terms.entry_ns + self._terms.response_ns) / 1e6
        return VenueFigures(ack_ms, ack_ms)

    def snapshot(self, market: int, now_ns: int) -> None:
        """See MarketTap."""
        self._turn(now_ns)
        if self._terms.fills:
            self.floor.market_anew(market, now_ns)
            self._collect()

    def depth(self, market: int, sides: tuple[Levels, Levels], now_ns: int) -> None:
        """See MarketTap."""
        self._turn(now_ns)
        for side, levels in zip(Side, sides, strict=True):
            self._row(market, kernel.DEPTH, side, levels, now_ns)

    def gap(self, market: int, now_ns: int) -> None:
        """See MarketTap: nothing happens to orders until the book is known again."""

    def trade(
        self, market: int, side: Side, level: tuple[int, int], times: tuple[int | None, int]
    ) -> None:
        """See MarketTap."""
        self._turn(times[1])
        self._row(market, kernel.TRADE, side, [level], times[1])

    def reference(self, event: ReferencePrice) -> None:
        """See MarketTap: an outside price moves nobody here."""

    def _row(self, market: int, kind: int, side: Side, levels: Levels, now_ns: int) -> None:
        if self._terms.fills:
            self.floor.market_row(market, kind, side, levels, now_ns)
            self._collect()

    def _wait_s(self) -> float:
        """For how long nothing can become due."""
        times = [self._requests[0][0]] if self._requests else []
        if self._answers:
            times.append(self._answers[0].ts_recv_ns)
        now_ns = self._clock()
        return max(0.0, min([TICK_S, *((at_ns - now_ns) / 1e9 for at_ns in times)]))

    def _turn(self, now_ns: int) -> None:
        """Let requests arrive whose time has come."""
        while self._requests and self._requests[0][0] <= now_ns:
            due_ns, batch = self._requests.popleft()
            self.floor.arrive(batch, due_ns)
        self._collect()

    def _collect(self) -> None:
        """Send on their way back what the exchange has said."""
        for event in self.floor.told:
            if type(event) is Fill:
                # A fill changes the figures: they come with it.
                self._due.account_ns = 0
            at_ns = event.ts_recv_ns + self._terms.response_ns
            self._answers.append(replace(event, ts_recv_ns=at_ns))
            self._wake.set()
        self.floor.told.clear()

    def _tell_account(self, now_ns: int, emit: Emit) -> None:
        """Tell figures, positions and funding when their time has come."""
        due, account = self._due, self.floor.account
        if now_ns < min(due.funding_ns, due.account_ns, due.reconcile_ns):
            return
        marks = [self.floor.mark(market) for market in range(len(account.markets))]
        if now_ns >= due.funding_ns:
            due.funding_ns += HOUR_NS
            rate_ppb = self._terms.funding_ppb_per_hour
            for market, mark in enumerate(marks):
                if rate_ppb and mark and account.positions[market].lots:
                    atoms = account.pay_funding(market, mark, rate_ppb)
                    emit(FundingPayment(now_ns, now_ns, market, atoms))
        if now_ns >= due.account_ns:
            due.account_ns = now_ns + ACCOUNT_EVERY_NS
            emit(account.snapshot(now_ns, marks))
        if now_ns >= due.reconcile_ns and not self._answers and not self._requests:
            due.reconcile_ns = now_ns + RECONCILE_EVERY_NS
            lots = tuple(position.lots for position in account.positions)
            emit(VenueSnapshot(now_ns, now_ns, self.floor.resting(), lots))
