"""Shock gate: a jump of the mid or of the spread takes a market off the book for a moment.

|mid - mid of 5 s ago| > 8 sigma sqrt(5 s), or a spread above 5 times its median: no quotes for
2 s, then reducing ones only for 10 s.
"""

from math import sqrt
from typing import Annotated

from pydantic import Field

from mmbot.cext.rolling import Moves
from mmbot.domain.params import Params

SECOND_NS = 1_000_000_000
LOOK_BACK_NS = 5 * SECOND_NS
SAMPLE_NS = 100_000_000
HALF_LIFE_S = 60.0
# A minute of spreads, and twice the look-back of mids.
SPREADS = 600
MIDS = 100
# Before that many samples nothing is known of how the market usually is.
LEAST_SAMPLES = 300
# A narrower book counts as this wide: five times a tick is nothing where a tick is next to nothing.
LEAST_SPREAD_RATIO = 1e-4


class ShockParams(Params):
    """A sudden move takes the quotes off for a moment."""

    enabled: Annotated[bool, Field(description="watch for sudden moves at all")] = True
    move_sigmas: Annotated[
        float, Field(gt=0, le=1000, description="move of 5 s against its usual size")
    ] = 8.0
    spread_ratio: Annotated[
        float, Field(gt=1, le=1000, description="spread of the book against its median")
    ] = 5.0
    pull_ms: Annotated[int, Field(ge=0, le=600_000, description="no quotes for so long")] = 2000
    reduce_ms: Annotated[
        int, Field(ge=0, le=600_000, description="after that only reducing ones")
    ] = 10_000


class ShockGate:
    """Watches one market's mid and spread, a sample every 100 ms at most."""

    __slots__ = (
        "_move",
        "_moves",
        "_next_ns",
        "_params",
        "_pull_until_ns",
        "_reduce_until_ns",
        "_wide_ratio",
    )

    def __init__(self, params: ShockParams) -> None:
        self._params = params
        self._move = params.move_sigmas * sqrt(LOOK_BACK_NS / SECOND_NS)
        self._wide_ratio = params.spread_ratio
        self._moves = Moves(HALF_LIFE_S, MIDS, SPREADS)
        self._next_ns = 0
        self._pull_until_ns = 0
        self._reduce_until_ns = 0

    def observe(self, best_bid: int, best_ask: int, now_ns: int) -> bool:
        """Take in the best prices (ticks, both there); tells whether this is a shock.

        It is judged against what came before it, and then becomes part of the usual.
        """
        if now_ns < self._next_ns:
            return False
        self._next_ns = now_ns + SAMPLE_NS
        mid = (best_bid + best_ask) * 0.5
        spread = float(best_ask - best_bid)
        samples, median, sigma, moved = self._moves.take(now_ns, LOOK_BACK_NS, mid, spread)
        shock = False
        if samples >= LEAST_SAMPLES:
            # A move within the usual spread is none, however quiet it has been.
            usual = max(median, LEAST_SPREAD_RATIO * mid, 1.0)
            limit = max(usual, self._move * sigma)
            shock = moved > limit or spread > self._wide_ratio * usual
        if shock:
            params = self._params
            self._pull_until_ns = now_ns + params.pull_ms * 1_000_000
            self._reduce_until_ns = self._pull_until_ns + params.reduce_ms * 1_000_000
        return shock

    def pulls(self, now_ns: int) -> bool:
        """Must the market have no quotes now?"""
        return now_ns < self._pull_until_ns

    def reduces(self, now_ns: int) -> bool:
        """May the position only become smaller now?"""
        return now_ns < self._reduce_until_ns

    @property
    def sigma(self) -> float:
        """Usual move, ticks per square root of a second; NaN before there is one."""
        return self._moves.sigma
