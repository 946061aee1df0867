"""Band: no price far from what the venue itself, and an outside venue, hold for the right one."""

# A quote further than this from a configured outside price is a mistake (invariant I13).
REFERENCE_RATIO = 0.02
BPS = 1e-4


class PriceBand:
    """Prices allowed around the index, and around a reference; ticks."""

    __slots__ = ("_ratio", "index_ticks")

    def __init__(self, max_distance_bps: float) -> None:
        self.adopt(max_distance_bps)
        self.index_ticks: float | None = None

    def adopt(self, max_distance_bps: float) -> None:
        """Hold to another distance from the index."""
        self._ratio = max_distance_bps * BPS

    def allows(self, ticks: int, reference_ticks: float | None, needs_index: bool) -> bool:
        """May an order have this price? Without an index that is needed, none may.

        A figure that is no number allows nothing, as it compares as false.
        """
        if needs_index:
            index = self.index_ticks
            if index is None or not abs(ticks - index) <= self._ratio * index:
                return False
        if reference_ticks is None:
            return True
        return abs(ticks - reference_ticks) <= REFERENCE_RATIO * reference_ticks
