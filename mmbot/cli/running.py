"""What backtest and simulate have in common: drive a wired run, with progress and Ctrl-C."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mmbot.assemble import Run, RunOptions
from mmbot.cli.output import ActionLog, say
from mmbot.cli.progress import metered
from mmbot.research.record import RunRecord
from mmbot.runtime.replay import replay


def drive(run: Run, share: Callable[[], float], max_steps: int | None) -> RunRecord:
    with metered(share, lambda: run.venue.now_ns) as meter:
        replay(run.engine, run.venue, run.watch, max_steps=max_steps, keep_going=meter.keep_going)
    if meter.stopped:
        say("stopped early: the results are of what was done so far")
    return run.watch.finish()


def run_options(args: argparse.Namespace, log: ActionLog | None) -> RunOptions:
    observe = getattr(args, "observe", False)
    return RunOptions(log=None if log is None else log.write, observe=observe)


def name_of(paths: Sequence[Path]) -> str:
    return paths[-1].stem if paths else "defaults"
