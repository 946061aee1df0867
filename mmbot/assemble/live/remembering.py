"""Remembering: what breaker and models must know in the next run, and when it goes to the disk."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from mmbot.assemble.live.learned import LEARNED, memories
from mmbot.engine import Engine
from mmbot.ledger.ledger import Ledger
from mmbot.risk.breaker import BreakerMemory

BREAKER = "breaker"
EVERY_S = 60.0


class Memories:
    """Kept every minute; what losses are counted from, and what an operator has said, at once.

    A run that dies within the minute would begin the day anew. `halt_lost`: the halt is not on the
    disk.
    """

    def __init__(self, ledger: Ledger, engine: Engine, clock: Callable[[], int]) -> None:
        self.halt_lost = False
        self._ledger = ledger
        self._engine = engine
        self._clock = clock
        self._lasting = _lasting(engine)
        self._soon = asyncio.Event()

    async def run(self) -> None:
        """Keep them until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._soon.wait()
            self._soon.clear()
            await self.keep()

    def note(self) -> None:
        """Something has happened that may have changed what is kept at once."""
        lasting = _lasting(self._engine)
        if lasting != self._lasting:
            self._lasting = lasting
            self._soon.set()

    async def keep(self) -> None:
        """Write everything down."""
        memory = msgspec.json.encode(self._engine.stops.breaker.memory)
        await self._ledger.keep_async(BREAKER, memory)
        await self._ledger.keep_async(LEARNED, memories(self._engine, self._clock()))

    async def halt(self, reason: str, now_ns: int) -> None:
        """Halt over restarts, until an operator clears it."""
        self.halt_lost = not await self._ledger.latch_async(reason, now_ns)


def _lasting(engine: Engine) -> BreakerMemory:
    """What the breaker remembers, but for what every figure of equity changes."""
    memory = engine.stops.breaker.memory
    return msgspec.structs.replace(memory, peak_uusd=None, last_uusd=None)


def remembered(ledger: Ledger) -> BreakerMemory:
    """What the breaker remembers of the runs before; a halt is what the latch says."""
    kept = ledger.kept(BREAKER)
    memory = BreakerMemory()
    if kept is not None:
        memory = msgspec.json.decode(kept, type=BreakerMemory)
    latch = ledger.halted()
    if latch is not None:
        return msgspec.structs.replace(memory, halted=latch.reason)
    # Whoever clears a halt begins to count anew.
    return memory if memory.halted is None else BreakerMemory(paused=memory.paused)
