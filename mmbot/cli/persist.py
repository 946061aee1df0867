"""The verb `set`; with --persist a value goes into the file and into the bot: both, or neither."""

import argparse
from pathlib import Path

from mmbot.cli.bot_line import client, submit
from mmbot.cli.control import command, deliver, wish
from mmbot.cli.output import say, show
from mmbot.config.edit import put_back, set_value
from mmbot.config.live_keys import filed_key
from mmbot.domain.control import Result
from mmbot.errors import UsageError


def set_setting(args: argparse.Namespace) -> int:
    """Override a setting for a while, or change it for good."""
    return _persist(args) if args.persist else command(args)


def _persist(args: argparse.Namespace) -> int:
    """Change the last of the files, have the bot reload it; put it back when the bot refuses."""
    if not args.config or args.duration is not None or args.dry_run:
        raise UsageError("--persist goes with -c FILE, and without --for and --dry-run")
    path: Path = args.config[-1]
    key = filed_key(args.key)
    args.command = "reload"
    with client(args) as bot:
        changes = set_value(path, key, args.value)
        if not changes:
            say(f"{key} is {args.value} in {path} already")
        elif not args.json:
            show(changes.splitlines())
        answer = submit(bot, wish(args))
    if changes and answer.result is not Result.OK:
        put_back(path)
        say(f"{path} is as it was before")
    return deliver(args, answer)
