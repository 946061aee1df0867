"""The verbs that talk to a running bot over its socket."""

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec

from mmbot.cli.output import EXIT_CHECK_FAILED, say, show
from mmbot.cli.record import duration
from mmbot.config.loader import load
from mmbot.domain.control import Answer, Result, Verb
from mmbot.domain.status import StatusView
from mmbot.errors import NotRunning, UsageError
from mmbot.interfaces.answer_text import answer_lines, explain_lines
from mmbot.interfaces.control_client import ControlClient
from mmbot.interfaces.control_wire import Ask, Request, Wish
from mmbot.interfaces.health_text import health_lines, troubles
from mmbot.interfaces.status_block import status_block

VERSION = 1
EXIT_INCOMPLETE = 8
LOOK_S = 10.0
GONE_EVERY_S = 0.2
_CLEAR = "\x1b[H\x1b[2J"


def client(args: argparse.Namespace) -> ControlClient:
    """Connect to the running bot of `--socket`, or of the configuration; NotRunning."""
    return ControlClient(socket_path(args))


def socket_path(args: argparse.Namespace) -> Path:
    """Return where the bot would listen."""
    from mmbot.runtime.control_place import control_socket

    if getattr(args, "socket", None):
        return Path(args.socket)
    config = load(args.config, args.set, os.environ).config
    return control_socket(config.control, config.instance.name, os.environ)


def read_status(bot: ControlClient) -> StatusView:
    """Ask how the bot stands."""
    view = bot.ask(Request(VERSION, Ask.STATUS), LOOK_S).status
    if view is None:
        raise UsageError("the bot gave no status")
    return view


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
        show([msgspec.json.encode(content).decode()])
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
        try:
            ControlClient(path).__exit__()
        except NotRunning:
            say("the bot has ended")
            return 0
        time.sleep(GONE_EVERY_S)
    say(f"the bot still takes orders off after {args.timeout:g} s")
    return EXIT_INCOMPLETE


def config_diff(args: argparse.Namespace) -> int:
    """Print what a reload would change, or how two configurations differ."""
    from mmbot.config.live_keys import NOT_THERE, differences
    from mmbot.config.show import scalar

    if not args.against:
        args.command, args.dry_run = "reload", True
        return command(args)
    old = load(args.config, args.set, os.environ).config
    new = load([Path(path) for path in args.against], args.set, os.environ).config
    traded = sorted({*old.markets, *new.markets})
    found = differences(old, new, traded)
    rows = [
        [key, *("-" if each is NOT_THERE else scalar(each) for each in (before, after)), live]
        for key, before, after, live in found
    ]
    if args.json:
        items = [dict(zip(("key", "old", "new", "live"), row, strict=True)) for row in rows]
        content = {"schema": "mmbot.config-diff/1", "changes": items}
        show([msgspec.json.encode(content).decode()])
    else:
        show(
            [
                f"{key}: {was} -> {now}{'' if live else '  [restart]'}"
                for key, was, now, live in rows
            ]
        )
    return 0


def submit(bot: ControlClient, asked: Wish) -> Answer:
    """Have a command done."""
    answer = bot.ask(Request(VERSION, Ask.SUBMIT, wish=asked)).answer
    if answer is None:
        raise UsageError("the bot gave no answer")
    return answer


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


def _agreed(args: argparse.Namespace, bot: ControlClient) -> bool:
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
