"""From the bytes of a delta to the bytes of the first signed action: see reacting_rig.

Only decisions that change every order count. Time stands still but for the interval between two.
"""

import asyncio
import statistics
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from mmbot.adapters.zo.rest.http import open_http
from mmbot.runtime.turns import collect_garbage, short_turns
from tests.bench.live_notes import LEVELS, TYPESCRIPT, p99, settings
from tests.bench.reacting_rig import CONNECTIONS, RecordingLoop, Rig
from tests.bench.registry import bench

DECISIONS = 3_000
WARM_UP = 300
STEP_NS = 10_000_000
# For the account to stay fresh, and for the disk to keep up with so many orders.
ACCOUNT_EVERY = 50
PAUSE_S = 0.1
WAIT_S = 0.02
LOOKS = 100


@cache
def reactions() -> list[float]:
    """Microseconds of each decision."""
    with (
        TemporaryDirectory(prefix="mmbot-bench-") as place,
        asyncio.Runner(loop_factory=RecordingLoop) as runner,
        short_turns(),
    ):
        return runner.run(_react(Path(place)))


async def _react(place: Path) -> list[float]:
    config = settings("http://127.0.0.1:1", STEP_NS // 1_000_000)
    async with open_http(config.venue) as http:
        rig = Rig(config, http, place)
        rig.live.around.append(("garbage", collect_garbage))
        running = asyncio.create_task(rig.live.run())
        for _ in range(LOOKS):
            await asyncio.sleep(WAIT_S)
            if rig.line.opened > CONNECTIONS:
                break
        rig.begin()
        took: list[float] = []
        steps = 0
        while len(took) < WARM_UP + DECISIONS:
            steps += 1
            if steps > 4 * (WARM_UP + DECISIONS):
                raise RuntimeError(f"{len(took)} of {steps} deltas brought actions")
            took += await _step(rig, steps)
        rig.live.stop("enough")
        await running
    return took[WARM_UP:]


async def _step(rig: Rig, number: int) -> list[float]:
    """Move the market once; the time it took, unless less than everything was replaced."""
    rig.now_ns += STEP_NS
    if number % ACCOUNT_EVERY == 0:
        rig.account()
        await asyncio.sleep(PAUSE_S)
    frame, stream, written = rig.move(), rig.books.streams[0], RecordingLoop.written
    start_ns = time.perf_counter_ns()
    stream.frame(frame, rig.clock())
    first_ns = written.first_ns
    actions = rig.answer()
    for delta in rig.deltas():
        stream.frame(delta, rig.clock())
    rig.answer()
    rig.sending.tick(rig.now_ns)
    await asyncio.sleep(0)
    if first_ns is None or actions < LEVELS:
        return []
    return [(first_ns - start_ns) / 1000]


@bench("live_delta_to_action_p50", unit="us", must=120.0, goal=45.0, peers=TYPESCRIPT)
def reaction_p50(_runs: int) -> list[float]:
    """Bytes of a delta -> bytes of the first signed action handed to the socket."""
    return [statistics.median(reactions())]


@bench("live_delta_to_action_p99", unit="us", must=500.0, goal=150.0, peers=TYPESCRIPT)
def reaction_p99(_runs: int) -> list[float]:
    """The same, which 99 of 100 do not exceed."""
    return [p99(reactions())]
