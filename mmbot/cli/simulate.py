"""The verb `simulate`: the bot on a synthetic market."""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns

from mmbot import assemble
from mmbot.cli.flags import NS_PER_S, overrides
from mmbot.cli.headers import Words, described, input_of, queue_words
from mmbot.cli.output import Outputs
from mmbot.cli.running import drive, name_of, run_options
from mmbot.config.loader import Loaded, load
from mmbot.research.results import Results
from mmbot.tape import TapeWriter


def simulate(args: argparse.Namespace) -> int:
    """Run the bot on a synthetic market."""
    outputs = Outputs(args)
    loaded = load(args.config, [*args.set, *overrides(args)], os.environ)
    with outputs.action_log() as log, _recording(args.record) as recorded:
        results, _ = simulated(name_of(args.config), loaded, run_options(args, log), recorded)
    return outputs.deliver([results], loaded.config.backtest.seed)


def simulated(
    name: str,
    loaded: Loaded,
    options: assemble.RunOptions,
    recorded: Callable[[bytes], None] | None,
) -> tuple[Results, bool]:
    """Results of the bot on a synthetic market, and whether Ctrl-C ended the run."""
    config = loaded.config
    params = config.simulate
    run = assemble.synthetic_run(config, recorded, options)
    start_ns = run.venue.now_ns
    length_ns = params.steps * NS_PER_S

    def share() -> float:
        return min(1.0, (run.venue.now_ns - start_ns) / length_ns)

    record, stopped = drive(run, share, None)
    source = f"synthetic {params.type}, {params.steps} s, seed {params.seed}"
    words = Words(queue_words(config.backtest), f"{params.latency_ms:g} ms orders and answers")
    read = input_of(run, config, source, source)
    return described(config, name, read, words, record), stopped


@contextmanager
def _recording(path: Path | None) -> Iterator[Callable[[bytes], None] | None]:
    if path is None:
        yield None
        return
    with TapeWriter(
        path, [assemble.SYNTHETIC_MARKET], source="mmbot simulate", created_ns=time_ns()
    ) as tape:
        yield tape.append
