"""Are the books built from the streams the books that REST shows? For the verb test-live."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import SystemRandom
from typing import NamedTuple

from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.zo.market_terms import BookedMarket, FetchBook, Outside, StreamParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import BookView, Listing
from mmbot.adapters.zo.streams.book_sync import BookSync
from mmbot.adapters.zo.streams.books import BookStream, book_streams
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.domain.order import Side

COMPARED_COUNT = 50
SYNC_S = 15.0
# The stream may be behind REST by its own delay.
CATCH_UP_S = 1.0
SPEAK_S = 3.0
MEANT_COUNT = 3
ATTEMPTS_COUNT = 2
_KEPT_COUNT = 2_000
_TICK_S = 0.01

Levels = list[tuple[int, int]]


class BookVerdict(NamedTuple):
    """What a comparison found: `trouble` is empty when the books were equal at `update_id`.

    `updates_count` is how many updates of the stream the book had taken in since its snapshot.
    """

    symbol: str
    update_id: int
    levels_count: int
    updates_count: int
    trouble: str


async def compare_books(
    fetch: FetchBook, origin: Origin, listings: Sequence[Listing]
) -> list[BookVerdict]:
    """Build the books of some markets from their streams and compare each with REST.

    Takes at most about 20 s. Raises a VenueError when REST does not answer.
    """
    markets = [BookedMarket(n, listing, OrderBook()) for n, listing in enumerate(listings)]
    past = _Past([each.book for each in markets])
    outside = Outside(fetch, steady_clock(), SystemRandom())
    streams = book_streams(origin, markets, past, outside, StreamParams())
    past.syncs = [sync for stream in streams for sync in stream.syncs]
    running = [asyncio.create_task(stream.run(), name="compared books") for stream in streams]
    try:
        return await asyncio.gather(*(_compare(fetch, streams, past, each) for each in markets))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class _Past:
    """What the books looked like after each of their last updates."""

    def __init__(self, books: Sequence[OrderBook]) -> None:
        self.syncs: list[BookSync] = []
        self._books = books
        self._seen: list[deque[tuple[int, Levels, Levels]]] = [
            deque(maxlen=_KEPT_COUNT) for _ in books
        ]

    def book(self, event: BookUpdate | BookGap) -> None:
        """See MarketSink."""
        seen, reached = self._seen[event.market], self.syncs[event.market].reached
        if isinstance(event, BookGap) or reached is None:
            seen.clear()
            return
        book = self._books[event.market]
        bids, asks = (book.levels(side, COMPARED_COUNT, False) for side in (Side.BID, Side.ASK))
        seen.append((reached, bids, asks))

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        """See MarketSink; trades are not asked for."""

    def at(self, market: int, update_id: int) -> tuple[Levels, Levels] | None:
        """Return bids and asks as of an update, None when they are not known."""
        seen = self._seen[market]
        place = bisect_right([each[0] for each in seen], update_id)
        return (seen[place - 1][1], seen[place - 1][2]) if place else None


async def _compare(
    fetch: FetchBook, streams: Sequence[BookStream], past: _Past, market: BookedMarket
) -> BookVerdict:
    sync, symbol = past.syncs[market.index], market.listing.symbol
    if not await _comes_true(lambda: sync.synced, SYNC_S):
        reasons = {stream.connection.reason for stream in streams if sync in stream.syncs}
        why = ", ".join(sorted(reasons | {sync.health().reason}))
        return BookVerdict(symbol, 0, 0, 0, f"not in step within {SYNC_S:g} s: {why}")
    # A snapshot that equals a snapshot proves nothing of the stream; a quiet market may be quiet.
    await _comes_true(lambda: sync.health().applied >= MEANT_COUNT, SPEAK_S)
    verdict = BookVerdict(symbol, 0, 0, 0, "never compared")
    for _ in range(ATTEMPTS_COUNT):
        view = await fetch(market.listing)
        await _comes_true(partial(_has_reached, sync, view.update_id), CATCH_UP_S)
        verdict = _verdict(symbol, view, past.at(market.index, view.update_id))
        verdict = verdict._replace(updates_count=sync.health().applied)
        if not verdict.trouble:
            break
    return verdict


def _verdict(symbol: str, view: BookView, found: tuple[Levels, Levels] | None) -> BookVerdict:
    if found is None:
        trouble = "REST shows an older book than the stream"
        return BookVerdict(symbol, view.update_id, 0, 0, trouble)
    shown = [(level.ticks, level.lots) for level in view.bids[:COMPARED_COUNT]]
    shown += [(level.ticks, level.lots) for level in view.asks[:COMPARED_COUNT]]
    bids, asks = found
    # REST may show fewer levels than there are.
    built = bids[: len(view.bids)] + asks[: len(view.asks)]
    different = len(set(shown) ^ set(built))
    trouble = f"{different} levels differ from REST" if different else ""
    return BookVerdict(symbol, view.update_id, len(shown), 0, trouble)


def _has_reached(sync: BookSync, update_id: int) -> bool:
    return (sync.reached or 0) >= update_id


async def _comes_true(holds: Callable[[], bool], within_s: float) -> bool:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while not holds():
        if loop.time() > until_s:
            return False
        await asyncio.sleep(_TICK_S)
    return True
