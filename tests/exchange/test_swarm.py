"""Every knob at once, by seeded schedule, while traders trade: nothing breaks but what should."""

import asyncio
import random

import aiohttp
import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.faults.actions import mutated
from tests.exchange.served import LOT_PRICE, Served, Trader, receipt_of, run, served


async def _listen(venue: Served, stop: asyncio.Event) -> None:
    """Read streams of all kinds and come back after every loss."""
    paths = ("ws/deltas@BTCUSD&trades@BTCUSD&account@1", "reference/ws/btcusdt@bookTicker")
    while not stop.is_set():
        for path in paths:
            try:
                async with asyncio.timeout(0.05):
                    async with venue.http.ws_connect(f"{venue.ws}/{path}", max_msg_size=0) as one:
                        async for _ in one:
                            pass
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.001)


async def _ask(venue: Served, trader: Trader, dice: random.Random) -> None:
    """Act or look, and accept whatever comes back."""
    price = LOT_PRICE + dice.randint(-5, 5)
    side = dice.choice((pb.BID, pb.ASK))
    bodies = [trader.place(price, side=side, fill_mode=dice.randrange(4)), trader.atomic(price)]
    bodies.append(trader.cancel(dice.randint(1, 60)))
    paths = ("/info", "/schema.proto", "/trades", f"/account/{trader.account}", "/timestamp")
    try:
        async with asyncio.timeout(0.02):
            if dice.random() < 0.7:
                await trader.post(dice.choice(bodies))
            else:
                async with venue.http.get(
                    venue.url + dice.choice((*paths, "/market/0/orderbook")), allow_redirects=False
                ) as answer:
                    await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        pass


@pytest.mark.parametrize("seed", range(4))
def test_a_swarm_of_every_knob_breaks_nothing(seed: int) -> None:
    async def work() -> None:
        async with served() as venue:
            traders = [await Trader(venue, number).open() for number in (1, 2)]
            dice = random.Random(seed)
            wanted = {"seed": seed, "count": 150, "over_ms": 6000, "for_ms": 1500}
            await venue.post("/_ctl/faults", {"swarm": wanted})
            stop = asyncio.Event()
            listener = asyncio.create_task(_listen(venue, stop))
            for _ in range(60):
                for trader in traders:
                    await _ask(venue, trader, dice)
                await venue.step(100)
                assert not venue.server.broken.done(), venue.server.broken.exception()
            await venue.post("/_ctl/faults", {"clear": True})
            await venue.step(5000)
            stop.set()
            await listener
            fresh = await Trader(venue, 3).open()
            assert await fresh.posted(LOT_PRICE - 1000)

    run(work)


@pytest.mark.parametrize(
    "path",
    ["", ".", "nonsense", "action_id.0", "err.x", "atomic.results.0.cancel_order", "trade_or_place",
     "trade_or_place.fills.7.price", "²", "DESCRIPTOR", "trade_or_place.posted.0"],
)  # fmt: skip
def test_a_mutation_that_leads_nowhere_leaves_the_receipt_alone(path: str) -> None:
    receipt = pb.Receipt(action_id=5)
    receipt.trade_or_place.posted.order_id = 7
    payload = receipt.SerializeToString()
    reply = bytes([len(payload)]) + payload
    assert receipt_of(mutated(reply, path, 3)) == receipt
