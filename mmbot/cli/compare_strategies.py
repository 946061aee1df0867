"""The verb `compare-strategies`: several strategies on the same recordings or synthetic markets."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mmbot.assemble.contest import Job, Recording, Synthetic, run_job, settings_of
from mmbot.cli.flags import window
from mmbot.cli.output import EXIT_CHECK_FAILED, STDOUT, read_condition, say, show
from mmbot.cli.spreading import spread_metered
from mmbot.errors import UsageError
from mmbot.research.contest.page import write_contest_page
from mmbot.research.contest.standing import Contest, contest_document, judge, value_keys
from mmbot.research.contest.text import contest_lines
from mmbot.research.export import write_json


def compare_strategies(args: argparse.Namespace) -> int:
    """Run every strategy on every market, compare, tell; exit 10 when --fail-if is true."""
    condition = read_condition(args.fail_if, value_keys())
    names = [name.strip() for name in args.strategies.split(",") if name.strip()]
    if not names:
        raise UsageError("--strategies: expected at least one")
    if len(set(names)) < len(names):
        raise UsageError("--strategies: expected different strategies, found one twice")
    markets = markets_of(args)
    jobs = [
        Job(
            name=name,
            strategy=name,
            market=market,
            configs=tuple(args.config),
            sets=tuple(args.set),
        )
        for name in names
        for market in markets
    ]
    # Mistakes in a name or a file show before the first run, not after an hour.
    seeds = [settings_of(job)[0].backtest.seed for job in jobs[:: len(markets)]]
    outcomes = spread_metered(run_job, jobs, args.jobs)
    if len(outcomes) < len(jobs):
        say("stopped early: there is nothing to compare")
        return EXIT_CHECK_FAILED
    contest = judge(outcomes, _words(args, markets), seeds[0])
    _deliver(args, contest)
    if condition is None or not condition.holds(contest.standings[0].values()):
        return 0
    say(f"failed: {condition.text} is true of {contest.standings[0].name}")
    return EXIT_CHECK_FAILED


def markets_of(args: argparse.Namespace) -> list[Recording | Synthetic]:
    """Return the markets that the flags name."""
    if args.data and args.type is not None:
        raise UsageError("--type is of synthetic markets: without --data")
    if not args.data:
        kind = args.type or "normal"
        return [
            Synthetic(type=kind, seed=seed, steps=args.steps) for seed in read_seeds(args.seeds)
        ]
    start_ns, end_ns = window(args)
    return [
        Recording(path=path, format=args.format, start_ns=start_ns, end_ns=end_ns)
        for path in args.data
    ]


def read_seeds(text: str) -> list[int]:
    """Read seeds such as `1001-1020` or `1,2,7-9`; UsageError when it is none of these."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"--seeds {text}: expected something like 1001-1020 or 1,2,7")
        seeds += range(int(first), int(last or first) + 1)
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"--seeds {text}: expected at least one, and each once")
    return seeds


def _words(args: argparse.Namespace, markets: Sequence[Recording | Synthetic]) -> str:
    if args.data:
        return ", ".join(market.words for market in markets)
    return f"synthetic {args.type or 'normal'}, {args.steps} s, seeds {args.seeds}"


def _deliver(args: argparse.Namespace, contest: Contest) -> None:
    content = contest_document(contest)
    if args.json == STDOUT:
        sys.stdout.write(msgspec.json.encode(content).decode() + "\n")
    else:
        show(contest_lines(contest))
        if args.json is not None:
            write_json(Path(args.json), content)
    if args.report is not None:
        args.report.mkdir(parents=True, exist_ok=True)
        write_json(args.report / "contest.json", content)
        write_contest_page(args.report / "index.html", contest)
        say(f"report: {args.report / 'index.html'}")
