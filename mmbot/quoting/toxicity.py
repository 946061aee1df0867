"""Toxicity: own fills and what they were worth 5 s later; a market that takes us for fools widens.

A fill counts less the more came after it (half-life 20). Toxic: fewer than one in six would expect
it by chance that fills lose more than their fee; no longer toxic once they earn it again.
"""

from collections import deque
from math import sqrt
from typing import NamedTuple

from mmbot.domain.order import Side

SECOND_NS = 1_000_000_000
HORIZON_NS = 5 * SECOND_NS
LATE_NS = SECOND_NS
HALF_LIFE = 20.0
LEAST_FILLS = 10
KEEP: float = 0.5 ** (1 / HALF_LIFE)


class Markouts:
    """Mean of markouts net of fee, its standard error, and the state that follows from them."""

    __slots__ = ("_square", "_weight", "_weights_squared", "count", "mean", "toxic")

    def __init__(self) -> None:
        self._weight = 0.0
        self._weights_squared = 0.0
        self._square = 0.0
        self.count = 0
        self.mean = 0.0
        self.toxic = False

    @property
    def error(self) -> float:
        """Standard error of the mean; 0 before the second fill."""
        if not self._weight:
            return 0.0
        return sqrt(self._square * self._weights_squared) / self._weight

    def take(self, net_bps: float) -> None:
        """Take in a fill's markout less its fee."""
        self._weight = self._weight * KEEP + 1.0
        self._weights_squared = self._weights_squared * KEEP * KEEP + 1.0
        share = 1.0 / self._weight
        apart = net_bps - self.mean
        self.mean += share * apart
        self._square = (1.0 - share) * (self._square + share * apart * apart)
        self.count += 1
        if self.toxic:
            self.toxic = self.mean <= 0.0
        else:
            self.toxic = self.count >= LEAST_FILLS and self.mean < -self.error


class Matured(NamedTuple):
    """An own fill and what it was worth; away_bps: how far from fair it was quoted."""

    side: Side
    away_bps: float
    markout_bps: float


class OwnFills:
    """Own maker fills on their way to a markout, and how all, bids and asks fare."""

    __slots__ = ("_fee_bps", "_pending", "all", "asks", "bids")

    def __init__(self, fee_bps: float) -> None:
        self._fee_bps = fee_bps
        self._pending: deque[tuple[int, Side, float, float]] = deque(maxlen=4096)
        self.all = Markouts()
        self.bids = Markouts()
        self.asks = Markouts()

    def filled(self, now_ns: int, side: Side, ticks: int, fair_ticks: float) -> None:
        """An order of ours was filled."""
        away_bps = side * (fair_ticks - ticks) / fair_ticks * 1e4
        self._pending.append((now_ns + HORIZON_NS, side, float(ticks), away_bps))

    def mature(self, now_ns: int, mid_ticks: float) -> list[Matured]:
        """Judge the fills whose time has come; those nobody looked at in time are left out."""
        matured = []
        pending = self._pending
        while pending and pending[0][0] <= now_ns:
            due_ns, side, ticks, away_bps = pending.popleft()
            if now_ns - due_ns > LATE_NS:
                continue
            markout_bps = side * (mid_ticks - ticks) / ticks * 1e4
            self.all.take(markout_bps - self._fee_bps)
            (self.bids if side > 0 else self.asks).take(markout_bps - self._fee_bps)
            matured.append(Matured(side, away_bps, markout_bps))
        return matured

    @property
    def waiting(self) -> bool:
        """Is any fill not judged yet?"""
        return bool(self._pending)

    @property
    def toxic(self) -> str:
        """Which own fills lose: "fills", "bids", "asks", or nothing."""
        if self.all.toxic:
            return "fills"
        if self.bids.toxic:
            return "bids"
        return "asks" if self.asks.toxic else ""
