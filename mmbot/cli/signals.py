"""What SIGTERM and Ctrl-C do to a running bot."""

import asyncio
import signal

from mmbot.cli.output import say
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
