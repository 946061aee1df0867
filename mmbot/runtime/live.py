"""MarketMakerLive: the loop of everything that trades against time, real or on paper.

It brings events to the engine and batches to the venue, and sees to an end that leaves no order
behind: whatever ends a run, the orders are taken off and that is proven before anything else.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from mmbot.domain.events import AccountSnapshot, Command, Event, Operator, Timer
from mmbot.domain.status import Mode, StatusView
from mmbot.engine import Engine
from mmbot.engine.view import halt_reason
from mmbot.ports import Leftovers, Venue, VenueFigures
from mmbot.runtime.alarm import Alarm, Clock
from mmbot.runtime.ending import Ending
from mmbot.runtime.hindering import JOURNAL, TICK_S, Hindering, Pulse, Warmth
from mmbot.runtime.inbox import REPLACEABLE, Inbox
from mmbot.runtime.keeping import ExitReport, Heart, Keeper, LiveFeed
from mmbot.runtime.params import RuntimeParams
from mmbot.runtime.status import Moment, Named, status_view
from mmbot.runtime.supervision import Work, watched

# What a stop leaves to the supervisor after the orders are off: writing the last rows.
LAST_ROWS_S = 5.0
# An engine whose decision is so late does not decide any more (reliability X06).
_LATE_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What a live bot is made of, wired but not started."""

    engine: Engine
    venue: Venue
    figures: Callable[[], VenueFigures]
    feeds: Sequence[LiveFeed]
    book_age_ms: Callable[[int], float | None]
    keeper: Keeper
    clock: Clock
    heart: Heart


