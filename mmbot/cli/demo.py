"""The verb `demo`: the bot trades in front of you, on a local exchange, with play money."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from mmbot import __file__ as package
from mmbot.assemble.demo.stage import Plan, Stage, staged
from mmbot.cli.demo_results import Played, deliver, exit_code, results_of
from mmbot.cli.live_view import LiveView
from mmbot.cli.output import say
from mmbot.cli.record import duration
from mmbot.cli.signals import listen
from mmbot.domain.notices import Notice
from mmbot.errors import UsageError
from mmbot.runtime.supervision import ExitReport

FLOW = "illiquid"
REPLAYED = (
    "defaults.spread.min_bps=1.5",
    "defaults.spread.max_bps=4",
    "defaults.requote.price_tolerance_bps=0.5",
)
SETTINGS = Path(package).parents[1] / "examples" / "demo.yaml"
REPORTS = Path("reports")
FOREVER = "0"


def demo(args: argparse.Namespace) -> int:
    """Trade for a while; exit 0 when the exchange itself says that nothing is left."""
    seconds = None if args.duration == FOREVER else duration(args.duration)
    config = list(args.config) or [SETTINGS]
    if not args.config and not SETTINGS.exists():
        raise UsageError(f"{SETTINGS} is not there: give a configuration with -c")
    plan = Plan(
        config=config,
        overrides=[*_tighter(args), *args.set],
        exchange=_exchange_flags(args),
        seed=args.seed,
        folder=None if args.no_report else _folder(args.report),
        warn=say,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        played = runner.run(_demo(args, plan, seconds))
    deliver(played, plan.folder, as_json=args.json)
    return exit_code(played)


async def _demo(args: argparse.Namespace, plan: Plan, seconds: float | None) -> Played:
    views: list[LiveView] = []

    def notices(told: Sequence[Notice]) -> None:
        for view in views:
            view.notices(told)

    async with staged(replace(plan, notices=notices)) as stage:
        live = stage.bot.live
        listen(live)
        if not args.json:
            for line in stage.bot.lines:
                say(line)
        view = LiveView(stage.bot.status, stage.markets, quiet=args.json)
        views.append(view)
        stage.bot.keepers.listeners.append(view)
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, live.stop, "its time is over")
        report = await _performed(stage, view)
        status = stage.bot.status()
        record = stage.watch.finish(live.works.clock())
        proof = await stage.proof(record)
    return Played(report, status, proof, results_of(stage.config, plan.folder, status, record))


async def _performed(stage: Stage, view: LiveView) -> ExitReport:
    """Run the bot to its end, and all that goes on around it."""
    around = [
        asyncio.create_task(work, name=name)
        for name, work in (
            ("view", view.run()),
            ("samples", stage.sample()),
            ("other trader", stage.trader.run()),
        )
    ]
    try:
        return await stage.bot.run()
    finally:
        for task in around:
            task.cancel()
        for task in around:
            with suppress(asyncio.CancelledError):
                await task


def _exchange_flags(args: argparse.Namespace) -> list[str]:
    if args.recording is None:
        return ["--flow", args.flow or FLOW]
    if args.flow is not None:
        raise UsageError("--flow and --replay exclude each other")
    # The exchange is another process, with the same working folder.
    return ["--replay", str(args.recording), "--speed", f"{args.speed:g}"]


def _tighter(args: argparse.Namespace) -> Sequence[str]:
    """Settings for a recording, where real makers quote: as wide as the demo's nothing happens."""
    return REPLAYED if args.recording is not None and not args.config else ()


def _folder(asked: Path | None) -> Path:
    """Return where the report goes: a new folder, so that no run is mixed with another."""
    folder = asked or REPORTS / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: expected a folder that is new or empty")
    return folder
