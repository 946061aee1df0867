"""Flags of the verbs that talk to a running bot, and of those that look a bot over."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Add = Callable[[Any, str, str, tuple[str, str]], argparse.ArgumentParser]
_NEEDS_BOT = "exit 9 when no bot of this configuration runs"


def control_verbs(
    verbs: Any, add: Add, config_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the verbs; `add` makes one, `config_flags` adds -c and --set to it."""

    def verb(name: str, summary: str, target: str) -> argparse.ArgumentParser:
        module, _, function = target.rpartition(".")
        made = add(verbs, name, summary, (module or "control", function))
        made.epilog = _NEEDS_BOT
        config_flags(made)
        made.add_argument("--socket", metavar="PATH", help="of the bot (control.socket)")
        made.add_argument("--json", action="store_true", help="print JSON")
        return made

    _questions(verb)
    for name, summary in (
        ("pause", "stop quoting and take the orders off"),
        ("resume", "quote again"),
        ("flatten", "pause, then close the position within the slippage of the settings"),
    ):
        made = verb(name, summary, "command")
        _market_flag(made)
        _reason_flag(made)
        made.set_defaults(command=name)
    made.add_argument(
        "--max-slippage-bps",
        dest="value",
        metavar="BPS",
        help="from the best price, this time (risk.flatten_max_slippage_bps)",
    )
    _yes_flag(made)
    _settings_verbs(verb)
    made = verb("ack", "acknowledge an alert, or all of them", "command")
    made.add_argument("key", nargs="?", metavar="ALERT", help="as `status` shows it")
    made.set_defaults(command="ack")
    made = verb("reset-pnl", "count losses and the equity peak from now on", "command")
    made.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
    made.set_defaults(command="reset-pnl")
    _yes_flag(made)
    made = verb("log-level", "change the level of the log", "command")
    made.add_argument(
        "value", metavar="LEVEL", help="error, warning, info, debug or trace, or LOGGER=LEVEL"
    )
    made.set_defaults(command="log-level")
    made = verb("stop", "take the orders off and end the bot", "stop")
    _reason_flag(made)
    made.add_argument(
        "--timeout", type=_seconds, default=120.0, metavar="S", help="to wait for its end (120)"
    )
    _yes_flag(made)
    _looks(verbs, add, config_flags)


def _questions(verb: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    made = verb("status", "how the running bot stands", "status")
    made.add_argument(
        "--watch",
        nargs="?",
        const=2.0,
        type=_seconds,
        metavar="S",
        help="again every S seconds (2 without a number)",
    )
    _market_flag(made)
    made = verb("explain", "why the last quotes are what they are", "explained.explain")
    _market_flag(made)
    made.add_argument(
        "--at", metavar="TIME", help="as they were then, from the ledger: 30m ago, or ISO 8601"
    )
    made.add_argument("--ledger", type=Path, metavar="FILE", help="with --at: of this file")
    verb("health", "feeds, latencies, session; exit 10 when something is wrong", "health")


def _settings_verbs(verb: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    made = verb("reload", "read the configuration again, apply what may change", "command")
    made.add_argument("--dry-run", action="store_true", help="only show the difference")
    made.set_defaults(command="reload")
    made = verb("set", "override a setting for a while, or for good", "persist.set_setting")
    made.add_argument("key", metavar="KEY", help="spread.min_bps is that of every market")
    made.add_argument("value", metavar="VALUE")
    made.add_argument("--for", dest="duration", metavar="TIME", help="90s, 30m, 2h (default: 60m)")
    made.add_argument("--dry-run", action="store_true", help="only show the difference")
    made.add_argument(
        "--persist", action="store_true", help="for good: write it into the last -c file, reload"
    )
    made.set_defaults(command="set")
    made = verb("unset", "end an override", "command")
    made.add_argument("key", metavar="KEY")
    made.set_defaults(command="unset")


def _looks(verbs: Any, add: Add, config_flags: Callable[[argparse.ArgumentParser], None]) -> None:
    made = add(verbs, "doctor", "look the installation over; exit 10 when something is wrong",
               ("doctor", "doctor"))  # fmt: skip
    config_flags(made)
    made.add_argument("--online", action="store_true", help="ask the venue, too")
    made.add_argument("--json", action="store_true", help="print JSON")
    made = add(verbs, "logs", "what the bot has logged", ("log_lines", "log_lines"))
    config_flags(made)
    made.add_argument("-f", "--follow", action="store_true", help="go on with what is added")
    made.add_argument("-n", dest="count", type=int, default=50, metavar="N", help="lines (50)")
    made.add_argument(
        "--level", choices=("error", "warning", "info", "debug", "trace"), default="trace",
        help="of this level or above",
    )  # fmt: skip
    made.add_argument("--grep", default="", metavar="WORD", help="lines with this word")
    made.add_argument("--mode", choices=("observe", "paper", "live"), default="live",
                      help="of the bot (default: live)")  # fmt: skip
    made.add_argument("--json", action="store_true", help="print JSON, an object a line")
    made = add(verbs, "bundle", "what happened, in one file without secrets", ("bundle", "bundle"))
    config_flags(made)
    made.add_argument("--since", default="2h", metavar="TIME", help="2h, 7d or ISO 8601 (2h)")
    made.add_argument("--out", metavar="FILE", help="default: mmbot-INSTANCE-TIME.tar.gz")
    made.add_argument("--json", action="store_true", help="print JSON")
    made = add(verbs, "version", "version, build and protocol", ("version", "version"))
    made.add_argument("--json", action="store_true", help="print JSON")


def notify_verbs(
    verbs: Any, add: Add, config_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add `notify test|whoami`."""
    notify = verbs.add_parser("notify", help="try whether people are reached, find out ids")
    jobs = notify.add_subparsers(title="jobs", required=True, metavar="JOB")
    made = add(jobs, "test", "write to chats and webhook; exit 10 when one does not take it",
               ("notify", "test"))  # fmt: skip
    config_flags(made)
    made.add_argument("--json", action="store_true", help="print JSON")
    made = add(jobs, "whoami", "print the ids of those who write to the bot", ("whoami", "whoami"))
    config_flags(made)
    made.add_argument("--for", dest="seconds", type=_seconds, default=60.0, metavar="SECONDS",
                      help="how long to listen (60)")  # fmt: skip
    made.add_argument("--json", action="store_true", help="print JSON, an object a line")


def diff_verb(jobs: Any, add: Add, config_flags: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add `config diff`."""
    summary = "what a reload would change in the running bot, or how two configurations differ"
    made = add(jobs, "diff", summary, ("config_diff", "config_diff"))
    config_flags(made)
    made.add_argument("--against", action="append", default=[], metavar="FILE",
                      help="compare with these files instead of the running bot")  # fmt: skip
    made.add_argument("--socket", metavar="PATH", help="of the bot (control.socket)")
    made.add_argument("--json", action="store_true", help="print JSON")


def _market_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--market", type=str.upper, metavar="SYMBOL", help="this one only")


def _reason_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--reason", default="", metavar="TEXT", help="why; it is shown and kept")


def _yes_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--yes", action="store_true", help="ask nothing")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
