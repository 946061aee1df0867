"""Slicing: how much of a position to have left while it is closed over some time (Almgren, Chriss).

Selling at once costs impact, selling slowly costs risk; where impact grows with speed the best is
to have sinh(k (T - t)) / sinh(k T) of it left at t. k T near 0 is a straight line, more is sooner.
"""

from math import exp, expm1
from typing import NamedTuple

STRAIGHT = 1e-3
SLICES = 20


class Slicing(NamedTuple):
    """Close a position over so many seconds, 0 at once; urgency 0 is a straight line."""

    over_s: float = 0.0
    urgency: float = 0.0

    def left(self, lots: int, passed_s: float) -> int:
        """Lots of the position at its begin that should be left now."""
        return int(lots * left_share(passed_s, self.over_s, self.urgency)) if self.over_s else 0

    @property
    def pace_s(self) -> float:
        """Seconds from one slice to the next."""
        return self.over_s / SLICES


def left_share(passed_s: float, over_s: float, urgency: float) -> float:
    """Share of the position that should be left; urgency is k T. 0 once the time is over."""
    if passed_s >= over_s:
        return 0.0
    rest = 1.0 - max(passed_s, 0.0) / over_s
    if urgency < STRAIGHT:
        return rest
    # sinh(a) / sinh(b) without the overflow of either.
    return exp(urgency * (rest - 1.0)) * expm1(-2.0 * urgency * rest) / expm1(-2.0 * urgency)
