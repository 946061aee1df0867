"""Fetch the snapshots one book asks for, at a pace that slows down while they do not help."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

from msgspec import Struct

from mmbot.adapters.web.backoff import Backoff, BackoffParams
from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.adapters.zo.answers import BookView, Listing
from mmbot.adapters.zo.book_sync import BookSync
from mmbot.cext.orderbook import OrderBook
from mmbot.errors import RateLimited, VenueError

FetchBook = Callable[[Listing], Awaitable[BookView]]
"""Read a whole book; VenueError when that fails. `ZoHttp.orderbook` is one."""


class BookedMarket(Struct, frozen=True):
    """A market, the engine's number for it, and the book to keep."""

    index: int
    listing: Listing
    book: OrderBook


class Outside(NamedTuple):
    """What streams need of the world."""

    fetch_book: FetchBook
    clock: Clock
    rng: Random


class Snapshots:
    """Fetches for one book; `call` says that it may want one, `run` ends only by cancellation."""

    def __init__(
        self, listing: Listing, sync: BookSync, outside: Outside, params: BackoffParams
    ) -> None:
        self._listing = listing
        self._sync = sync
        self._outside = outside
        self._backoff = Backoff(params, outside.rng)
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
        clock, backoff = self._outside.clock, self._backoff
        if self._helped_ns is not None:
            held_s = (clock() - self._helped_ns) / NS_PER_S
            self._helped_ns = None
            await asyncio.sleep(backoff.delay_s(clock(), held_s))
            return
        backoff.begin(clock())
        refused_s = await self._fetch()
        if refused_s is None:
            self._helped_ns = clock()
        else:
            await asyncio.sleep(max(refused_s, backoff.delay_s(clock(), 0.0)))

    async def _fetch(self) -> float | None:
        # None when the snapshot was good, else the least time to wait before the next.
        epoch = self._sync.epoch
        try:
            view = await self._outside.fetch_book(self._listing)
        except RateLimited as error:
            return error.retry_after_s or 0.0
        except VenueError:
            # The book stays as it is and says so.
            return 0.0
        return None if self._sync.snapshot(view, epoch, self._outside.clock()) else 0.0
