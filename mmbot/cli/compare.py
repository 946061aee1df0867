"""The verb `compare`: a run beside the replay of its own recording."""

import argparse
import sys
from pathlib import Path

import msgspec

from mmbot.assemble.comparing import CONFIG, Compared, RunFolder, compare_run, open_run
from mmbot.cli.headers import Input, Words, delay_words, described, queue_words
from mmbot.cli.output import EXIT_CHECK_FAILED, say, show, write_report
from mmbot.research.fill_matching import Terms
from mmbot.research.results import Json
from mmbot.research.run_comparison_text import comparison_lines

SCHEMA = "mmbot.run-comparison/1"


def compare(args: argparse.Namespace) -> int:
    """Replay, compare, tell; exit 10 when the two differ by more than is tolerated."""
    folder = open_run(args.folder)
    compared = compare_run(folder, Terms())
    found = compared.comparison
    apart_pct = 100.0 - found.same_orders.matched_volume_pct
    good = apart_pct <= args.tolerance
    if args.json:
        content: Json = {
            "schema": SCHEMA,
            "run": str(args.folder),
            "tolerance_pct": args.tolerance,
            "within_tolerance": good,
            **msgspec.to_builtins(found),
        }
        sys.stdout.write(msgspec.json.encode(content).decode() + "\n")
    else:
        show(comparison_lines(found))
    if args.report is not None:
        say(f"report: {_report(args.report, folder, compared)}")
    if good:
        return 0
    say(
        f"failed: with the same orders {apart_pct:.1f} % of the volume was traded by one alone, "
        f"{args.tolerance:g} % are tolerated"
    )
    return EXIT_CHECK_FAILED


def _report(path: Path, folder: RunFolder, compared: Compared) -> Path:
    """Write the page of the replay, with the comparison as its remarks."""
    params = folder.config.backtest
    read = Input(
        f"replay of {folder.path}",
        f"{folder.path / CONFIG}",
        [line for line in comparison_lines(compared.comparison) if line],
        None,
    )
    words = Words(queue_words(params), delay_words(params))
    return write_report(path, described(folder.config, "replay", read, words, compared.record))
