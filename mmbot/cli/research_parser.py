"""The flags of the verbs that measure strategies and markets."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from mmbot.cli.demo_parser import FLOW_TYPES

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Add = Callable[[Verbs, str, str, tuple[str, str]], argparse.ArgumentParser]
ConfigFlags = Callable[[argparse.ArgumentParser], None]

STRATEGY_NAMES = """\
A strategy is a YAML file on top of the configuration, "defaults" for the configuration itself, a
preset (seed, recommended), a contestant (avellaneda, glft, notes, zo), or a Python file with
`strategy(market, ...)`. Numbers of the last two follow the name: glft:fee_bps=1.
"""


def research_verbs(verbs: Verbs, add: Add, config_flags: ConfigFlags) -> None:
    """Add the verbs."""
    _compare(verbs, add, config_flags)
    _report(verbs, add)
    summary = "measure a recorded market and suggest settings for it"
    verb = add(verbs, "calibrate", summary, ("calibrate", "calibrate"))
    _recording_flags(verb, config_flags)
    verb.add_argument(
        "--latency-ms", type=float, metavar="MS", help="of orders (default: backtest.latency)"
    )
    verb.add_argument("--out", type=Path, metavar="FILE", help="write the suggested settings, YAML")
    summary = "measure what quotes at each depth would have earned at several latencies"
    verb = add(verbs, "shadow-report", summary, ("shadow_report", "shadow_report"))
    _recording_flags(verb, config_flags)
    verb.add_argument(
        "--latency-ms",
        action="append",
        type=float,
        metavar="MS",
        help="of orders; may be given several times (default: 50, 100, 200)",
    )


def _recording_flags(verb: argparse.ArgumentParser, config_flags: ConfigFlags) -> None:
    verb.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    config_flags(verb)
    verb.add_argument(
        "--format",
        choices=("auto", "binance", "events", "tape"),
        default="auto",
        help="what the data is (default: looked at)",
    )
    verb.add_argument("--start", metavar="TIME", help="first moment, ISO 8601 UTC")
    verb.add_argument("--end", metavar="TIME", help="last moment, ISO 8601 UTC")
    verb.add_argument("--json", metavar="FILE", help="write the figures as JSON; - is stdout")


def _compare(verbs: Verbs, add: Add, config_flags: ConfigFlags) -> None:
    summary = "run several strategies on the same markets and say which differ"
    verb = add(verbs, "compare-strategies", summary, ("compare_strategies", "compare_strategies"))
    verb.formatter_class = argparse.RawDescriptionHelpFormatter
    verb.epilog = STRATEGY_NAMES
    config_flags(verb)
    verb.add_argument(
        "--strategies",
        required=True,
        metavar="A,B,...",
        help="strategies, the first is the baseline of all differences",
    )
    verb.add_argument(
        "--data",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="recording, or a folder of one's; each is a run of its own",
    )
    verb.add_argument(
        "--format",
        choices=("auto", "binance", "events", "tape"),
        default="auto",
        help="what the data is (default: looked at)",
    )
    verb.add_argument("--start", metavar="TIME", help="first moment, ISO 8601 UTC")
    verb.add_argument("--end", metavar="TIME", help="last moment, ISO 8601 UTC")
    verb.add_argument("--type", choices=FLOW_TYPES, help="kind of synthetic market, without --data")
    verb.add_argument(
        "--seeds", default="1-5", metavar="N-M", help="its seeds: 1001-1020 or 1,2,7 (default: 1-5)"
    )
    verb.add_argument(
        "--steps", type=int, default=3600, metavar="N", help="its seconds (default: 3600)"
    )
    verb.add_argument("--jobs", type=int, metavar="N", help="processes (default: one per core)")
    verb.add_argument("--json", metavar="FILE", help="write the comparison as JSON; - is stdout")
    verb.add_argument("--report", type=Path, metavar="DIR", help="write index.html and JSON")
    verb.add_argument(
        "--fail-if",
        metavar="EXPR",
        help="exit 10 when true of the first strategy, for example 'pnl_net_bps<0'",
    )


def _report(verbs: Verbs, add: Add) -> None:
    summary = "measure the goals of the strategy study for the bot and its peers"
    verb = add(verbs, "strategy-report", summary, ("strategy_report", "strategy_report"))
    verb.add_argument(
        "--ours",
        default="recommended",
        metavar="NAME",
        help="settings of the bot: a preset or a YAML file (default: recommended)",
    )
    verb.add_argument(
        "--data",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="recording; without one its goals are not judged",
    )
    verb.add_argument(
        "--seeds", default="1001-1020", metavar="N-M", help="of every market (default: 1001-1020)"
    )
    verb.add_argument(
        "--steps", type=int, default=3600, metavar="N", help="seconds of each (default: 3600)"
    )
    verb.add_argument(
        "--paths",
        type=int,
        default=12,
        metavar="N",
        help="that turn toxic after twice as long (default: 12)",
    )
    verb.add_argument("--quick", action="store_true", help="one seed, a minute: does it run?")
    verb.add_argument("--jobs", type=int, metavar="N", help="processes (default: one per core)")
    verb.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one key"
    )
    verb.add_argument("--out", type=Path, metavar="DIR", help="write report.md, .json, index.html")
