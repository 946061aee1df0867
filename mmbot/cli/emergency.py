"""The verbs `cancel-all` and `guard`. With --session-file and without -c only mmbot.rescue is used.

What a configuration would say comes from flags then, so that a broken file, a full disk or a
missing package does not keep orders alive.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

from mmbot.errors import SecretError, UsageError

MOST_INSTANCE = 255
DEFAULT_SILENT_S = 3.0


class _Known(NamedTuple):
    # What flags or the configuration say.
    source: str
    instance: int
    account_id: int | None
    landing_s: int
    silent_s: float
    socket: Path | None


def cancel_all(args: argparse.Namespace) -> int:
    """Cancel, and prove it: 0 proven, 4 key refused, 5 never reached, 8 not proven."""
    if args.if_unclean and _ended_cleanly():
        return 0
    if not (args.direct or args.if_unclean or args.all or args.session_file is not None):
        from mmbot.cli.control import cancelled_by_bot

        by_bot = cancelled_by_bot(args)
        if by_bot is not None:
            return by_bot
    known = _known(args)
    from mmbot.rescue import sweep
    from mmbot.rescue.session import read_session

    session = read_session(known.source, os.environ)
    _check_place(args, str(session.origin))
    if not (args.direct or args.yes) and not _agreed(args, str(session.origin)):
        return 1
    market = None if args.market is None else sweep.market_number(session, args.market)
    wanted = sweep.Wanted(
        instance=None if args.all else known.instance,
        market_id=market,
        landing_s=known.landing_s,
        timeout_s=args.timeout,
    )
    swept = sweep.cancel_all(session, wanted, known.account_id, sweep.Observer(_say))
    if args.json:
        _print(
            {
                "schema": "mmbot.cancel-all/1",
                "proven": swept.proven,
                "cancelled": swept.cancelled,
                "left": [each._asdict() for each in swept.left],
                "reason": swept.reason,
                "took_s": round(swept.took_s, 3),
            }
        )
    elif swept.proven:
        _print(f"no orders are left, {swept.cancelled} cancelled, in {swept.took_s:.1f} s")
    else:
        for each in swept.left:
            _print(f"left: order {each.order_id} of market {each.market_id}")
    if not swept.proven:
        sys.stderr.write(f"error: not proven that no orders are left: {swept.reason}\n")
    return swept.exit_code


def guard(args: argparse.Namespace) -> int:
    """Stand guard until SIGTERM or Ctrl-C."""
    known = _known(args, "guard")
    import threading
    from datetime import UTC, datetime

    if known.socket is None:
        raise UsageError("without -c, --socket says where to listen")
    from mmbot.rescue.guard import Guard, Post
    from mmbot.rescue.session import read_session
    from mmbot.rescue.sweep import Wanted

    session = read_session(known.source, os.environ)
    _check_place(args, str(session.origin))
    wanted = Wanted(instance=known.instance, landing_s=known.landing_s)
    post = Post(known.socket, session, wanted, known.account_id, known.silent_s)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())

    def tell(event: str, text: str) -> None:
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        if args.json:
            _print({"ts": moment, "event": event, "text": text})
        else:
            _say(f"{moment} guard: {text}")

    Guard(post, tell, over).run()
    return 0


def _known(args: argparse.Namespace, role: str = "bot") -> _Known:
    if args.instance is not None and args.instance > MOST_INSTANCE:
        raise UsageError(f"--instance {args.instance}: an instance is 0 to {MOST_INSTANCE}")
    told = getattr(args, "socket", None)
    if args.session_file is not None and not args.config and not args.set:
        return _Known(
            args.session_file,
            1 if args.instance is None else args.instance,
            args.account,
            60 if args.landing_s is None else args.landing_s,
            getattr(args, "silent_s", None) or DEFAULT_SILENT_S,
            None if told is None else Path(told),
        )
    from mmbot.cli.venue import session_path, venue_settings
    from mmbot.runtime.guard_params import guard_socket

    config = venue_settings(args)
    path = None
    if role == "guard":
        met = guard_socket(config.guard, config.instance.name, os.environ)
        path = met if told is None else Path(told)
    return _Known(
        args.session_file or str(session_path(args, config, role)),
        config.instance.id if args.instance is None else args.instance,
        config.instance.account_id if args.account is None else args.account,
        config.venue.action_lifetime_s if args.landing_s is None else args.landing_s,
        getattr(args, "silent_s", None) or config.guard.silent_s,
        path,
    )


def _check_place(args: argparse.Namespace, origin: str) -> None:
    if args.url is not None and args.url.rstrip("/") != origin:
        raise SecretError(f"the session is of {origin}, not of {args.url}")


def _ended_cleanly() -> bool:
    # What systemd tells ExecStopPost.
    told = tuple(map(os.environ.get, ("SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS")))
    return told == ("success", "exited", "0")


def _agreed(args: argparse.Namespace, origin: str) -> bool:
    from mmbot.rescue.running import held_locks

    whose = "every order" if args.all else "the bot's orders"
    _say(f"{whose} at {origin} will be cancelled there directly")
    for path in held_locks(origin, os.environ):
        _say(f"a bot is running ({path}): it will quote again unless it is stopped first")
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to confirm: give --direct or --yes")
    sys.stderr.write("cancel now? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _print(content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
