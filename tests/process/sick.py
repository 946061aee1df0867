"""The command line with a fault: `python -m tests.process.sick FAULT VERB ...`, on SIGUSR1.

block: the loop stands still for a minute; callback: one of it raises; task: a feed dies.
"""

import asyncio
import signal
import sys
import time

from mmbot.cli import main

BLOCKED_S = 60.0
VICTIM = "feed 0"


def strike(fault: str) -> None:
    """Do the harm, in the main thread, in a turn of the loop."""
    if fault == "block":
        time.sleep(BLOCKED_S)
        return
    loop = asyncio.get_running_loop()
    if fault == "callback":
        loop.call_soon(_raise)
        return
    for task in asyncio.all_tasks(loop):
        if task.get_name() == VICTIM:
            task.cancel()


def _raise() -> None:
    raise ValueError("struck")


if __name__ == "__main__":
    what = sys.argv[1]
    signal.signal(signal.SIGUSR1, lambda *_: strike(what))
    sys.exit(main(sys.argv[2:]))
