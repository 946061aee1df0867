"""Curve: equity and profit over a run, as many points whether it lasts a minute or a month."""

from mmbot.domain.figures import CurvePoint

MOST = 2_048
EVERY_NS = 1_000_000_000


class Curve:
    """Takes a point a second; of too many every other one goes, and from then on half as many."""

    def __init__(self) -> None:
        self._points: list[CurvePoint] = []
        self._every_ns = EVERY_NS
        self._due_ns = 0

    def take(self, point: CurvePoint) -> None:
        """Keep a point if one is due."""
        if point.ts_ns < self._due_ns:
            return
        self._points.append(point)
        if len(self._points) > MOST:
            del self._points[1::2]
            self._every_ns *= 2
        self._due_ns = point.ts_ns + self._every_ns

    def points(self) -> tuple[CurvePoint, ...]:
        """Return what is kept, oldest first."""
        return tuple(self._points)
