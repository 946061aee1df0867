"""A live bot on virtual time: the engine of the product, and everything around it by hand."""

import asyncio
from collections.abc import Awaitable, Callable

from mmbot.domain.events import BookUpdate
from mmbot.ports import Emit
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.params import RuntimeParams
from mmbot.runtime.supervision import ExitReport
from mmbot.runtime.works import Works
from tests.fakes.trading import Diary, Listener, RestingVenue, ScriptedFeed
from tests.simulation.loop import VirtualLoop
from tests.unit.engine.scene import START, Bench

BOOK_EVERY_S = 0.1


class Stage:
    """One market; its book changes every 100 ms as long as `books` is on."""

    def __init__(
        self,
        loop: VirtualLoop,
        *,
        close_on_exit: bool = False,
        stay_halted: bool = False,
        lots: tuple[int, ...] = (0,),
    ) -> None:
        self.loop = loop
        self.bench = Bench()
        self.books = True
        self.book_age_ms = 0.0
        self.skip_ns = 0
        self.venue = RestingVenue(self.clock, lots)
        self.feed = ScriptedFeed(self._books)
        self.diary = Diary()
        self.heart = Listener()
        self.live = MarketMakerLive(
            Works(
                engine=self.bench.engine,
                venue=self.venue,
                figures=self.venue.figures,
                feeds=[self.feed],
                book_age_ms=lambda _: self.book_age_ms,
                keeper=self.diary,
                heart=self.heart,
                clock=self.clock,
                params=RuntimeParams(),
                close_on_exit=close_on_exit,
                stay_halted=stay_halted,
            )
        )

    def clock(self) -> int:
        """Unix time; `skip_ns` of it passed without the loop."""
        return START + self.loop.now_ns + self.skip_ns

    async def quoting(self) -> None:
        """Wait until both sides rest."""
        async with asyncio.timeout(30):
            # Time is virtual: looking costs nothing.
            while len(self.venue.resting) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def ending(self) -> None:
        """Wait until the run is to end."""
        async with asyncio.timeout(30):
            await self.live.ending.wait()

    async def _books(self, emit: Emit) -> None:
        while True:
            await asyncio.sleep(BOOK_EVERY_S)
            if self.books:
                now_ns = self.clock()
                emit(BookUpdate(now_ns, now_ns, 0))


def played(
    script: Callable[[Stage], Awaitable[None]],
    *,
    close_on_exit: bool = False,
    stay_halted: bool = False,
    lots: tuple[int, ...] = (0,),
) -> tuple[Stage, ExitReport]:
    """Run the bot beside a script; the script's end stops a bot that nothing has stopped."""
    loop = VirtualLoop(1)
    stages: list[Stage] = []

    async def whole() -> ExitReport:
        stage = Stage(loop, close_on_exit=close_on_exit, stay_halted=stay_halted, lots=lots)
        stages.append(stage)
        bot = asyncio.create_task(stage.live.run())
        try:
            await script(stage)
        finally:
            stage.live.stop("the script is over")
        return await bot

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        report = runner.run(whole())
    return stages[0], report
