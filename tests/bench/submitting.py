"""The way out of the live venue: a batch of two cancels and two places until its bytes are written.

The connections are warm and the other end only listens; each batch takes one of them.
"""

import asyncio
import statistics
import time
from contextlib import suppress
from decimal import Decimal
from random import Random

import uvloop

from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.action_line import ActionLine, LineParams
from mmbot.adapters.zo.rest.answers import Catalog, Listing, Token
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import Access, Surroundings, TradedAccount, TradingParams
from mmbot.adapters.zo.trading.sending import Sending
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.order import FillMode, Side
from mmbot.execution.order_ids import OrderIds
from tests.bench.registry import bench

BATCHES = 100
ONE = Decimal(1)


@bench("submit_atomic4_written", unit="us", must=120.0, goal=60.0)
def submit_written(runs: int) -> list[float]:
    """Batch to written bytes, signed, the median of a run's batches."""
    return [uvloop.run(_median_us()) for _ in range(min(runs, 5))]


async def _median_us() -> float:
    server = await asyncio.start_server(_listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    venue = VenueParams(http_url=f"http://127.0.0.1:{port}")
    line = ActionLine(venue.http_origin, LineParams(connections=BATCHES, most=2 * BATCHES))
    keep = asyncio.get_running_loop().create_task(line.run())
    while line.opened < BATCHES:  # noqa: ASYNC110 - connections are made when they are
        await asyncio.sleep(0.01)
    async with open_http(venue) as http:
        ids = OrderIds(1, 1)
        listing = Listing(0, "BTCUSD", 1, 5, 0, 0, ONE, ONE, ONE)
        traded = TradedAccount(
            SessionSigner(Keypair.generate(), 5, 6),
            None,
            Catalog([listing], [Token(0, "USDC", 6, 10_000)]),
            (listing,),
            ids,
        )
        engine_clock = EngineClock()
        now_ns = time.monotonic_ns()
        engine_clock.observe(1_767_531_506, now_ns, now_ns)
        outside = Surroundings(time.monotonic_ns, Random(1), engine_clock)
        access = Access(http, line, venue.ws_origin)
        params = TradingParams(cancels_per_s=10 * BATCHES)
        known = Knowledge(access, traded, outside, params)
        sending = Sending(access, traded, outside, params, known)
        took = [_submit(known, sending, ids, at) for at in range(BATCHES)]
        if line.sent < BATCHES:
            raise RuntimeError(f"{line.sent} of {BATCHES} batches left")
    keep.cancel()
    with suppress(asyncio.CancelledError):
        await keep
    server.close()
    return statistics.median(took)


def _submit(known: Knowledge, sending: Sending, ids: OrderIds, at: int) -> float:
    old = []
    for place in _places(ids):
        order = known.orders.place(place)
        known.orders.identify(order, 4_342_936_607_082 + 2 * at + place.side)
        old.append(order.order_id)
    batch = Batch(0, (*(Cancel(0, order_id) for order_id in old), *_places(ids)))
    start_ns = time.perf_counter_ns()
    sending.sender.submit(batch, (0,))
    return (time.perf_counter_ns() - start_ns) / 1000


def _places(ids: OrderIds) -> list[Place]:
    return [
        Place(0, ids.next(), side, 600_000 - 10 * side, 864_177, FillMode.POST_ONLY)
        for side in (Side.BID, Side.ASK)
    ]


async def _listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    writer.close()
