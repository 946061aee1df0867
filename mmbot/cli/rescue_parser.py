"""Flags of the verbs that cancel without a bot, and of the guard."""

import argparse
from collections.abc import Callable
from typing import Any

Add = Callable[[Any, str, str, tuple[str, str]], argparse.ArgumentParser]


def rescue_verbs(
    verbs: Any, add: Add, venue_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the verbs; `add` makes one, `venue_flags` adds the flags of those that go there."""
    _cancel_all(verbs, add, venue_flags)
    _guard(verbs, add, venue_flags)


def _cancel_all(
    verbs: Any, add: Add, venue_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    summary = "cancel the orders of this bot, prove that they are gone; a running bot stays paused"
    verb = add(verbs, "cancel-all", summary, ("emergency", "cancel_all"))
    venue_flags(verb)
    _rescue_flags(verb)
    verb.add_argument("--market", metavar="SYMBOL", help="of this market only, by name or number")
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--direct", action="store_true", help="at the venue, not by the running bot")
    where.add_argument("--socket", metavar="PATH", help="by the bot that listens there")
    verb.add_argument("--all", action="store_true", help="orders of anybody on the account, too")
    verb.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        metavar="S",
        help="give up after this many seconds, and those of --landing-s (default: 30)",
    )
    verb.add_argument(
        "--if-unclean",
        action="store_true",
        help="do nothing when systemd says that the service has ended with exit code 0",
    )
    verb.add_argument("--yes", action="store_true", help="ask nothing")
    verb.add_argument("--reason", default="", metavar="TEXT", help="why; a running bot shows it")


def _guard(verbs: Any, add: Add, venue_flags: Callable[[argparse.ArgumentParser], None]) -> None:
    summary = "watch a bot from a process of its own, cancel its orders when it dies or wedges"
    verb = add(verbs, "guard", summary, ("emergency", "guard"))
    venue_flags(verb)
    _rescue_flags(verb)
    verb.add_argument("--socket", metavar="PATH", help="where to listen for the bot (guard.socket)")
    verb.add_argument(
        "--silent-s", type=float, metavar="S", help="this long without a word is death (default: 3)"
    )


def _rescue_flags(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--session-file",
        metavar="FILE",
        help="session to sign with: a file, fd:N or credential:NAME (default: the one kept here); "
        "without -c nothing else is read",
    )
    verb.add_argument(
        "--instance", type=whole, metavar="N", help="of the bot, 0 to 255 (instance.id; 1)"
    )
    verb.add_argument(
        "--account", type=positive, metavar="N", help="default: the first of the wallet"
    )
    verb.add_argument(
        "--landing-s",
        type=whole,
        metavar="N",
        help="what was sent before may take effect for so long; 0: nothing is on its way "
        "(venue.action_lifetime_s; 60)",
    )


def whole(text: str) -> int:
    """Return a whole number of a flag."""
    if not text.isdecimal() or int(text) > 10**12:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at most 10^12")
    return int(text)


def positive(text: str) -> int:
    """Return a whole number above 0 of a flag."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)
