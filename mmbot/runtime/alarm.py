"""The engine's wake-up on the event loop: one timer, moved only when it would ring too late."""

import asyncio
from collections.abc import Callable

NS_PER_S = 1_000_000_000
# An engine that asks for the moment it was woken at must not stop the loop.
_LEAST_S = 0.001

Clock = Callable[[], int]
"""Unix nanoseconds that never go back."""


class Alarm:
    """Calls `ring` at the time last asked for, on the running loop."""

    __slots__ = ("_armed", "_armed_ns", "_clock", "_ring", "_wanted_ns")

    def __init__(self, clock: Clock, ring: Callable[[int], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._wanted_ns: int | None = None
        self._armed: asyncio.TimerHandle | None = None
        self._armed_ns = 0

    def set(self, at_ns: int | None) -> None:
        """Ring at this time and at no earlier one asked for before; None for never."""
        self._wanted_ns = at_ns
        # A timer that comes too early finds out and sets itself anew.
        if at_ns is not None and (self._armed is None or at_ns < self._armed_ns):
            self._arm(at_ns, 0.0)

    def stop(self) -> None:
        """Ring no more."""
        self._wanted_ns = None
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def _arm(self, at_ns: int, least_s: float) -> None:
        if self._armed is not None:
            self._armed.cancel()
        loop = asyncio.get_running_loop()
        delay_s = max(least_s, (at_ns - self._clock()) / NS_PER_S)
        self._armed_ns = at_ns
        self._armed = loop.call_later(delay_s, self._fire)

    def _fire(self) -> None:
        self._armed = None
        wanted_ns, now_ns = self._wanted_ns, self._clock()
        if wanted_ns is None:
            return
        if now_ns >= wanted_ns:
            self._ring(now_ns)
            wanted_ns = self._wanted_ns
        # Ringing has most likely set it anew.
        if wanted_ns is not None and self._armed is None:
            self._arm(wanted_ns, _LEAST_S)
