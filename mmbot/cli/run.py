"""The verb `run`: the bot in the foreground, until told to stop."""

import argparse
import asyncio
import os
import resource
from typing import NamedTuple

import uvloop

from mmbot.assemble.live import LiveBot, RunMode, World, live_bot, real_world
from mmbot.cli.faces import Faces
from mmbot.cli.profiling import profiled
from mmbot.cli.run_logs import logs_of
from mmbot.cli.run_options import live_options, seconds_of
from mmbot.cli.signals import listen, reload_on_hangup
from mmbot.cli.venue import venue_sources
from mmbot.config.loader import ConfigSources, Loaded
from mmbot.logs.logs import Logs
from mmbot.runtime.supervision import ExitReport


def run(args: argparse.Namespace) -> int:
    """Trade, on paper or for real, or look on; the exit code says how it ended."""
    seconds = seconds_of(args)
    sources = venue_sources(args)
    loaded = sources.load()
    # What is left of a crash would hold the session's key.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with (
        logs_of(loaded.config, args.mode, os.environ) as logs,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        profiled(args.profile),
    ):
        started = _Started(args, seconds, sources, logs, real_world(os.environ))
        report = runner.run(_run(started, loaded))
        while report.cleared:
            # Everything is read anew: settings, account, what other runs have left.
            report = runner.run(_run(started, sources.load()))
        return report.code


class _Started(NamedTuple):
    """What stays the same however often the bot begins anew."""

    args: argparse.Namespace
    seconds: float | None
    sources: ConfigSources
    logs: Logs
    world: World


async def _run(started: _Started, loaded: Loaded) -> ExitReport:
    args, logs = started.args, started.logs
    faces = Faces(logs, as_json=args.json)
    options = live_options(args, started.sources, loaded, logs, faces)
    async with live_bot(loaded.config, RunMode(args.mode), started.world, options) as bot:
        faces.began(bot)
        listen(bot.live)
        reload_on_hangup(bot)
        if started.seconds is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(started.seconds, bot.live.stop, "its time is over")
        report = await _watched(bot, faces)
        faces.ended(bot, report)
    return report


async def _watched(bot: LiveBot, faces: Faces) -> ExitReport:
    """Run the bot to its end, shown meanwhile; its last status is kept in the run's folder."""
    showing = asyncio.create_task(faces.run(), name="faces")
    try:
        return await bot.run()
    finally:
        showing.cancel()
        await asyncio.wait((showing,))
        bot.keep_status()
