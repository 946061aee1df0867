"""The streams against the product's own exchange and its faults: in the end both know the same."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import uvloop

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.adapters.zo.market_terms import BookedMarket, Outside, StreamParams
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.streams.book_sight import BookParams
from mmbot.adapters.zo.streams.books import BookStream, book_streams
from mmbot.adapters.zo.streams.frames import TradesFrame
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from tests.fakes.exchange import LocalExchange, local_exchange

FAST = BackoffParams(first_s=0.01, most_s=0.1, attempts=10**9)
PARAMS = StreamParams(
    connection=ConnectionParams(backoff=FAST),
    fetch=FAST,
    # What only a comparison can tell is found soon.
    book=BookParams(verify_ms=400, silent_ms=400),
    with_trades=True,
)


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    with local_exchange() as running:
        yield running


class Watcher:
    """A sink that counts, and sees that no trade is impossible."""

    def __init__(self) -> None:
        self.gaps: list[str] = []
        self.updates = 0
        self.prints = 0

    def book(self, event: BookUpdate | BookGap) -> None:
        if isinstance(event, BookGap):
            self.gaps.append(event.reason)
        else:
            self.updates += 1

    def trades(self, index: int, frame: TradesFrame, now_ns: int) -> None:
        assert now_ns > 0
        assert index == frame.market_id
        self.prints += len(frame.trades)


async def equal(http: ZoHttp, stream: BookStream, within_s: float = 10.0) -> None:
    """Wait until every book equals REST at the same update."""
    async with asyncio.timeout(within_s):
        for market, sync in zip(stream.markets, stream.syncs, strict=True):
            while True:
                view = await http.orderbook(market.listing)
                ours = (market.book.levels(1, 999, False), market.book.levels(-1, 999, False))
                theirs = (list(view.bids), list(view.asks))
                if sync.reached == view.update_id and ours == theirs:
                    break
                await asyncio.sleep(0.005)


def play(exchange: LocalExchange, *faults: dict[str, Any]) -> Watcher:
    async def run() -> Watcher:
        params = VenueParams(http_url=exchange.url)
        watcher = Watcher()
        async with open_http(params) as http:
            catalog = await http.info()
            markets = [
                BookedMarket(each.market_id, each, OrderBook())
                for each in catalog.listings.values()
            ]
            outside = Outside(http.orderbook, steady_clock(), Random(1))
            (stream,) = book_streams(params.ws_origin, markets, watcher, outside, PARAMS)
            task = asyncio.create_task(stream.run())
            await equal(http, stream)
            await asyncio.to_thread(exchange.faults, *faults)
            await asyncio.sleep(0.8)
            await asyncio.to_thread(exchange.faults)
            await equal(http, stream)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return watcher

    exchange.faults()
    return uvloop.run(run())


def test_all_markets_are_followed(exchange: LocalExchange) -> None:
    watcher = play(exchange)
    assert watcher.updates > 10
    # The end of the stream is the only gap.
    assert watcher.gaps == ["cancelled"] * 3


@pytest.mark.parametrize(
    "fault",
    [
        {"knob": "md.drop", "p": 0.2},
        {"knob": "md.dup", "p": 0.5},
        {"knob": "md.reorder", "p": 0.2},
        {"knob": "md.delay", "p": 0.2, "ms": 100},
        {"knob": "md.silence"},
        {"knob": "md.burst", "p": 0.2},
        {"knob": "md.cross", "p": 0.1},
        {"knob": "md.empty_side", "p": 0.1},
        {"knob": "md.sweep", "p": 0.1},
        {"knob": "md.spoof", "p": 0.1},
        {"knob": "md.bad_value", "p": 0.1},
        {"knob": "md.malformed", "p": 0.2},
        {"knob": "md.interleave", "p": 0.2},
        {"knob": "md.snapshot_lag"},
        {"knob": "md.snapshot_ahead"},
        {"knob": "ws.close", "next_n": 1},
        {"knob": "ws.rst", "next_n": 1},
        {"knob": "ws.half_open"},
        {"knob": "ws.refuse", "p": 0.5},
        {"knob": "ws.big_frame", "p": 0.1},
        {"knob": "ws.fragment", "p": 0.5},
    ],
    ids=lambda fault: fault["knob"],
)
def test_after_any_fault_the_books_are_the_venues(
    exchange: LocalExchange, fault: dict[str, Any]
) -> None:
    play(exchange, fault)
