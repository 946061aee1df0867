"""Flags of the verbs that read or look after a ledger."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Add = Callable[[Any, str, str, tuple[str, str]], argparse.ArgumentParser]
_ROWS = {
    "orders": "orders of the bot as they stand, or stood when last heard of",
    "fills": "trades of the bot",
    "positions": "what the trades amount to, by market",
    "events": "what the bot noted: intents, receipts, state changes, notices, commands",
}
_LAST_COUNT = 200


def ledger_verbs(
    verbs: Any, add: Add, config_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the verbs; `add` makes one, `config_flags` adds -c and --set to it."""

    def verb(
        where: Any, name: str, summary: str, target: tuple[str, str]
    ) -> argparse.ArgumentParser:
        made = add(where, name, summary, target)
        config_flags(made)
        made.add_argument(
            "--ledger", type=Path, metavar="FILE", help="default: that of the configured instance"
        )
        return made

    for name, summary in _ROWS.items():
        made = verb(verbs, name, summary, ("ledger_look", name))
        _window_flags(made)
        if name in ("orders", "positions"):
            made.add_argument(
                "--now", action="store_true", help="as the running bot knows it; exit 9 without one"
            )
            made.add_argument("--socket", metavar="PATH", help="of the bot, with --now")
        if name == "positions":
            made.set_defaults(since=None)
            continue
        _since_flag(made)
        made.add_argument(
            "--last", type=_positive, default=_LAST_COUNT, metavar="N", help="at most (%(default)s)"
        )
        if name == "orders":
            made.add_argument("--open", action="store_true", help="only those that are not done")
    made = verb(verbs, "pnl", "profit of the bot", ("ledger_money", "pnl"))
    _window_flags(made)
    _since_flag(made)
    _until_flag(made)
    made.add_argument("--by", choices=("day", "hour", "market"), default="day")
    made.add_argument("--png", type=Path, metavar="FILE", help="draw the equity of that time, too")
    made = verb(verbs, "attribution", "where the profit came from", ("ledger_money", "attribution"))
    _window_flags(made)
    _since_flag(made)
    _until_flag(made)
    made = verb(verbs, "reset-halt", "let a halted bot trade again", ("ledger_care", "reset_halt"))
    made.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
    made.add_argument("--json", action="store_true", help="print JSON")
    made.add_argument("--socket", metavar="PATH", help="of the bot (control.socket)")
    _care_verbs(verbs, verb)


def _care_verbs(verbs: Any, verb: Add) -> None:
    db = verbs.add_parser("db", help="look after the ledger")
    jobs = db.add_subparsers(title="jobs", required=True, metavar="JOB")
    made = verb(jobs, "backup", "write a copy; a bot may run", ("ledger_care", "backup_db"))
    where = made.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", type=Path, metavar="FILE", help="must not be there")
    where.add_argument("--into", type=Path, metavar="DIR", help="a file named by ledger and time")
    made.add_argument(
        "--keep", type=_positive, metavar="N", help="with --into: remove all but the newest N"
    )
    made = verb(jobs, "verify", "is it sound; exit 10 when it is not", ("ledger_care", "verify_db"))
    made.add_argument("--json", action="store_true", help="print JSON")
    verb(jobs, "vacuum", "give back unused room; no bot may run", ("ledger_care", "vacuum_db"))
    made = verb(jobs, "export", "write every table as CSV", ("ledger_care", "export_db"))
    made.add_argument("--to", type=Path, required=True, metavar="DIR")


def _window_flags(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--market", action="append", default=[], metavar="SYMBOL")
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV")


def _since_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--since", metavar="TIME", help="24h, 7d or a time in ISO 8601")


def _until_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--until", metavar="TIME", help="default: now")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)
