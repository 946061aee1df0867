"""The clock of everything that waits for a network: Unix nanoseconds that never go back."""

import time
from collections.abc import Callable

Clock = Callable[[], int]

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def steady_clock() -> Clock:
    """Return a clock that shows the host's time of now and goes on by its monotonic clock.

    A step of the host's clock does not move it (reliability C01).
    """
    offset = time.time_ns() - time.monotonic_ns()

    def now_ns() -> int:
        return time.monotonic_ns() + offset

    return now_ns
