"""Short turns: what the interpreter does on the side keeps no event waiting for long."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# So many new objects before they are searched for cycles: most are gone by then, so there is little
# to search, and seldom within a decision.
NEW_COUNT = 5_000
# A thread that writes holds the interpreter for so long at most when the loop wants it.
YIELD_S = 0.0005


@contextmanager
def short_turns() -> Iterator[None]:
    """Have the process of a bot turn quickly; whatever is there already is not searched again.

    A search of everything that was loaded takes tens of milliseconds.
    """
    thresholds, interval_s = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_COUNT, *thresholds[1:])
    sys.setswitchinterval(YIELD_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval_s)
        gc.set_threshold(*thresholds)
        gc.unfreeze()
