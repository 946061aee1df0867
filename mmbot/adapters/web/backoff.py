"""When to try again: full jitter up to a growing ceiling, and never too often (reliability N08)."""

from collections import deque
from random import Random

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_S


class BackoffParams(Struct, frozen=True, kw_only=True):
    """Delays are drawn from zero to a ceiling that starts at `first_s` and doubles to `most_s`.

    What held for `calm_s` starts anew. At most `attempts` are begun within `window_s`.
    """

    first_s: float = 0.25
    most_s: float = 30.0
    calm_s: float = 10.0
    attempts: int = 10
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

    def delay_s(self, now_ns: int, held_s: float) -> float:
        """Return how long to wait after an attempt that failed or ended after `held_s`."""
        params = self._params
        if held_s >= params.calm_s:
            self._failures = 0
        # The exponent stops where the ceiling is reached: 2^n of a day of failures is no float.
        ceiling = min(params.most_s, params.first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return max(self._rng.uniform(0.0, ceiling), self._room_in_s(now_ns))

    def _room_in_s(self, now_ns: int) -> float:
        if len(self._begun) < self._params.attempts:
            return 0.0
        return self._params.window_s - (now_ns - self._begun[0]) / NS_PER_S
