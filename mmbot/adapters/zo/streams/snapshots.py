"""Fetch the snapshots that a stream asks for, ever slower while they do not help."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from mmbot.adapters.web.backoff import Backoff
from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.errors import RateLimited, VenueError

View = TypeVar("View")
Taken = TypeVar("Taken", contravariant=True)


class Synced(Protocol[Taken]):
    """What is kept in step with a stream by snapshots; `BookSync` and `AccountSync` are."""

    @property
    def wanted(self) -> bool:
        """Whether a snapshot is needed."""
        ...

    @property
    def epoch(self) -> int:
        """What a snapshot must be asked for in, to be of use."""
        ...

    def snapshot(self, view: Taken, epoch: int, now_ns: int) -> bool:
        """Take a snapshot; False when it does not help."""
        ...


class Snapshots(Generic[View]):
    """Fetches for one book or account; `call` says that it may want one.

    `fetch` raises VenueError, or returns None, when there is none to be had. `run` ends only by
    cancellation.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[View | None]],
        sync: Synced[View],
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._fetch = fetch
        self._sync = sync
        self._clock = clock
        self._backoff = backoff
        self._called = asyncio.Event()
        # When the last one helped, and the epoch it belongs to.
        self._helped: tuple[int, int] | None = None

    def call(self) -> None:
        """Look whether a snapshot is wanted."""
        if self._sync.wanted:
            self._called.set()

    async def run(self) -> None:
        """Fetch whenever it is wanted: as a proof at once, after breaks the slower the more."""
        while True:
            await self._called.wait()
            if self._sync.wanted:
                await self._step()
            else:
                self._called.clear()

    async def _step(self) -> None:
        clock, backoff, sync = self._clock, self._backoff, self._sync
        helped = self._helped
        if helped is not None and helped[1] != sync.epoch:
            # It has broken since: soon again, but ever slower when it does not hold.
            self._helped = None
            held_s = (clock() - helped[0]) / NS_PER_S
            await asyncio.sleep(backoff.delay_s(clock(), held_s))
            return
        backoff.begin(clock())
        epoch = sync.epoch
        refused_s = await self._attempt(epoch)
        if refused_s is None:
            if helped is not None:
                # A proof of what has held all the time.
                backoff.reset()
            self._helped = (clock(), epoch)
        else:
            await asyncio.sleep(max(refused_s, backoff.delay_s(clock(), 0.0)))

    async def _attempt(self, epoch: int) -> float | None:
        # None when the snapshot was good, else the least time to wait before the next.
        try:
            view = await self._fetch()
        except RateLimited as error:
            return error.retry_after_s or 0.0
        except VenueError:
            # What is not in step says so until a snapshot comes.
            return 0.0
        helped = view is not None and self._sync.snapshot(view, epoch, self._clock())
        return None if helped else 0.0
