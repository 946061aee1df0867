"""From the bytes of a delta to those of the first signed action, with nothing but the bot running.

A session with the embedded exchange is recorded first and then played to a new bot, see
reacting_venue. Only decisions that change every order count. Time stands still but for the interval
between two; far more is decided in a second than any venue lets through, so what is noted of it is
written to the disk in the pauses. What a bot needs that has slept before is `live_paced`.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from nacl.signing import SigningKey

from mmbot.adapters.zo.rest.http import open_http
from mmbot.runtime.turns import collect_garbage, short_turns
from tests.bench.live_notes import LEVELS, TYPESCRIPT, p99, settings
from tests.bench.reacting_rig import STEP_NS, RecordingLoop, Rig, Welcome
from tests.bench.reacting_venue import Answered, Step, Venue, pace, record
from tests.bench.registry import bench

# Every other one or so of them changes all orders.
STEPS = 4_000
PLAYS = 5
WARM_UP = 300


class Played(NamedTuple):
    """Microseconds of each decision, and of a signature by itself after it: what the machine was
    worth then.
    """

    reactions: list[float]
    signatures: list[float]


@cache
def played() -> list[Played]:
    """Play one session several times, each time to a new bot."""
    with TemporaryDirectory(prefix="mmbot-bench-") as place, _runner() as runner:
        steps = runner.run(_record(Path(place)))
    plays: list[Played] = []
    for _ in range(PLAYS):
        with TemporaryDirectory(prefix="mmbot-bench-") as place, _runner() as runner, short_turns():
            plays.append(runner.run(_play(Path(place), steps)))
    return plays


def _runner() -> asyncio.Runner:
    return asyncio.Runner(loop_factory=RecordingLoop)


async def _record(place: Path) -> list[Step]:
    venue = Venue()
    async with _running(place, venue.welcome()) as rig:
        return await record(venue, rig, STEPS)


async def _play(place: Path, steps: list[Step]) -> Played:
    """Play what was recorded; what each step took that replaced everything."""
    took: list[float] = []
    signatures: list[float] = []
    key = SigningKey(bytes(32))
    written = RecordingLoop.written
    async with _running(place, Venue().welcome()) as rig:
        for number, step in enumerate(steps):
            await pace(rig, number)
            start_ns = time.perf_counter_ns()
            rig.hear(step.delta)
            first_ns = written.first_ns
            actions = rig.answer(partial(_said, step.answered))
            for told in step.told:
                rig.hear(told)
            rig.answer(partial(_said, step.answered_again))
            rig.sending.tick(rig.now_ns)
            if first_ns is not None and actions >= LEVELS:
                took.append((first_ns - start_ns) / 1000)
                start_ns = time.perf_counter_ns()
                key.sign(step.delta)
                signatures.append((time.perf_counter_ns() - start_ns) / 1000)
    return Played(took[WARM_UP:], signatures[WARM_UP:])


def _said(answered: Answered, _bodies: list[bytes]) -> Answered:
    return answered


@asynccontextmanager
async def _running(place: Path, welcome: Welcome) -> AsyncIterator[Rig]:
    config = settings("http://127.0.0.1:1", STEP_NS // 1_000_000)
    async with open_http(config.venue) as http:
        rig = Rig(config, http, place, welcome)
        rig.live.around.append(("garbage", collect_garbage))
        running = asyncio.create_task(rig.live.run())
        await rig.begin()
        yield rig
        rig.live.stop("enough")
        await running
        # Its last cancels are nobody's.
        RecordingLoop.written.take()


@bench("live_delta_to_action_p50", unit="us", must=120.0, goal=45.0, peers=TYPESCRIPT)
def reaction_p50(_runs: int) -> list[float]:
    """Bytes of a delta -> bytes of the first signed action handed to the socket."""
    return [statistics.median(play.reactions) for play in played()]


@bench("live_delta_to_action_p99", unit="us", must=500.0, goal=150.0, peers=TYPESCRIPT)
def reaction_p99(_runs: int) -> list[float]:
    """The same, which 99 of 100 do not exceed."""
    return [p99(play.reactions) for play in played()]


@bench("live_signature_between_p50", unit="us")
def signature_p50(_runs: int) -> list[float]:
    """One signature between two of those reactions, which holds one itself."""
    return [statistics.median(play.signatures) for play in played()]
