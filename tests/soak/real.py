"""A short soak in real time: exchange and bot as processes, whose memory and descriptors are read.

What virtual time cannot show: sockets of the system, threads, native memory. The bot is ended with
SIGTERM and has to end clean.
"""

import asyncio
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.process.trading import Child, Place, place
from tests.soak.proc import descriptors, resident_mb, threads, worked_s
from tests.soak.series import Sample

EVERY_S = 2.0
LOOKS = 10
RECONNECT_S = 30.0
STOP_S = 30.0

Say = Callable[[str], None]


def real_soak(minutes: float, say: Say) -> tuple[list[Sample], list[str]]:
    """Run one; returns the samples, and what went wrong."""
    return asyncio.run(_soak(minutes, say))


async def _soak(minutes: float, say: Say) -> tuple[list[Sample], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        async with place(Path(folder), flow="normal") as at, at.bot() as bot:
            await at.quoting(bot)
            samples = await _watched(at, bot, minutes, say)
            return samples, await _ended(at, bot)


async def _watched(at: Place, bot: Child, minutes: float, say: Say) -> list[Sample]:
    samples: list[Sample] = []
    began = reset = time.monotonic()
    before_s = worked_s(bot.process.pid)
    while (now := time.monotonic()) - began < minutes * 60 and bot.process.returncode is None:
        if now - reset > RECONNECT_S:
            reset = now
            await at.venue.faults({"knob": "ws.close", "code": 1001})
        quoting = 0
        for _ in range(LOOKS):
            await asyncio.sleep(EVERY_S / LOOKS)
            quoting += bool(await at.epochs())
        after_s = worked_s(bot.process.pid)
        sample = Sample(
            minute=round((time.monotonic() - began) / 60, 3),
            rss_mb=round(resident_mb(bot.process.pid), 2),
            fds=descriptors(bot.process.pid),
            threads=threads(bot.process.pid),
            cpu_s=round(after_s - before_s, 3),
            quoting=quoting / LOOKS,
        )
        before_s = after_s
        samples.append(sample)
        say(_line(sample))
    return samples


async def _ended(at: Place, bot: Child) -> list[str]:
    if bot.process.returncode is None:
        bot.send(signal.SIGTERM)
    ended = await bot.ended(STOP_S)
    left = await at.epochs()
    broken = [f"{len(left)} orders are left"] if left else []
    if ended.code:
        broken.append(f"exit code {ended.code} after SIGTERM: {ended.err[-2_000:]}")
    return [*broken, *map(str, await at.venue.violations())]


def _line(sample: Sample) -> str:
    return (
        f"minute {sample.minute:.2f}: RSS {sample.rss_mb:.1f} MB, {sample.fds} descriptors, "
        f"{sample.threads} threads, {sample.cpu_s:.2f} s CPU, quoting {sample.quoting:.0%}"
    )
