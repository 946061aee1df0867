"""Signals: what the models of a market have learned, as numbers the stages read."""

from math import nan


class Signals:
    """Written by what learns, read by the stages; nothing here is a decision.

    sigma: bps per root second. arrivals: A (1/s a side) and k (1/bps); `fits` whether they describe
    the trades seen. imbalance: of the best sizes, -1 to 1. deviation_bps: outside fair price from
    our mid, 0 without one. slopes: what a unit of either is worth, in bps and as a share.
    floor_bps: least half width by the shadow quotes, NaN for none; `gate` why no depth pays.
    toxic: own fills lose, by side. edge_bps: what the chosen depth earned, fee taken off.
    """

    __slots__ = (
        "arrivals",
        "deviation_bps",
        "edge_bps",
        "fits",
        "floor_bps",
        "gate",
        "imbalance",
        "sigma",
        "slopes",
        "stale_reference",
        "toxic",
    )

    def __init__(self, sigma: float, arrivals: tuple[float, float], slopes: tuple[float, float]):
        self.sigma = sigma
        self.arrivals = arrivals
        self.fits = True
        self.imbalance = 0.0
        self.deviation_bps = 0.0
        self.slopes = slopes
        self.stale_reference = False
        self.floor_bps = nan
        self.edge_bps = nan
        self.gate: str | None = None
        self.toxic = ""
