"""MarketMakerLive: the loop of everything that trades against time, real or on paper.

It brings events to the engine and batches to the venue, and sees to an end that leaves no order
behind: whatever ends a run, the orders are taken off and that is proven before anything else.
"""

import asyncio
from functools import partial

from mmbot.domain.events import AccountSnapshot, Command, Event, Operator, Timer
from mmbot.domain.status import Mode, StatusView
from mmbot.engine.view import halt_reason
from mmbot.runtime.alarm import Alarm
from mmbot.runtime.checks import Checks
from mmbot.runtime.inbox import REPLACEABLE, Inbox
from mmbot.runtime.inherited import Inheritance
from mmbot.runtime.status import Marks, Moment, Named, status_view
from mmbot.runtime.supervision import Ending, ExitReport, Work, watch_callbacks, watched
from mmbot.runtime.works import Works

# What a stop leaves to the supervisor after the orders are off: writing the last rows.
LAST_ROWS_S = 5.0
LOOK_EVERY_S = 0.05
# After a decision that time alone brought about and that changed nothing, the next news is waited
# for so much longer: the interval is over then, and what it brings is decided on at once.
QUIET_NS = 100_000_000


class MarketMakerLive:
    """Runs one bot from start to proven end. `run` once, on the loop that all of it lives on."""

    def __init__(self, works: Works) -> None:
        self.works = works
        # What else runs as long as the bot does, orders taken off included; it must not end.
        self.around: list[tuple[str, Work]] = []
        self.ending = Ending()
        self._inbox = Inbox(self._take, self._failed, works.params.inbox_count)
        self._alarm = Alarm(works.clock, self._ring)
        self._checks = Checks(works, self._inbox.emit, self._inbox.take_left_out)
        self.reactions, self.lags = self._checks.reactions, self._checks.pulse.lags
        self._inheritance = Inheritance(works.engine)
        self._account: AccountSnapshot | None = None
        self._exited = False
        self._marks = Marks(len(works.engine.desks))
        works.engine.submit_by(works.venue.submit)

    async def run(self) -> ExitReport:
        """Trade until told to stop; raises what went wrong inside, when the orders are off."""
        works, ending = self.works, self.ending
        self._checks.begin()
        # What halted an earlier run holds until a person clears it: orders off, before all else.
        self._note_halt()
        unwatch = watch_callbacks(ending)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(watched(name, work, ending), name=f"watched {name}")
                    for name, work in self._parts()
                ]
                await ending.wait()
                report = await self._leave()
                if works.stay_halted and ending.halted is not None and report.leftovers.clean:
                    await ending.stay()
                    report = report._replace(cleared=ending.cleared)
                self._alarm.stop()
                self._inbox.close()
                for task in tasks:
                    task.cancel()
        finally:
            unwatch()
        await works.heart.end(report.leftovers, anew=report.cleared)
        await works.keeper.end(report, works.clock())
        self._exited = True
        if ending.failure is not None:
            if not report.leftovers.clean:
                ending.failure.add_note(f"orders may be left: {report.leftovers}")
            raise ending.failure
        return report

    def stop(self, reason: str) -> None:
        """End the run: orders off, proof, out. Asked again it changes nothing."""
        self.ending.stop(reason)

    def interrupt(self) -> None:
        """Somebody is impatient: the exit code tells, nothing is cut short."""
        self.ending.interrupted = True
        self.ending.stop("interrupted")

    def command(
        self,
        command: Command,
        market: int | None,
        reason: str,
        slippage_ppb: int | None = None,
    ) -> None:
        """Give the engine an operator's order, see events.Operator; STOP ends the run."""
        if command is Command.STOP:
            self.stop(reason)
        else:
            self._order(command, market, reason, slippage_ppb)

    def status(self, named: Named) -> StatusView:
        """Say how the bot stands."""
        works, ending = self.works, self.ending
        mode = Mode.DRAINING if ending.begun and ending.halted is None else None
        moment = Moment(
            works.clock(),
            Mode.EXIT if self._exited else mode,
            self._account,
            works.figures(),
            self._checks.pulse.lag_p99_ms(),
            sum(feed.figures().reconnects for feed in works.feeds),
        )
        return status_view(works.engine, named, moment, works.book_age_ms, self._marks)

    def _parts(self) -> list[tuple[str, Work]]:
        works, emit = self.works, self._inbox.emit
        feeds = [
            (f"feed {number}", partial(feed.run, emit)) for number, feed in enumerate(works.feeds)
        ]
        own: list[tuple[str, Work]] = [
            ("checks", self._checks.run),
            ("keeper", works.keeper.run),
            ("heart", works.heart.run),
        ]
        return [("venue", partial(works.venue.run, emit)), *feeds, *own, *self.around]

    def _take(self, event: Event) -> None:
        """Deal with an event, and before it with what it brings to light."""
        if self._checks.stood_still():
            # What is known of the standstill comes first, and prices from before it not at all.
            if type(event) not in REPLACEABLE:
                self._inbox.emit(event)
            return
        if not self._inheritance.over:
            for restatement in self._inheritance.before(event):
                self._deal(restatement)
        self._deal(event)

    def _deal(self, event: Event) -> None:
        """Have one event dealt with; what is to be sent leaves while the engine still decides."""
        works = self.works
        engine, keeper = works.engine, works.keeper
        batches = engine.handle(event)
        if batches:
            self.reactions.add(works.clock() - event.ts_recv_ns)
        due_ns = engine.next_wakeup_ns()
        if type(event) is Timer and not batches and due_ns is not None:
            due_ns += QUIET_NS
        self._alarm.set(due_ns)
        self._checks.take(event)
        if type(event) not in REPLACEABLE:
            # Prices halt nothing.
            self._note_halt()
            if type(event) is AccountSnapshot:
                self._account = event
        for batch in batches:
            keeper.batch(batch)
        keeper.event(event)
        notices = engine.take_notices()
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

    def _order(
        self,
        command: Command,
        market: int | None,
        reason: str,
        slippage_ppb: int | None = None,
    ) -> None:
        now_ns = self.works.clock()
        self._inbox.emit(Operator(now_ns, now_ns, command, market, reason, slippage_ppb))

    async def _leave(self) -> ExitReport:
        """Take everything off, with the streams still telling what happens meanwhile."""
        works, ending = self.works, self.ending
        gives_back = works.close_on_exit and ending.halted is None and ending.failure is None
        if gives_back:
            await self._give_back()
        # Of a halt the reason has been told.
        self._order(Command.STOP, None, ending.reason if ending.halted is None else "halted")
        left = works.venue.cancel_all(works.params.stop_timeout_s - LAST_ROWS_S)
        if ending.halted is None:
            leftovers = await left
        else:
            # The disk may be slow or gone: neither waits for the other.
            latched = works.keeper.halt(ending.halted, works.clock())
            leftovers, _ = await asyncio.gather(left, latched)
        positions = works.engine.positions if gives_back else ()
        held = tuple(each.market.symbol for each in positions if each.lots)
        return ending.report(leftovers, held)

    async def _give_back(self) -> None:
        """Have all positions closed, as far as that goes before the time is over.

        Being flat is not enough: what still rests, or was met unheard, opens a position again.
        """
        works = self.works
        self._order(Command.FLATTEN, None, self.ending.reason)
        until_ns = works.clock() + round(works.params.close_timeout_s * 1e9)
        while any(desk.guards.flattening is not None for desk in works.engine.desks):
            if works.clock() >= until_ns or self.ending.failure is not None:
                return
            await asyncio.sleep(LOOK_EVERY_S)
