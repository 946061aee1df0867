"""The verb `demo`: the bot trades in front of you, on a local exchange, with play money."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
import uvloop

import mmbot
from mmbot.assemble.demo.stage import RUN, Plan, Proof, Stage, staged
from mmbot.cli.headers import Input, Words, described
from mmbot.cli.live_view import LiveView
from mmbot.cli.output import say, show, write_report
from mmbot.cli.record import duration
from mmbot.cli.run import listen
from mmbot.domain.notices import Notice
from mmbot.domain.status import StatusView
from mmbot.errors import UsageError
from mmbot.research.results import Results, document
from mmbot.research.summary import summary
from mmbot.runtime.supervision import ExitReport

FLOW = "illiquid"
REPLAYED = (
    "defaults.spread.min_bps=1.5",
    "defaults.spread.max_bps=4",
    "defaults.requote.price_tolerance_bps=0.5",
)
SETTINGS = Path(mmbot.__file__).parents[1] / "examples" / "demo.yaml"
REPORTS = Path("reports")
EXIT_UNPROVEN = 8
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
    _deliver(args, played, plan.folder)
    return _code(played)


class _Played(NamedTuple):
    """How it went: the bot's own end, its last status, the exchange's proof, the results."""

    report: ExitReport
    status: StatusView
    proof: Proof
    results: Results


async def _demo(args: argparse.Namespace, plan: Plan, seconds: float | None) -> _Played:
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
    ack = "-" if status.ack_p50_ms is None else f"{status.ack_p50_ms:.1f} ms"
    words = Words("a local exchange's matching", f"answers after {ack}")
    source = "live on a local exchange"
    read = Input(source, _digest(plan.folder), (), None)
    results = described(stage.config, "demo", read, words, record)
    return _Played(report, status, proof, results)


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
        return await stage.bot.live.run()
    finally:
        for task in around:
            task.cancel()
        for task in around:
            with suppress(asyncio.CancelledError):
                await task


def _deliver(args: argparse.Namespace, played: _Played, folder: Path | None) -> None:
    page = None if folder is None else write_report(folder, played.results)
    proof, report = played.proof, played.report
    if args.json:
        content = {
            "schema": "mmbot.demo/1",
            "exit_code": _code(played),
            "reason": report.reason,
            "orders_left": proof.orders,
            "violations": proof.violations,
            "equity_gap_usd": float(proof.gap_usd),
            "status": msgspec.to_builtins(played.status),
            "results": document(played.results),
            "report": None if page is None else str(page),
        }
        show([msgspec.json.encode(content).decode()])
        return
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    show(["", *summary(played.results, colour), ""])
    audit = "; ".join(proof.violations) or "its books are sound"
    show(
        [
            f"ended: {report.reason}",
            f"the exchange says: {len(proof.orders)} orders of the bot left, its equity is "
            f"{float(proof.gap_usd):+.6f} USD off ours; {audit}",
        ]
    )
    if page is not None:
        show([f"again without the exchange: mmbot compare {page.parent / RUN}"])
        show([f"report: {page}"])


def _code(played: _Played) -> int:
    return played.report.code or (EXIT_UNPROVEN if played.proof.orders else 0)


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


def _digest(folder: Path | None) -> str:
    """Hash of what was recorded, by which runs on the same input are known."""
    if folder is None:
        return "not recorded"
    hashed = sha256()
    for path in sorted((folder / RUN).glob("*.tape")):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()
