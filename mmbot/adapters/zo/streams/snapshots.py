"""Fetch the snapshots that a stream asks for, ever slower while they do not help.

A proof that was given is no failure, however often proofs are asked for; a book or account that is
lost again at once is one, and so is a snapshot that did not help.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
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
    def synced(self) -> bool:
        """Whether it is in step: what is wanted then is a proof."""
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
        self._helped_ns: int | None = None

    def call(self) -> None:
        """Look whether a snapshot is wanted."""
        if self._sync.wanted:
            self._called.set()

    async def run(self) -> None:
        """Fetch whenever it is wanted; the first time and after a long calm at once."""
        while True:
            await self._called.wait()
            if self._sync.wanted:
                await self._step()
            else:
                self._called.clear()

    async def _step(self) -> None:
        clock, backoff = self._clock, self._backoff
        if self._helped_ns is not None:
            held_s = inf if self._sync.synced else (clock() - self._helped_ns) / NS_PER_S
            self._helped_ns = None
            await asyncio.sleep(backoff.delay_s(clock(), held_s))
            return
        backoff.begin(clock())
        refused_s = await self._attempt()
        if refused_s is None:
            self._helped_ns = clock()
        else:
            await asyncio.sleep(max(refused_s, backoff.delay_s(clock(), 0.0)))

    async def _attempt(self) -> float | None:
        # None when the snapshot was good, else the least time to wait before the next.
        epoch = self._sync.epoch
        try:
            view = await self._fetch()
        except RateLimited as error:
            return error.retry_after_s or 0.0
        except VenueError:
            # What is not in step says so until a snapshot comes.
            return 0.0
        helped = view is not None and self._sync.snapshot(view, epoch, self._clock())
        return None if helped else 0.0
