"""Short turns: what the interpreter does on the side keeps no event waiting for long."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# A thread that writes holds the interpreter for so long at most when the loop wants it.
YIELD_S = 0.0005
# What is new is searched for garbage so often, between two events, and all of it now and then.
COLLECT_EVERY_S = 0.05
FULL_EVERY = 1_200


@contextmanager
def short_turns() -> Iterator[None]:
    """Have the process of a bot turn quickly; whoever uses this runs `collect_garbage` besides.

    What is there already is not searched for garbage again: that takes tens of milliseconds. And
    nothing is searched in the middle of a decision.
    """
    interval_s = sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(YIELD_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval_s)
        gc.enable()
        gc.unfreeze()


async def collect_garbage() -> None:
    """Look for garbage among what is new, until cancelled."""
    while True:
        for _ in range(FULL_EVERY):
            await asyncio.sleep(COLLECT_EVERY_S)
            gc.collect(0)
        gc.collect()
