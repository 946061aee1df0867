"""A live bot that notes how fast it is: `... stamped_bot URL MARKETS MS SECONDS [TELEGRAM]`.

What it runs is the product; the notes are taken at the very ends, where bytes come from a socket
and where they are handed to one. MS is the interval between two decisions of a market; TELEGRAM the
address of one, or none: then the bot has much to tell.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import uvloop

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.assemble.demo.newcomer import newcomer
from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, live_bot, real_world
from mmbot.cli.output import say
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode
from tests.bench.live_notes import ACTION, Traded, action_key, delta_key, settings, symbol
from tests.fakes.bot_api import TOKEN

QUOTING_S = 60.0
SETTLE_S = 3.0
TOLD = "something"
_DELTA = b'{"delta":'


class Probe:
    """Notes bytes that came and the first ones that an action of theirs were written as."""

    def __init__(self) -> None:
        self.reactions: list[tuple[str, str, int]] = []
        self.deltas = 0
        self._came_ns = 0
        self._frame = b""

    def came(self, data: bytes) -> None:
        """A socket has given these."""
        at = data.find(_DELTA)
        self.deltas += data.count(_DELTA)
        # Several at once cannot be told apart: they are left out.
        if at >= 0 and data.find(_DELTA, at + 1) < 0:
            self._came_ns, self._frame = time.perf_counter_ns(), data[at:]

    def written(self, data: bytes, now_ns: int) -> None:
        """A socket was handed these at a moment."""
        if self._came_ns and data.startswith(ACTION):
            took_ns = now_ns - self._came_ns
            self.reactions.append((delta_key(self._frame), action_key(data), took_ns))
            self._came_ns = 0


class Written:
    """A transport that notes when what is written has been handed over."""

    def __init__(self, transport: asyncio.Transport, probe: Probe) -> None:
        self._transport = transport
        self._probe = probe

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """See asyncio.Transport."""
        self._transport.write(data)
        self._probe.written(data, time.perf_counter_ns())


class ProbedLoop(uvloop.Loop):
    """The loop of the product, with ears at its sockets."""

    probe = Probe()

    async def create_connection(
        self, protocol_factory: Callable[[], Any], *args: Any, **options: Any
    ) -> Any:
        """See the loop."""
        probe = self.probe

        def probed() -> Any:
            protocol = protocol_factory()
            made, received = protocol.connection_made, protocol.data_received

            def connection_made(transport: asyncio.Transport) -> None:
                made(Written(transport, probe))

            def data_received(data: bytes) -> None:
                probe.came(data)
                received(data)

            protocol.connection_made = connection_made
            protocol.data_received = data_received
            return protocol

        return await super().create_connection(probed, *args, **options)


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def _rss_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def _until_quoting(bot: LiveBot) -> None:
    until_s = time.monotonic() + QUOTING_S
    while not bot.status().orders:
        if time.monotonic() > until_s:
            status = bot.status()
            why = {each.reason for each in status.markets}
            raise RuntimeError(f"the bot does not quote: {status.mode} {status.reasons} {why}")
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_S)


async def _measured(bot: LiveBot, probe: Probe, seconds: float) -> Traded:
    probe.reactions.clear()
    probe.deltas = 0
    before_s, began, placed = _cpu_s(), time.perf_counter(), bot.status().placed
    await asyncio.sleep(seconds)
    took_s = time.perf_counter() - began
    status = bot.status()
    if status.mode is not Mode.QUOTING:
        raise RuntimeError(f"the bot does not quote: {status.reasons}")
    return Traded(
        probe.reactions[:],
        100 * (_cpu_s() - before_s) / took_s,
        _rss_mb(),
        status.loop_lag_p99_ms or 0.0,
        took_s,
        probe.deltas / took_s,
        status.orders,
        status.placed - placed,
    )


async def _talk(bot: LiveBot) -> None:
    """Have something to tell all the time: ten alerts a second, each another one."""
    for number in count():
        await asyncio.sleep(0.1)
        code, text = f"{TOLD}_{number % 50}", f"number {number}"
        now_ns = bot.live.works.clock()
        bot.keepers.notices([Notice(now_ns, Severity.WARNING, code, 0, text)])


async def _trade(
    probe: Probe, url: str, markets: int, interval_ms: int, seconds: float, chat: str | None
) -> Traded:
    async with open_http(VenueParams(http_url=url)) as http:
        who = await newcomer(http, url)
    with TemporaryDirectory(prefix="mmbot-bench-") as place:
        # A guard is a process of its own.
        env = {"STATE_DIRECTORY": place, "TELEGRAM_TOKEN": TOKEN}
        world = replace(real_world(env), heart=None)
        names = [symbol(at) for at in range(markets)]
        options = LiveOptions(markets=names, session=who.session, warn=say)
        config = settings(url, interval_ms, limited=markets > 1, chat=chat)
        async with live_bot(config, RunMode.LIVE, world, options) as bot:
            running = asyncio.create_task(bot.run())
            talking = asyncio.create_task(_talk(bot))
            if chat is None:
                talking.cancel()
            try:
                await _until_quoting(bot)
                return await _measured(bot, probe, seconds)
            finally:
                talking.cancel()
                bot.live.stop("enough")
                await running


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=ProbedLoop) as runner:
        told = runner.run(
            _trade(
                ProbedLoop.probe,
                sys.argv[1],
                int(sys.argv[2]),
                int(sys.argv[3]),
                float(sys.argv[4]),
                sys.argv[5] if len(sys.argv) > 5 else None,
            )
        )
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
