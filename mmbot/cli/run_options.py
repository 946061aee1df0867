"""What of a run comes from its flags and from this process, and not from the settings."""

import argparse

from mmbot.assemble.live import LiveOptions
from mmbot.cli.faces import Faces
from mmbot.cli.record import duration
from mmbot.cli.version import commit
from mmbot.config.loader import ConfigSources, Loaded
from mmbot.logs.logs import Logs


def seconds_of(args: argparse.Namespace) -> float | None:
    """Return for how long to run, None for ever; UsageError."""
    return duration(args.duration)


def live_options(
    args: argparse.Namespace, sources: ConfigSources, loaded: Loaded, logs: Logs, faces: Faces
) -> LiveOptions:
    """Return the options of the verb `run`."""
    return LiveOptions(
        markets=args.market,
        record=args.record,
        accept_literal_skew=args.accept_literal_skew,
        close_on_exit=args.close_on_exit,
        stay_halted=args.stay_halted,
        warn=faces.warn,
        notices=faces.notices,
        sources=sources,
        texts=loaded.texts,
        log_level=logs.set_levels,
        followers=(lambda config: logs.follow(config.logging),),
        logged=logs.counts,
        commit=commit(),
    )
