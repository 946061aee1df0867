"""The verbs that talk to a running bot over its socket."""

import argparse
import sys
import time

import msgspec

from mmbot.cli.bot_line import (
    LOOK_S,
    VERSION,
    Bot,
    answers,
    client,
    read_status,
    socket_path,
    submit,
)
from mmbot.cli.output import EXIT_CHECK_FAILED, say, show, show_json
from mmbot.cli.record import duration
from mmbot.domain.control import Answer, Result, Verb
from mmbot.domain.status import Mode, StatusView
from mmbot.errors import NotRunning, UsageError
from mmbot.interfaces.answer_text import answer_lines, explain_lines
from mmbot.interfaces.control_wire import Ask, Request, Wish
from mmbot.interfaces.health_text import health_lines, troubles
from mmbot.interfaces.status_block import status_block

EXIT_INCOMPLETE = 8
GONE_EVERY_S = 0.2
_CLEAR = "\x1b[H\x1b[2J"


def status(args: argparse.Namespace) -> int:
    """Print the status block, again and again with --watch."""
    with client(args) as bot:
        while True:
            view = _of_market(read_status(bot), args.market)
            if args.json:
                show([_document("status", view)])
            else:
                clear = args.watch is not None and sys.stdout.isatty()
                show([*([_CLEAR] if clear else ()), *status_block(view)])
            if args.watch is None:
                return 0
            time.sleep(args.watch)


def explain(args: argparse.Namespace) -> int:
    """Print why the last quotes are what they are."""
    with client(args) as bot:
        told = bot.ask(Request(VERSION, Ask.EXPLAIN, market=args.market), LOOK_S).explained or ()
    if not told:
        raise UsageError(f"{args.market} is not traded by this bot")
    show([_document("explain", told)] if args.json else explain_lines(told))
    return 0


def health(args: argparse.Namespace) -> int:
    """Print how well it does; exit 10 when something is wrong."""
    with client(args) as bot:
        view = read_status(bot)
    wrong = troubles(view)
    if args.json:
        content = {"schema": "mmbot.health/1", "troubles": wrong, "status": view}
        show_json(content)
    else:
        show(health_lines(view))
    return EXIT_CHECK_FAILED if wrong else 0


def command(args: argparse.Namespace) -> int:
    """Give a command, and print what came of it."""
    with client(args) as bot:
        if not _agreed(args, bot):
            say("nothing was done")
            return 1
        return deliver(args, submit(bot, wish(args)))


def stop(args: argparse.Namespace) -> int:
    """End the bot, and wait until it has ended."""
    args.command = "stop"
    path = socket_path(args)
    code = command(args)
    if code:
        return code
    until_s = time.monotonic() + args.timeout
    while time.monotonic() < until_s:
        if not answers(path):
            say("the bot has ended")
            return 0
        time.sleep(GONE_EVERY_S)
    say(f"the bot still takes orders off after {args.timeout:g} s")
    return EXIT_INCOMPLETE


def cancelled_by_bot(args: argparse.Namespace) -> int | None:
    """Have the running bot cancel everything, so that it does not quote again; None without one.

    A bot that trades on paper knows nothing of what rests at the venue.
    """
    args.command = "cancel-all"
    try:
        with client(args) as bot:
            view = read_status(bot)
    except NotRunning:
        if args.socket is not None:
            raise
        return None
    if view.run_mode != "live" or view.mode is Mode.STANDBY:
        how = "stands by" if view.mode is Mode.STANDBY else f"is in mode {view.run_mode}"
        say(f"the bot that runs here {how}: going to the venue instead")
        return None
    return _by_bot(args)


def halt_reset_by_bot(args: argparse.Namespace) -> int | None:
    """Ask the running bot, which knows whether it is halted; None when none runs."""
    args.command = "reset-halt"
    return _by_bot(args)


def _by_bot(args: argparse.Namespace) -> int | None:
    try:
        with client(args) as bot:
            return deliver(args, submit(bot, wish(args)))
    except NotRunning:
        # Which bot was named; what else is there may be another's.
        if args.socket is not None:
            raise
        return None


def deliver(args: argparse.Namespace, answer: Answer) -> int:
    """Print an answer; return the exit code."""
    if args.json:
        show([_document(args.command, answer)])
    elif answer.result is Result.OK:
        show(answer_lines(answer))
    else:
        sys.stderr.write("".join(f"{line}\n" for line in _complaint(answer)))
    if answer.result is Result.OK:
        return 0
    return answer.exit_code or (1 if answer.result is Result.REFUSED else EXIT_INCOMPLETE)


def wish(args: argparse.Namespace) -> Wish:
    """Return the command of the flags."""
    return Wish(
        Verb(args.command),
        time.time_ns(),
        reason=getattr(args, "reason", "") or "",
        market=getattr(args, "market", None),
        key=getattr(args, "key", None),
        value=getattr(args, "value", None),
        for_s=duration(getattr(args, "duration", None)),
        dry_run=getattr(args, "dry_run", False),
    )


def _agreed(args: argparse.Namespace, bot: Bot) -> bool:
    """Ask back on a terminal before what costs money or ends the run."""
    if getattr(args, "yes", True) or not sys.stdin.isatty():
        return True
    sys.stderr.write("".join(f"{line}\n" for line in status_block(read_status(bot))))
    sys.stderr.write(f"{args.command} now? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _complaint(answer: Answer) -> list[str]:
    first, *rest = answer_lines(answer)
    return [f"error: {first}", *rest]


def _of_market(view: StatusView, symbol: str | None) -> StatusView:
    if symbol is None:
        return view
    found = tuple(each for each in view.markets if each.symbol == symbol)
    if not found:
        raise UsageError(f"{symbol} is not traded by this bot")
    return msgspec.structs.replace(view, markets=found)


def _document(name: str, content: object) -> str:
    return msgspec.json.encode({"schema": f"mmbot.{name}/1", name: content}).decode()
