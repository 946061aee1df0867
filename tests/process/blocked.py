"""A loop that blocks, with a watchdog: `python -m tests.process.blocked SESSION ACCOUNT ID...`.

The ids are the client order ids it believes to rest; it ends with 70 when it is aborted.
"""

import asyncio
import os
import sys
import time

from mmbot.rescue.session import read_session
from mmbot.rescue.sweep import Wanted, cancel_all
from mmbot.runtime.watchdog import Watchdog
from tests.process.served import INSTANCE

ABORTED = 70


async def _block(source: str, account_id: int, ids: tuple[int, ...]) -> None:
    session = read_session(source, os.environ)
    wanted = Wanted(INSTANCE, in_flight=ids, landing_s=0, timeout_s=4.0)
    dog = Watchdog(lambda _: print_end(cancel_all(session, wanted, account_id)), abort)
    dog.start()
    for _ in range(20):
        dog.beat()
        await asyncio.sleep(0.01)
    sys.stdout.write("blocked\n")
    sys.stdout.flush()
    time.sleep(60)  # noqa: ASYNC251 - that is the fault


def print_end(swept: object) -> None:
    """Say how the sweep ended."""
    sys.stdout.write(f"{swept}\n")
    sys.stdout.flush()


def abort() -> None:
    """End the process as it stands."""
    os._exit(ABORTED)


if __name__ == "__main__":
    asyncio.run(_block(sys.argv[1], int(sys.argv[2]), tuple(map(int, sys.argv[3:]))))