class MarketMakerLive:
    """Runs one bot from start to proven end. `run` once, on the loop that all of it lives on."""

    def __init__(self, works: Works, params: RuntimeParams, *, close_on_exit: bool = False) -> None:
        self.works = works
        self._account: AccountSnapshot | None = None
        self.ending = Ending()
        self._params = params
        self._close_on_exit = close_on_exit
        self._inbox = Inbox(self._take, self._failed, params.inbox_count)
        self._alarm = Alarm(works.clock, self._ring)
        symbols = [desk.state.market.symbol for desk in works.engine.desks]
        self._warmth = Warmth(symbols, self._inbox.emit, params.warmup_ms)
        self._journal = Hindering(JOURNAL, None, self._inbox.emit)
        self._pulse = Pulse(self._inbox.emit, self._revalidate, params.stall_ms, works.clock())

    async def run(self) -> ExitReport:
        """Trade until told to stop; raises what went wrong inside, when the orders are off."""
        works = self.works
        now_ns = works.clock()
        self._pulse.look(now_ns)
        self._warmth.begin(now_ns)
        # What halted an earlier run holds until a person clears it: orders off, and out.
        self._note_halt()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(watched(name, work, self.ending), name=f"watched {name}")
                for name, work in self._parts()
            ]
            await self.ending.wait()
            leftovers = await self._leave()
            self._alarm.stop()
            self._inbox.close()
            for task in tasks:
                task.cancel()
        report = self.ending.report(leftovers)
        await self.works.keeper.end(report, self.works.clock())
        if self.ending.failure is not None:
            if not leftovers.clean:
                self.ending.failure.add_note(f"orders may be left: {leftovers}")
            raise self.ending.failure
        return report

    def stop(self, reason: str) -> None:
        """End the run: orders off, proof, out. Asked again it changes nothing."""
        self.ending.stop(reason)

    def interrupt(self) -> None:
        """Somebody is impatient: the exit code tells, nothing is cut short."""
        self.ending.interrupted = True
        self.ending.stop("interrupted")

    def command(self, command: Command, market: int | None, reason: str) -> None:
        """Give the engine an operator's order; STOP ends the run."""
        if command is Command.STOP:
            self.stop(reason)
            return
        now_ns = self.works.clock()
        self._inbox.emit(Operator(now_ns, now_ns, command, market, reason))

    def status(self, named: Named) -> StatusView:
        """Say how the bot stands."""
        works = self.works
        mode = Mode.DRAINING if self.ending.begun and self.ending.halted is None else None
        moment = Moment(
            works.clock(),
            mode,
            self._account,
            works.figures(),
            self._pulse.lag_p99_ms(),
            sum(feed.reconnects() for feed in works.feeds),
        )
        return status_view(works.engine, named, moment, works.book_age_ms)

    def _parts(self) -> list[tuple[str, Work]]:
        works, emit = self.works, self._inbox.emit
        feeds = [
            (f"feed {number}", partial(feed.run, emit)) for number, feed in enumerate(works.feeds)
        ]
        own: list[tuple[str, Work]] = [("checks", self._check), ("keeper", works.keeper.run)]
        return [("venue", partial(works.venue.run, emit)), *feeds, *own]

    def _take(self, event: Event) -> None:
        """Deal with one event; what is to be sent leaves before anything else is done."""
        works = self.works
        if self._pulse.look(works.clock()):
            # What is known of the standstill comes first, and prices from before it not at all.
            if type(event) not in REPLACEABLE:
                self._inbox.emit(event)
            return
        batches = works.engine.handle(event)
        for batch in batches:
            works.venue.submit(batch)
        self._alarm.set(works.engine.next_wakeup_ns())
        self._warmth.take(event)
        if type(event) not in REPLACEABLE:
            # Prices halt nothing.
            self._note_halt()
            if type(event) is AccountSnapshot:
                self._account = event
        keeper = works.keeper
        for batch in batches:
            keeper.batch(batch)
        keeper.event(event)
        notices = works.engine.take_notices()
        if notices:
            keeper.notices(notices)

    def _note_halt(self) -> None:
        reason = halt_reason(self.works.engine)
        if reason is not None:
            self.ending.halt(reason)

    def _failed(self, error: Exception) -> None:
        self.ending.fail(error, "engine")

    def _ring(self, now_ns: int) -> None:
        self._inbox.emit(Timer(now_ns, now_ns))

    def _revalidate(self, reason: str, now_ns: int) -> None:
        for feed in self.works.feeds:
            feed.revalidate(reason, now_ns)

    async def _check(self) -> None:
        works = self.works
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = works.clock()
            left_out = self._inbox.take_left_out()
            if left_out:
                self._pulse.stalled(f"{left_out} prices came too fast to be looked at", now_ns)
            self._pulse.beat(now_ns)
            self._warmth.beat(now_ns)
            self._journal.set(works.keeper.trouble(), now_ns)
            due_ns = works.engine.next_wakeup_ns()
            works.heart.beat(now_ns, deciding=due_ns is None or now_ns - due_ns < _LATE_NS)

    async def _leave(self) -> Leftovers:
        """Take everything off, with the streams still telling what happens meanwhile."""
        if self._close_on_exit and self.ending.halted is None and self.ending.failure is None:
            await self._close()
        works = self.works
        now_ns = works.clock()
        self._inbox.emit(Operator(now_ns, now_ns, Command.STOP, None, self.ending.reason))
        left = works.venue.cancel_all(self._params.stop_timeout_s - LAST_ROWS_S)
        if self.ending.halted is None:
            return await left
        # The disk may be slow or gone: neither waits for the other.
        latched = works.keeper.halt(self.ending.halted, now_ns)
        leftovers, _ = await asyncio.gather(left, latched)
        return leftovers

    async def _close(self) -> None:
        now_ns = self.works.clock()
        self._inbox.emit(Operator(now_ns, now_ns, Command.FLATTEN, None, self.ending.reason))
        until_ns = now_ns + round(self._params.close_timeout_s * 1e9)
        while self.works.clock() < until_ns and self._inbox.failure is None:
            if not any(position.lots for position in self.works.engine.positions):
                return
            await asyncio.sleep(TICK_S)
