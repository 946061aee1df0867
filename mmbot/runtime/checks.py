"""What is looked at again and again while a bot runs: the loop, new books, the disk, the heart."""

import asyncio
from collections.abc import Callable

from mmbot.domain.events import Event
from mmbot.domain.figures import REACTION_NS, Histogram
from mmbot.ports import Emit
from mmbot.runtime.hindering import JOURNAL, TICK_S, Hindering, Pulse, Warmth
from mmbot.runtime.works import Works

# An engine whose decision is so late does not decide any more (reliability X06).
LATE_NS = 2_000_000_000


class Checks:
    """Tells the engine by `emit`; `left_out` is how many events were since it was last asked."""

    def __init__(self, works: Works, emit: Emit, left_out: Callable[[], int]) -> None:
        params = works.params
        symbols = [desk.state.market.symbol for desk in works.engine.desks]
        self.pulse = Pulse(emit, self._revalidate, params.stall_ms, works.clock())
        # From what came, a book or its time, to the bytes of what was decided by it.
        self.reactions = Histogram(REACTION_NS)
        self._works = works
        self._left_out = left_out
        self._warmth = Warmth(symbols, emit, params.warmup_ms)
        self._journal = Hindering(JOURNAL, None, emit)

    def begin(self) -> None:
        """Nothing is warm yet, and no time has been lost."""
        now_ns = self._works.clock()
        self.pulse.begin(now_ns)
        self._warmth.begin(now_ns)

    def stood_still(self) -> bool:
        """Whether nothing was done for too long; that is told then, before anything else."""
        return self.pulse.look(self._works.clock())

    def take(self, event: Event) -> None:
        """See what has happened."""
        self._warmth.take(event)

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self._look(self._works.clock())

    def _look(self, now_ns: int) -> None:
        works = self._works
        left_out = self._left_out()
        if left_out:
            self.pulse.stalled(f"{left_out} prices came too fast to be looked at", now_ns)
        self.pulse.beat(now_ns)
        self._warmth.beat(now_ns)
        self._journal.set(works.keeper.trouble(), now_ns)
        due_ns = works.engine.next_wakeup_ns()
        works.heart.beat(now_ns, deciding=due_ns is None or now_ns - due_ns < LATE_NS)

    def _revalidate(self, reason: str, now_ns: int) -> None:
        for feed in self._works.feeds:
            feed.revalidate(reason, now_ns)
