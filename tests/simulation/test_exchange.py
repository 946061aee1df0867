"""The product's client and the exchange's server, unchanged, over the network of simulations."""

import asyncio
import subprocess
import sys
from hashlib import sha256

from mmbot.exchange.params import ExchangeParams
from tests.contract.desk import Desk
from tests.simulation.exchange import Venue
from tests.simulation.loop import VirtualLoop, start
from tests.simulation.process import Process


def traded(seed: int, actions: int) -> str:
    """Let a trader act at random; a hash of every action the exchange executed, with its time."""
    loop = VirtualLoop(seed)

    async def trade(venue: Venue) -> None:
        desk = Desk(venue.url, seed)
        await desk.open(lambda: venue.pace.now_ns)
        for _ in range(actions):
            await desk.trade(1)
            await asyncio.sleep(0.2)
        await desk.caught_up()
        await desk.leave()
        await desk.close()
        assert desk.told["Accepted"] > actions // 2

    async def whole() -> str:
        venue = Venue(loop, ExchangeParams(auto_fund_usd=1_000_000), seed)
        serving = start(loop, Process("exchange"), venue.serve())
        await venue.is_open.wait()
        await start(loop, Process("trader"), trade(venue))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        assert venue.exchange.violations() == []
        done = venue.exchange.state.actions
        return sha256(b"".join(b"%d" % each.time_ns + each.raw for each in done)).hexdigest()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(whole())


def test_a_trader_does_the_same_with_the_same_seed() -> None:
    assert traded(5, 120) == traded(5, 120)
    assert traded(5, 20) != traded(6, 20)


def test_neither_the_process_nor_its_hash_seed_makes_a_difference() -> None:
    code = "from tests.simulation.test_exchange import traded; print(traded(5, 40))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "77")
    }
    assert told == {f"{traded(5, 40)}\n"}
