"""How engine time passes: with the wall, or only when somebody steps it.

Whatever has to happen later (a delayed answer, a message held back) is asked of the pace, so that
faults take engine time and tests with stepped time never wait.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

MILLISECOND_NS = 1_000_000
TICK_NS = 20 * MILLISECOND_NS


class Pace(Protocol):
    """Engine time, in nanoseconds since 1970; it never goes back."""

    stepped: bool

    @property
    def now_ns(self) -> int:
        """The engine time it is now."""
        ...

    def later(self, delay_ns: int, call: Callable[[], None]) -> None:
        """Call back when `delay_ns` of engine time have passed."""
        ...


class WallPace:
    """Engine time goes on from where it stands, as fast as the wall's."""

    stepped = False

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._since_ns = time.monotonic_ns()

    @property
    def now_ns(self) -> int:
        """The engine time it is now."""
        return self._start_ns + time.monotonic_ns() - self._since_ns

    def later(self, delay_ns: int, call: Callable[[], None]) -> None:
        """Call back when `delay_ns` have passed."""
        asyncio.get_running_loop().call_later(delay_ns / 1e9, call)


class SteppedPace:
    """Engine time stands still until `move` is called."""

    stepped = True

    def __init__(self, start_ns: int) -> None:
        self.now_ns = start_ns
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    @property
    def is_awaited(self) -> bool:
        """Somebody waits for time to pass."""
        return bool(self._calls)

    def later(self, delay_ns: int, call: Callable[[], None]) -> None:
        """Call back in the first `call_due` that is `delay_ns` later."""
        heapq.heappush(self._calls, (self.now_ns + delay_ns, next(self._order), call))

    def move(self, now_ns: int) -> None:
        """Let it be `now_ns`."""
        self.now_ns = max(self.now_ns, now_ns)

    def call_due(self) -> int:
        """Make the calls that are due, in their order; how many."""
        made = 0
        while self._calls and self._calls[0][0] <= self.now_ns:
            heapq.heappop(self._calls)[2]()
            made += 1
        return made


async def wait(pace: Pace, delay_ns: int) -> None:
    """Wait for `delay_ns` of engine time."""
    if delay_ns > 0:
        done = asyncio.get_running_loop().create_future()
        pace.later(delay_ns, lambda: None if done.done() else done.set_result(None))
        await done


def wall_start(last_ns: int | None) -> int:
    """Engine time to start with: the wall's, or that of a saved exchange if it is ahead."""
    now_ns = time.time_ns()
    return now_ns if last_ns is None else max(now_ns, last_ns)
