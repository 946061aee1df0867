"""Wire the venue's market streams to the tapes they are recorded on."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import Listing
from mmbot.adapters.zo.streams.books import book_streams
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.errors import MmbotError
from mmbot.tape.recorder import MarketRecorder


class RecordedMarket(Struct, frozen=True):
    """What was recorded of one market; `problem` says why its book is not known just now."""

    symbol: str
    rows: int
    trades: int
    snapshots: int
    gaps: int
    misdated: int
    size_bytes: int
    paths: tuple[Path, ...]
    problem: str


class DiskGuard:
    """Keeps apart what the disk refuses from what the network does.

    The first refusal is kept in `failure`, and `on_failure` is called.
    """

    def __init__(self, on_failure: Callable[[], None]) -> None:
        self.failure: MmbotError | OSError | ValueError | None = None
        self._on_failure = on_failure

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Do something with the disk; what it refuses is not raised."""
        try:
            yield
        except (MmbotError, OSError, ValueError) as error:
            self.failure = self.failure or error
            self._on_failure()


class Part(Protocol):
    """What records one kind of stream."""

    async def run(self) -> None:
        """Record until cancelled; nothing is left behind."""
        ...

    def flush(self) -> None:
        """Have what is recorded on the disk."""
        ...

    def markets(self) -> list[RecordedMarket]:
        """Say what was recorded of markets so far."""
        ...


class VenueRecording:
    """Records depth and trades of markets until it is cancelled."""

    def __init__(
        self,
        origin: Origin,
        listings: Sequence[Listing],
        folder: Path,
        outside: Outside,
        guard: DiskGuard,
    ) -> None:
        markets = [
            BookedMarket(number, listing, OrderBook()) for number, listing in enumerate(listings)
        ]
        self._guard = guard
        self._recorders = [
            MarketRecorder(folder, each.listing.market(0), each.book) for each in markets
        ]
        self._trades = [0] * len(markets)
        self._snapshots = [0] * len(markets)
        self.streams = book_streams(origin, markets, self, outside, StreamParams(with_trades=True))
        self._streams = {each.index: stream for stream in self.streams for each in stream.markets}

    async def run(self) -> None:
        """Record; no row is left behind when it ends."""
        try:
            async with asyncio.TaskGroup() as group:
                for stream in self.streams:
                    group.create_task(stream.run(), name="recorded stream")
        finally:
            with self._guard.kept():
                for recorder in self._recorders:
                    recorder.close()

    def flush(self) -> None:
        """Have what is recorded on the disk."""
        with self._guard.kept():
            for recorder in self._recorders:
                recorder.flush()

    def markets(self) -> list[RecordedMarket]:
        """Say what was recorded so far."""
        health = {name: known for each in self.streams for name, known in each.health().items()}
        return [
            RecordedMarket(
                symbol=recorder.market.symbol,
                rows=recorder.rows,
                trades=trades,
                snapshots=health[recorder.market.symbol].snapshots,
                gaps=health[recorder.market.symbol].gaps,
                misdated=recorder.misdated,
                size_bytes=recorder.size_bytes,
                paths=tuple(recorder.paths),
                problem=health[recorder.market.symbol].reason,
            )
            for recorder, trades in zip(self._recorders, self._trades, strict=True)
        ]

    def book(self, event: BookUpdate | BookGap) -> None:
        """See MarketSink."""
        recorder, stream = self._recorders[event.market], self._streams[event.market]
        with self._guard.kept():
            if isinstance(event, BookGap):
                recorder.gap(event.ts_recv_ns)
                return
            sync = next(each for each in stream.syncs if each.market == event.market)
            if sync.tally.snapshots != self._snapshots[event.market]:
                self._snapshots[event.market] = sync.tally.snapshots
                recorder.snapshot(event.ts_recv_ns)
            else:
                recorder.depth(stream.deltas.bids, stream.deltas.asks, event.ts_recv_ns)

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        """See MarketSink. The side told is taken for the taker's (protocol 4.2)."""
        with self._guard.kept():
            for each in frame.trades:
                level = (each.ticks, each.lots)
                self._recorders[index].trade(each.side, level, each.time_ns, now_ns)
        self._trades[index] += len(frame.trades)
