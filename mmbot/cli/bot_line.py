"""The line to a running bot: where it listens, and what it is asked over it."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

from mmbot.cli.output import say
from mmbot.config.loader import load
from mmbot.domain.control import Answer
from mmbot.domain.status import StatusView
from mmbot.errors import ConfigError, NotRunning, UsageError
from mmbot.interfaces.control_client import ControlClient
from mmbot.interfaces.control_wire import VERSION, Ask, Request, Wish
from mmbot.runtime.control_place import control_socket
from mmbot.runtime.params import ControlParams

__all__ = ["VERSION", "Bot", "answers", "client", "read_status", "socket_path", "submit"]

LOOK_S = 10.0
Bot: TypeAlias = ControlClient


def client(args: argparse.Namespace) -> ControlClient:
    """Connect to the running bot of `--socket`, or of the configuration; NotRunning."""
    return ControlClient(socket_path(args))


def socket_path(args: argparse.Namespace) -> Path:
    """Return where the bot would listen."""
    if getattr(args, "socket", None):
        return Path(args.socket)
    try:
        config = load(args.config, args.set, os.environ).config
    except ConfigError as error:
        usual = control_socket(ControlParams(), "*", os.environ)
        for path in sorted(usual.parent.glob(usual.name)):
            # Whoever has broken the file must still be able to stop the bot.
            say(f"a bot is reached without the configuration: --socket {path}")
        raise error from None
    return control_socket(config.control, config.instance.name, os.environ)


def read_status(bot: ControlClient) -> StatusView:
    """Ask how the bot stands."""
    view = bot.ask(Request(VERSION, Ask.STATUS), LOOK_S).status
    if view is None:
        raise UsageError("the bot gave no status")
    return view


def submit(bot: ControlClient, asked: Wish) -> Answer:
    """Have a command done."""
    answer = bot.ask(Request(VERSION, Ask.SUBMIT, wish=asked)).answer
    if answer is None:
        raise UsageError("the bot gave no answer")
    return answer


def answers(path: Path) -> bool:
    """Whether a bot answers at a socket."""
    try:
        with ControlClient(path):
            return True
    except NotRunning:
        return False
