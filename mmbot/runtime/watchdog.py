"""A thread that notices when the loop is blocked (fault X05), and acts without it.

Only time that the thread itself has seen pass counts: after a stop of the whole process, or of the
machine, the loop gets its turn before it is judged.
"""

import threading
import time
from collections.abc import Callable

POLL_S = 0.05
_LONGEST_STEP_NS = 2 * round(POLL_S * 1e9)


class Watchdog:
    """Calls `trip` once when the loop has not beaten for `stall_s`, `abort` after `abort_s`.

    `trip` gets a reason and runs in a thread of its own: it may take its time. Should `abort`
    return, or the loop come back, counting begins anew.
    """

    def __init__(
        self,
        trip: Callable[[str], None],
        abort: Callable[[], None],
        stall_s: float = 1.0,
        abort_s: float = 5.0,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._trip = trip
        self._abort = abort
        self._stall_ns = round(stall_s * 1e9)
        self._abort_ns = round(abort_s * 1e9)
        self._clock = clock
        self._beaten_ns = 0
        self._seen_ns = 0
        self._blocked_ns = 0
        self._tripped = False
        self._polled_ns = 0
        self._over = threading.Event()

    def beat(self) -> None:
        """Say that the loop turns; cheap, for every turn of it."""
        self._beaten_ns = self._clock()

    def start(self) -> None:
        """Begin to watch."""
        self.beat()
        self._polled_ns = self._clock()
        threading.Thread(target=self._watch, daemon=True, name="watchdog").start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()

    def poll(self) -> None:
        """Look once; the thread does it every 50 ms."""
        now_ns = self._clock()
        step_ns = min(now_ns - self._polled_ns, _LONGEST_STEP_NS)
        self._polled_ns = now_ns
        if self._beaten_ns != self._seen_ns:
            self._seen_ns = self._beaten_ns
            self._blocked_ns = 0
            self._tripped = False
            return
        self._blocked_ns += step_ns
        if self._blocked_ns > self._abort_ns:
            self._blocked_ns = 0
            self._tripped = False
            self._abort()
        elif self._blocked_ns > self._stall_ns and not self._tripped:
            self._tripped = True
            reason = f"the event loop is blocked for {self._blocked_ns / 1e9:.1f} s"
            threading.Thread(target=self._trip, args=(reason,), daemon=True, name="trip").start()

    def _watch(self) -> None:
        while not self._over.wait(POLL_S):
            self.poll()
