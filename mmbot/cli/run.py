"""The verb `run`: the bot in the foreground, until told to stop."""

import argparse
import asyncio
import os
from collections.abc import Sequence

import uvloop

from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, live_bot, real_world
from mmbot.cli.live_view import LiveView
from mmbot.cli.output import say
from mmbot.cli.record import duration
from mmbot.cli.run_lines import JsonLines
from mmbot.cli.run_results import run_document, run_summary
from mmbot.cli.signals import listen, reload_on_hangup
from mmbot.cli.venue import venue_sources
from mmbot.domain.notices import Notice
from mmbot.runtime.supervision import ExitReport


def run(args: argparse.Namespace) -> int:
    """Trade, on paper or for real, or look on; the exit code says how it ended."""
    seconds = duration(args.duration)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run(args, seconds))
        while report.cleared:
            # Everything is read anew: settings, account, what other runs have left.
            report = runner.run(_run(args, seconds))
        return report.code


async def _run(args: argparse.Namespace, seconds: float | None) -> ExitReport:
    sources = venue_sources(args)
    loaded = sources.load()
    config = loaded.config
    lines = JsonLines() if args.json else None
    views: list[LiveView | JsonLines] = []

    def notices(told: Sequence[Notice]) -> None:
        for view in views:
            view.notices(told)

    options = LiveOptions(
        markets=args.market,
        record=args.record,
        accept_literal_skew=args.accept_literal_skew,
        close_on_exit=args.close_on_exit,
        stay_halted=args.stay_halted,
        warn=say if lines is None else lines.warn,
        notices=notices,
        sources=sources,
        texts=loaded.texts,
    )
    async with live_bot(config, RunMode(args.mode), real_world(os.environ), options) as bot:
        markets = tuple(desk.state.market for desk in bot.live.works.engine.desks)
        view = LiveView(bot.status, markets) if lines is None else lines.about(bot.status, markets)
        views.append(view)
        bot.keepers.listeners.append(view)
        _tell_start(bot, lines)
        listen(bot.live)
        reload_on_hangup(bot)
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, bot.live.stop, "its time is over")
        report = await _watched(bot, view)
        status = bot.status()
        if lines is None:
            for line in run_summary(report, status, markets):
                say(line)
        else:
            lines.tell("end", run_document(report, status))
    return report


def _tell_start(bot: LiveBot, lines: JsonLines | None) -> None:
    if lines is not None:
        lines.tell("start", {"lines": bot.lines, "account_id": bot.account_id})
        return
    for line in bot.lines:
        say(line)


async def _watched(bot: LiveBot, view: LiveView | JsonLines) -> ExitReport:
    """Run the bot to its end, shown meanwhile; its last status is kept in the run's folder."""
    showing = asyncio.create_task(view.run(), name="view")
    try:
        return await bot.run()
    finally:
        showing.cancel()
        await asyncio.wait((showing,))
        bot.keep_status()
