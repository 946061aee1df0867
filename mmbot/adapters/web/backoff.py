"""When to try again: full jitter up to a growing ceiling, and never too often (reliability N08)."""

import asyncio
from collections import deque
from random import Random

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_S, Clock


class BackoffParams(Struct, frozen=True, kw_only=True):
    """Delays are drawn from zero to a ceiling that starts at `first_s` and doubles to `most_s`.

    What held for `calm_s` starts anew. At most `attempts` are begun within `window_s`, the last
    `spared` of them only for a reason of their own, see `Backoff.spare`.
    """

    first_s: float = 0.25
    most_s: float = 30.0
    calm_s: float = 10.0
    attempts: int = 10
    spared: int = 1
    window_s: float = 60.0


class Backoff:
    """Delays between attempts, without a limit on their number; the jitter stays at the ceiling."""

    def __init__(self, params: BackoffParams, rng: Random) -> None:
        self._params = params
        self._rng = rng
        self._failures = 0
        self._begun: deque[int] = deque(maxlen=params.attempts)

    @property
    def failures(self) -> int:
        """Attempts since the last one that held."""
        return self._failures

    def begin(self, now_ns: int) -> None:
        """Note that an attempt begins."""
        self._begun.append(now_ns)

    def reset(self) -> None:
        """Begin anew: what the attempts were for has held."""
        self._failures = 0

    def spare(self, now_ns: int) -> bool:
        """Whether an attempt may begin before its time, as there is a reason for hope."""
        return self._room_in_s(now_ns, self._params.attempts) <= 0.0

    def delay_s(self, now_ns: int, held_s: float) -> float:
        """Return how long to wait after an attempt that failed or ended after `held_s`."""
        params = self._params
        if held_s >= params.calm_s:
            self._failures = 0
        # The exponent stops where the ceiling is reached: 2^n of a day of failures is no float.
        ceiling = min(params.most_s, params.first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        unasked = params.attempts - params.spared
        return max(self._rng.uniform(0.0, ceiling), self._room_in_s(now_ns, unasked))

    def _room_in_s(self, now_ns: int, most: int) -> float:
        if len(self._begun) < most:
            return 0.0
        return self._params.window_s - (now_ns - self._begun[-most]) / NS_PER_S


class Retry:
    """Waits between attempts, and less when there is a reason to hope that the next will do."""

    def __init__(self, params: BackoffParams, clock: Clock, rng: Random) -> None:
        self._backoff = Backoff(params, rng)
        self._clock = clock
        self._hope = asyncio.Event()

    def begin(self) -> None:
        """Note that an attempt begins."""
        self._backoff.begin(self._clock())

    async def pause(self, held_s: float) -> None:
        """Wait after an attempt that failed or ended after `held_s`."""
        delay_s = self._backoff.delay_s(self._clock(), held_s)
        self._hope.clear()
        try:
            async with asyncio.timeout(delay_s):
                await self._hope.wait()
        except TimeoutError:
            return

    def hurry(self) -> None:
        """End the pause, if there is one and there were not too many attempts."""
        if self._backoff.spare(self._clock()):
            self._hope.set()
