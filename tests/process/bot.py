"""A bot as far as a guard sees it: `python -m tests.process.bot SOCKET EPOCH ORDERS [MODE]`.

Beats until a line comes in: `bye N` ends it with N orders left; anything else is its new mode.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from mmbot.runtime.heartbeat import Heartbeat


async def _live(socket: str, epoch: int, orders: int, mode: str) -> None:
    heartbeat = Heartbeat(Path(socket), time.monotonic_ns, os.getpid(), landing_s=1)
    task = asyncio.create_task(heartbeat.run())
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin, lambda: told.put_nowait(sys.stdin.readline().strip()))
    guarded = False
    while True:
        heartbeat.beat(mode, orders, epoch)
        if heartbeat.guarded is not guarded:
            guarded = heartbeat.guarded
            sys.stdout.write("guarded\n" if guarded else "alone\n")
            sys.stdout.flush()
        try:
            word = await asyncio.wait_for(told.get(), 0.1)
        except TimeoutError:
            continue
        if word.startswith("bye"):
            await heartbeat.goodbye(int(word.split()[1]))
            task.cancel()
            return
        mode = word


if __name__ == "__main__":
    asyncio.run(_live(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "quoting"))
