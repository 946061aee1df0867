"""Shares: what part of its size a quote gets, by volatility, inventory, edge and recent losses."""

from math import exp

from mmbot.domain.order import Side
from mmbot.quoting.signals import Signals
from mmbot.quoting.sizing import Budget, SizingParams

WHOLE = (1.0, 1.0)
LEAST_EDGE_SHARE = 0.25
HALF = 0.5


class RoundTrips:
    """Positions from flat to flat, and how many in a row have lost."""

    __slots__ = ("_cash", "_lots", "lost")

    def __init__(self) -> None:
        self._lots = 0
        self._cash = 0
        self.lost = 0

    def fill(self, side: Side, ticks: int, lots: int) -> None:
        """Take in a fill; one that turns the position over closes one trip and opens the next."""
        held = self._lots
        closing = min(lots, abs(held)) if held * side < 0 else 0
        if closing:
            self._book(side, ticks, closing)
            lots -= closing
            if self._lots == 0:
                self.lost = self.lost + 1 if self._cash < 0 else 0
                self._cash = 0
        if lots:
            self._book(side, ticks, lots)

    def _book(self, side: Side, ticks: int, lots: int) -> None:
        self._lots += side * lots
        self._cash -= side * lots * ticks


class Shares:
    """Shares of bids and of asks now; all of it unless something is configured."""

    __slots__ = ("_params", "_plain", "trips")

    def __init__(self, params: SizingParams) -> None:
        self._params = params
        self.trips = RoundTrips()
        self._plain = not (
            params.volatility_reference_bps
            or params.inventory_eta
            or params.edge_reference_bps
            or params.losing_trips_count
        )

    def of(self, budget: Budget, position_ratio: float, signals: Signals) -> Budget:
        """The budget with every level's share of it: of the bids and then of the asks."""
        if self._plain:
            return budget
        bid, ask = self.now(position_ratio, signals)
        bids = [int(worth * bid) for worth in budget.levels]
        asks = [int(worth * ask) for worth in budget.levels]
        return Budget((*bids, *asks), budget.side)

    def now(self, position_ratio: float, signals: Signals) -> tuple[float, float]:
        """Share of its size that a bid gets, and an ask; the side that reduces keeps more."""
        if self._plain:
            return WHOLE
        params = self._params
        share = 1.0
        if params.volatility_reference_bps:
            share = min(1.0, params.volatility_reference_bps / signals.sigma)
        # Not known yet (NaN) leaves it alone.
        if params.edge_reference_bps and signals.edge_bps < params.edge_reference_bps:
            share *= max(signals.edge_bps / params.edge_reference_bps, LEAST_EDGE_SHARE)
        if params.losing_trips_count and self.trips.lost >= params.losing_trips_count:
            share *= HALF
        adding = exp(-params.inventory_eta * abs(position_ratio))
        if position_ratio > 0.0:
            return share * adding, share
        return share, share * adding
