"""What SIGTERM, Ctrl-C and SIGHUP do to a running bot."""

import asyncio
import signal
import time

from mmbot.assemble.live import LiveBot
from mmbot.cli.output import say
from mmbot.domain.control import OperatorCommand, Role, Verb, Who
from mmbot.runtime.live import MarketMakerLive


def listen(live: MarketMakerLive) -> None:
    """Let SIGTERM and Ctrl-C end the run; a second Ctrl-C changes the exit code, not the end."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        if live.ending.begun:
            say("still taking orders off")
            live.interrupt()
        else:
            live.stop("Ctrl-C")

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, live.stop, "SIGTERM")


def reload_on_hangup(bot: LiveBot) -> None:
    """Let SIGHUP have the settings read anew; what came of it is told as a notice."""
    who = Who("signal", "SIGHUP", Role.ADMIN)

    def reload() -> None:
        bot.control.soon(OperatorCommand(Verb.RELOAD, who, time.time_ns()))

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
