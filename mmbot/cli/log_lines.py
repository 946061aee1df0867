"""The verb `logs`: the log files of a bot, for people or programs."""

import argparse
import os

import msgspec

from mmbot.cli.output import say, show
from mmbot.cli.run_logs import log_file
from mmbot.config.loader import load
from mmbot.errors import DataError
from mmbot.logs.reading import Filter, Line, added_lines, files_of, last_lines, text_of


def log_lines(args: argparse.Namespace) -> int:
    """Print the last lines, and with --follow what is added."""
    config = load(args.config, args.set, os.environ).config
    path = log_file(config, args.mode, os.environ)
    if not files_of(path):
        raise DataError(f"{path}: there is no log; did the bot run, in this mode?")
    wanted = Filter(args.level, args.grep)
    _print(args, last_lines(path, wanted, max(args.count, 0)))
    if args.follow:
        say(f"following {path}")
        for line in added_lines(path, wanted):
            _print(args, [line])
    return 0


def _print(args: argparse.Namespace, lines: list[Line]) -> None:
    if args.json:
        show([msgspec.json.encode(each).decode() for each in lines])
    else:
        show([text_of(each) for each in lines])
