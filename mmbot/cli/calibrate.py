"""The verb `calibrate`: what a recorded market is like for a market maker, and what to set."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from mmbot.assemble.looking import looks
from mmbot.cli.flags import feed_options
from mmbot.cli.output import STDOUT, say, show
from mmbot.cli.progress import metered
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import UsageError
from mmbot.research.calibration import report
from mmbot.research.calibration.looks import Look, Stretch, stretch_of
from mmbot.tape import Feed, open_feeds

MS_NS = 1_000_000
# Finer costs time, coarser loses what happens between two looks.
FINEST_MS, COARSEST_MS = 10, 100
LOOKS_BETWEEN = 4096


def calibrate(args: argparse.Namespace) -> int:
    """Measure every market of a recording and suggest settings."""
    config = load(args.config, args.set, os.environ).config
    params = config.backtest
    latency_ms = params.latency.entry_ms if args.latency_ms is None else args.latency_ms
    found = [
        report.calibrated(symbol, stretch, latency_ms / 1000, params.maker_fee_bps, params.seed)
        for symbol, stretch in stretches(args, config, latency_ms)
    ]
    yaml = report.suggestion(found)
    content = {"schema": report.SCHEMA, "markets": found, "suggestion": "\n".join(yaml) + "\n"}
    if not told(args, content):
        for each in found:
            show([*report.calibration_lines(each), ""])
        show(["suggested settings", "", *yaml])
    if args.out is not None:
        args.out.write_text("\n".join(yaml) + "\n")
        say(f"settings: {args.out}")
    return 0


def told(args: argparse.Namespace, content: Mapping[str, object]) -> bool:
    """Write JSON where it was asked for; True when standard output is taken by it."""
    if args.json is None:
        return False
    encoded = msgspec.json.format(msgspec.json.encode(content), indent=1).decode() + "\n"
    if args.json == STDOUT:
        sys.stdout.write(encoded)
        return True
    Path(args.json).write_text(encoded)
    return False


def stretches(
    args: argparse.Namespace, config: Config, latency_ms: float
) -> Iterator[tuple[str, Stretch]]:
    """Look at every market of the recordings, as finely as the latency asks for."""
    if latency_ms < 0:
        raise UsageError(f"--latency-ms {latency_ms:g}: expected no less than 0")
    step_ns = round(min(COARSEST_MS, max(FINEST_MS, latency_ms))) * MS_NS
    for feed in open_feeds(args.paths, args.format, feed_options(args, config)):
        found = stretch_of(step_ns, list(_metered(feed, step_ns)))
        if len(found.looks) * step_ns < 60 * 10**9:
            raise UsageError(f"{feed.market.symbol}: expected a minute of market at least")
        for note in feed.notes():
            say(note)
        yield feed.market.symbol, found


def _metered(feed: Feed, step_ns: int) -> Iterator[Look]:
    with metered(feed.progress, None) as meter:
        for number, look in enumerate(looks(feed, step_ns)):
            if number % LOOKS_BETWEEN == 0 and not meter.keep_going():
                say("stopped early: the figures are of what was read so far")
                return
            yield look
