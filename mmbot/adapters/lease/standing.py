"""Standing by for a lease: from the start of a bot to the moment when it may trade the account.

Whoever waited may begin at once: it has seen that the lease is over, and that engine time has since
passed the end of everything that was signed under it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from mmbot.adapters.lease.keeper import NS_PER_MS, Granted
from mmbot.adapters.lease.store import HALTED, LeaseStore, Seen
from mmbot.errors import ConfigError, InUse, Unavailable, VenueError


class Landing:
    """Whether what was signed before now can land no more, by seconds that the engine shows."""

    def __init__(self, read_s: Callable[[], Awaitable[int]], lifetime_s: int) -> None:
        self._read_s = read_s
        # The engine counts whole seconds, and two clocks may differ by a little.
        self._wait_s = lifetime_s + 2
        self._last_s: int | None = None

    def forget(self) -> None:
        """Something may be signed now."""
        self._last_s = None

    async def over(self) -> bool:
        """Read the engine's time; VenueError when it does not say."""
        now_s = await self._read_s()
        if self._last_s is None:
            self._last_s = now_s + self._wait_s
        return now_s > self._last_s


class Candidate(NamedTuple):
    """Who wants the lease: a name that nobody else has, the epoch of its own last run, and the
    highest it knows of.
    """

    holder: str
    own: int
    known: int

    @property
    def instance(self) -> str:
        """What both bots of a pair have in common; names begin with it."""
        return self.holder.partition(".")[0]


class Standing:
    """Takes a lease. `tell` hears how it stands, again and again while it waits."""

    def __init__(
        self,
        store: LeaseStore,
        candidate: Candidate,
        clock: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._store = store
        self._candidate = candidate
        self._clock = clock
        self._tell = tell
        self._known = candidate.known
        # By our clock, until when a lease was seen to hold.
        self._held_ns = 0

    async def take(self) -> Granted:
        """Take it at once; InUse when it cannot be had."""
        asked_ns = self._clock()
        candidate = self._candidate
        seen = await self._store.take(candidate.holder, candidate.known, candidate.own)
        if seen.holder != self._candidate.holder:
            raise InUse(f"{_words(seen)}; coordination.standby waits for it")
        return Granted(seen.holder, seen.epoch, asked_ns, waited=False)

    async def wait(self, landing: Landing, every_s: float) -> Granted:
        """Take it when it has been free for long enough, however long that takes."""
        while True:
            granted = await self._step(landing)
            if granted is not None:
                return granted
            await asyncio.sleep(every_s)

    async def _step(self, landing: Landing) -> Granted | None:
        try:
            seen = await self._store.look()
            now_ns = self._clock()
            self._known = max(self._known, seen.newest, seen.epoch)
            free = seen.holder is None or self._left_by_us(seen)
            if not free:
                self._refuse_other(seen)
                self._held_ns = now_ns + seen.left_ms * NS_PER_MS
            if not free or now_ns < self._held_ns:
                landing.forget()
                self._tell(f"standing by: {_words(seen)}")
                return None
            if not await landing.over():
                self._tell("standing by: the lease is free, older actions may still land")
                return None
            asked_ns = self._clock()
            candidate = self._candidate
            seen = await self._store.take(candidate.holder, self._known, candidate.own)
        except (Unavailable, InUse, VenueError) as error:
            # Without a lease nothing is traded; it is asked for again.
            landing.forget()
            self._tell(f"standing by: {error}")
            return None
        if seen.holder != self._candidate.holder:
            return None
        return Granted(seen.holder, seen.epoch, asked_ns, waited=True)

    def _left_by_us(self, seen: Seen) -> bool:
        return seen.holder == HALTED and seen.epoch == self._candidate.own

    def _refuse_other(self, seen: Seen) -> None:
        other = (seen.holder or "").partition(".")[0]
        if seen.holder != HALTED and other != self._candidate.instance:
            raise ConfigError(
                [
                    f"instance.id: the lease is held by instance {other}, this one is "
                    f"{self._candidate.instance}: both bots of a pair need the same"
                ]
            )


def _words(seen: Seen) -> str:
    if seen.holder == HALTED:
        return f"run {seen.epoch} of this account has halted: clear that where it ran"
    if seen.holder is None:
        return "the lease has gone before its time"
    return f"lease {seen.epoch} is held by {seen.holder}, for {seen.left_ms / 1000:.1f} s more"
