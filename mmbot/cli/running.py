"""What backtest and simulate have in common: drive a wired run, with progress and Ctrl-C."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mmbot.assemble import Run, RunOptions
from mmbot.cli.output import ActionLog, say
from mmbot.cli.progress import metered
from mmbot.config.checks import remarks as doubts
from mmbot.config.schema import Config
from mmbot.domain.notices import Notice, Severity
from mmbot.research.record import RunRecord
from mmbot.research.text import iso_time
from mmbot.runtime.replay import replay


def drive(run: Run, share: Callable[[], float], max_steps: int | None) -> tuple[RunRecord, bool]:
    """Run to the end, to `max_steps` or to Ctrl-C; `share` is how much of the input is done.

    Returns the record, and whether Ctrl-C ended it.
    """
    with metered(share, lambda: run.venue.now_ns) as meter:
        replay(run.engine, run.venue, run.watch, max_steps=max_steps, keep_going=meter.keep_going)
    if meter.stopped:
        say("stopped early: the results are of what was done so far")
    return run.watch.finish(), meter.stopped


def remarks(run: Run, config: Config) -> list[str]:
    """What a person should know of a finished run: settings, input, what the engine warned of."""
    told: dict[tuple[str, int | None], list[Notice]] = {}
    for notice in run.engine.take_notices():
        if notice.severity >= Severity.WARNING:
            told.setdefault((notice.code, notice.market), []).append(notice)
    lines = [f"{doubt.key}: {doubt.text}" for doubt in doubts(config)]
    lines += run.notes()
    for (code, market), notices in told.items():
        where = "" if market is None else f"{run.engine.desks[market].state.market.symbol}: "
        first = notices[0]
        count = f", {len(notices)} times" if len(notices) > 1 else ""
        lines.append(f"{where}{code} at {iso_time(first.ts_ns)}{count}: {first.text}")
    return lines


def run_options(args: argparse.Namespace, log: ActionLog | None) -> RunOptions:
    """Options of a run by its flags."""
    observe = getattr(args, "observe", False)
    return RunOptions(log=None if log is None else log.write, observe=observe)


def name_of(paths: Sequence[Path]) -> str:
    """Name of a run: its last configuration file."""
    return paths[-1].stem if paths else "defaults"
