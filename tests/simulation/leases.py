"""The store of leases in a simulation: the rules of the script, on the loop's time, with faults.

What asks is a bot and may be frozen or killed; what answers is another machine and goes on.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Protocol

from mmbot.adapters.lease.store import HALTED, Seen
from mmbot.errors import InUse, Unavailable

WAY_S = 0.001
ANSWER_S = 1.0
EPOCHS = 1 << 13


class Timed(Protocol):
    """What has the time."""

    def time(self) -> float:
        """Seconds."""
        ...


class Rules:
    """What stands in the two keys: the lease with its end, the last epoch, or garbage."""

    def __init__(self, clock: Timed, ttl_s: float) -> None:
        self.newest = 0
        self.lease: tuple[str, int, float] | None = None
        self.garbage = False
        self._clock = clock
        self._ttl_s = ttl_s

    def look(self) -> Seen:
        """See LeaseStore."""
        if self.garbage:
            raise InUse("what stands there is no lease")
        now_s = self._clock.time()
        if self.lease is not None and self.lease[2] <= now_s:
            self.lease = None
        holder, epoch, end_s = self.lease or (None, 0, now_s)
        left_s = 0.0 if end_s == float("inf") else end_s - now_s
        return Seen(holder, epoch, self.newest, round(left_s * 1000))

    def take(self, holder: str, known: int, own: int) -> Seen:
        """See LeaseStore."""
        seen = self.look()
        if seen.holder is None or (seen.holder == HALTED and seen.epoch == own):
            if max(self.newest, known) + 1 >= EPOCHS:
                raise InUse("all epochs are used up")
            self.newest = max(self.newest, known) + 1
            self.lease = (holder, self.newest, self._end_s())
        return self.look()

    def extend(self, holder: str, epoch: int) -> Seen:
        """See LeaseStore."""
        seen = self.look()
        if self.newest <= epoch and (seen.holder is None or seen[:2] == (holder, epoch)):
            self.newest = epoch
            self.lease = (holder, epoch, self._end_s())
        return self.look()

    def release(self, holder: str, epoch: int, halted: bool) -> Seen:
        """See LeaseStore."""
        if self.look()[:2] == (holder, epoch):
            self.lease = (HALTED, epoch, float("inf")) if halted else None
        return self.look()

    def _end_s(self) -> float:
        return self._clock.time() + self._ttl_s


class Leases:
    """The server. `slow_s` delays every answer, `down` swallows every request."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ttl_s: float) -> None:
        self.down = False
        self.slow_s = 0.0
        self.rules = Rules(loop, ttl_s)
        # While a failover has lost what was written: where the holder of then still writes.
        self.lost: tuple[str, Rules] | None = None
        self._loop = loop
        self._ttl_s = ttl_s

    def lose_write(self) -> None:
        """Forget everything, but for the holder, who is cut off with the server of before."""
        seen = self.rules.look()
        self.lost = (seen.holder or "", self.rules)
        self.rules = Rules(self._loop, self._ttl_s)

    def heal(self) -> None:
        """Let everybody see the server of now."""
        self.lost = None

    async def ask(self, holder: str, work: Callable[[Rules], Seen]) -> Seen:
        """Have something done; Unavailable when no answer comes in time."""
        done: asyncio.Future[Seen] = self._loop.create_future()
        if not self.down:
            self._loop.call_later(WAY_S, self._do, holder, work, done, context=Context())
        try:
            async with asyncio.timeout(ANSWER_S):
                return await done
        except TimeoutError:
            raise Unavailable("redis: no answer in time") from None

    def _do(self, holder: str, work: Callable[[Rules], Seen], done: "asyncio.Future[Seen]") -> None:
        rules = self.rules
        if self.lost is not None and self.lost[0] == holder:
            rules = self.lost[1]
        try:
            seen = work(rules)
        except InUse as error:
            self._loop.call_later(self.slow_s, _fail, done, error)
        else:
            self._loop.call_later(self.slow_s + WAY_S, _answer, done, seen)


def _answer(done: "asyncio.Future[Seen]", seen: Seen) -> None:
    if not done.done():
        done.set_result(seen)


def _fail(done: "asyncio.Future[Seen]", error: InUse) -> None:
    if not done.done():
        done.set_exception(error)


class LeaseClient:
    """See LeaseStore: the store as one bot has it."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._holder = ""

    async def look(self) -> Seen:
        """See LeaseStore."""
        return await self._leases.ask(self._holder, Rules.look)

    async def take(self, holder: str, known: int, own: int) -> Seen:
        """See LeaseStore."""
        self._holder = holder
        return await self._leases.ask(holder, lambda rules: rules.take(holder, known, own))

    async def extend(self, holder: str, epoch: int) -> Seen:
        """See LeaseStore."""
        return await self._leases.ask(holder, lambda rules: rules.extend(holder, epoch))

    async def release(self, holder: str, epoch: int, *, halted: bool) -> Seen:
        """See LeaseStore."""
        return await self._leases.ask(holder, lambda rules: rules.release(holder, epoch, halted))

    async def close(self) -> None:
        """See LeaseStore."""
