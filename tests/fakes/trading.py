"""A venue where orders simply rest, a scripted feed, and whoever else a live bot listens to.

They behave; they count nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import AccountSnapshot, Event, Fill, OrderUpdate, VenueOrder, VenueSnapshot
from mmbot.domain.notices import Notice
from mmbot.domain.order import OrderState, Side
from mmbot.ports import Emit, FeedFigures, Leftovers, VenueFigures
from mmbot.runtime.supervision import ExitReport
from mmbot.runtime.watching import Watching

USD = 10**6
RTT_S = 0.01
ACCOUNT_S = 0.5

Script = Callable[[Emit], Awaitable[None]]


class RestingVenue:
    """Places rest and cancels take off, a round trip later; `lost` answers never come."""

    def __init__(self, clock: Callable[[], int], lots: Sequence[int] = (0,)) -> None:
        self.resting: dict[int, Place] = {}
        self.lots = list(lots)
        self.equity_usd = 1_000
        self.last_s = 0.0
        self.stuck = False
        self.break_with: Exception | None = None
        self.emit: Emit = lambda _: None
        self.refusing = False
        self._clock = clock
        self._fills = 0

    def submit(self, batch: Batch) -> None:
        for action in batch.actions:
            if type(action) is Place:
                if self.refusing:
                    continue
                self.resting[action.order_id] = action
                self._answer(action, OrderState.OPEN)
            else:
                place = self.resting.pop(action.order_id, None)
                if place is not None:
                    self._answer(place, OrderState.CANCELLED)

    async def run(self, emit: Emit) -> None:
        self.emit = emit
        while True:
            self.tell_account()
            await asyncio.sleep(ACCOUNT_S)
            if self.break_with is not None:
                raise self.break_with

    async def cancel_all(self, deadline_s: float) -> Leftovers:
        self.refusing = True
        await asyncio.sleep(min(self.last_s, deadline_s))
        if self.stuck or self.last_s > deadline_s:
            return Leftovers(False, tuple(self.resting), "no answer")
        self.resting.clear()
        return Leftovers(True)

    def figures(self) -> VenueFigures:
        return VenueFigures(RTT_S * 1000, RTT_S * 1000)

    def tell_account(self) -> None:
        """Tell what the account has."""
        now_ns, uusd = self._clock(), self.equity_usd * USD
        self.emit(AccountSnapshot(now_ns, now_ns, uusd, uusd, 0, 0, False))
        orders = tuple(
            VenueOrder(each.market, each.order_id, each.order_id, each.side, each.ticks, each.lots)
            for each in self.resting.values()
        )
        self.emit(VenueSnapshot(now_ns, now_ns, orders, tuple(self.lots)))

    def fill(self, order_id: int, late_s: float = 0.0) -> None:
        """Somebody takes an order whole; that is told `late_s` afterwards."""
        place = self.resting.pop(order_id)
        self.lots[place.market] += place.side * place.lots
        self._fills += 1
        told = partial(self._told_fill, place, order_id, self._fills)
        if late_s:
            asyncio.get_running_loop().call_later(late_s, told)
        else:
            told()

    def _told_fill(self, place: Place, order_id: int, trade_id: int) -> None:
        now_ns = self._clock()
        self.emit(
            Fill(
                now_ns,
                now_ns,
                place.market,
                order_id,
                trade_id,
                place.side,
                place.ticks,
                place.lots,
                0,
                True,
                0,
            )
        )

    def side(self, side: Side) -> list[Place]:
        """Return what rests on a side."""
        return [each for each in self.resting.values() if each.side is side]

    def _answer(self, place: Place, state: OrderState) -> None:
        asyncio.get_running_loop().call_later(RTT_S, self._told, place, state)

    def _told(self, place: Place, state: OrderState) -> None:
        now_ns = self._clock()
        leaves = place.lots if state is OrderState.OPEN else 0
        self.emit(OrderUpdate(now_ns, now_ns, place.market, place.order_id, state, leaves, None))


class ScriptedFeed:
    """Tells what a script says; `doubts` are the reasons for which it was told to begin anew."""

    def __init__(self, script: Script) -> None:
        self.doubts: list[str] = []
        self.on_doubt: Callable[[int], None] = lambda _: None
        self._script = script

    async def run(self, emit: Emit) -> None:
        await self._script(emit)

    def revalidate(self, reason: str, now_ns: int) -> None:
        self.doubts.append(reason)
        self.on_doubt(now_ns)

    def figures(self) -> FeedFigures:
        return FeedFigures("book")


class Diary:
    """Keeper that remembers; `sick` is the trouble it has, `latch_s` how long latching takes.

    `watching` hears all of it, too.
    """

    def __init__(self) -> None:
        self.watching: Watching | None = None
        self.events: list[Event] = []
        self.batches: list[Batch] = []
        self.told: list[Notice] = []
        self.sick: str | None = None
        self.latched: str | None = None
        self.ended: ExitReport | None = None
        self.latch_s = 0.0

    async def run(self) -> None:
        await asyncio.Event().wait()

    def event(self, event: Event) -> None:
        self.events.append(event)
        if self.watching is not None:
            self.watching.event(event)

    def batch(self, batch: Batch) -> None:
        self.batches.append(batch)
        if self.watching is not None:
            self.watching.batch(batch)

    def notices(self, notices: Sequence[Notice]) -> None:
        self.told += notices
        if self.watching is not None:
            self.watching.notices(notices)

    def trouble(self) -> str | None:
        return self.sick

    async def halt(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 - Keeper's
        await asyncio.sleep(self.latch_s)
        self.latched = reason

    async def end(self, report: ExitReport, now_ns: int) -> None:  # noqa: ARG002 - Keeper's
        self.ended = report


class Listener:
    """Heart whose beats are remembered by time, and whether all signs were there."""

    def __init__(self) -> None:
        self.beats: list[tuple[int, bool]] = []
        self.lacking: set[str] = set()
        self.reloads: list[bool] = []
        self.goodbye: Leftovers | None = None

    def beat(self, now_ns: int, signs: Callable[[], Mapping[str, bool]]) -> None:
        found = signs()
        self.beats.append((now_ns, all(found.values())))
        self.lacking |= {name for name, there in found.items() if not there}

    def reloading(self, *, begins: bool) -> None:
        self.reloads.append(begins)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def end(self, leftovers: Leftovers, *, anew: bool) -> None:  # noqa: ARG002
        self.goodbye = leftovers
