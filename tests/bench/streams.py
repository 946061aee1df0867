"""Frames through everything between the socket and the engine: routing, chain, book, event."""

from decimal import Decimal
from random import Random

from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import BookView, Listing
from mmbot.adapters.zo.streams.books import BookStream
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.domain.order import Level
from tests.bench.nord import FRAMES, frames
from tests.bench.registry import bench, time_ns


class Nobody:
    """A sink that only counts."""

    updates = 0

    def book(self, event: BookUpdate | BookGap) -> None:
        self.updates += isinstance(event, BookUpdate)

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        raise AssertionError((index, frame, now_ns))


async def _no_snapshot(_listing: Listing) -> BookView:
    raise AssertionError("nothing is fetched while a bench runs")


@bench("nord_stream_delta_10", unit="us")
def nord_stream_delta_10(runs: int) -> list[float]:
    told = frames(10)
    one = Decimal(1)
    listing = Listing(0, "BTCUSD", 1, 5, 0, 0, one, one, one)
    sink, clock = Nobody(), steady_clock()

    def work() -> None:
        stream = BookStream(
            Origin("ws", "127.0.0.1", 1),
            [BookedMarket(0, listing, OrderBook())],
            sink,
            Outside(_no_snapshot, clock, Random(1)),
            StreamParams(),
        )
        sync = stream.syncs[0]
        stream.opened(clock())
        sync.snapshot(BookView(812_345, (Level(1, 1),), ()), sync.epoch, clock())
        for frame in told:
            stream.frame(frame, clock())
        assert sync.health().applied == FRAMES

    return [sample / 1000 for sample in time_ns(work, FRAMES, runs)]
