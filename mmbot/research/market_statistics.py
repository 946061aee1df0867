"""What a market looks like in numbers: volatility, spread, depth, flow, impact.

Works on touches sampled at a fixed interval and on the takers that met them, recorded or
synthetic. Prices are compared in basis points of the first mid, sizes in units of the caller's.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import nan, sqrt
from statistics import fmean, median
from typing import NamedTuple

BPS = 10_000
PERCENT = 100
SECOND_NS = 1_000_000_000
IMPACT_S = 5
WORST_S = 60
FANO_S = 10
ACF_LAG_S = 30

Print = tuple[int, int, int, int]
"""(exch_ns, aggressor +1 or -1, ticks, lots)."""


class Taker(NamedTuple):
    """All executions of one aggressive order: mean price in ticks, total lots."""

    ts_ns: int
    aggressor: int
    ticks: float
    lots: int


@dataclass(slots=True)
class MarketSeries:
    """Touches every `interval_ns`, 0 for a missing side, and takers, in order of time.

    A touch is what stood before the takers of the same time came.
    """

    interval_ns: int
    bids: list[int] = field(default_factory=list)
    bid_lots: list[int] = field(default_factory=list)
    asks: list[int] = field(default_factory=list)
    ask_lots: list[int] = field(default_factory=list)
    times_ns: list[int] = field(default_factory=list)
    takers: list[Taker] = field(default_factory=list)

    def add_touches(self, touches: Iterable[tuple[int, int, int, int, int]]) -> None:
        """Append (ns, bid, bid lots, ask, ask lots) rows."""
        for ts_ns, bid, bid_lots, ask, ask_lots in touches:
            self.times_ns.append(ts_ns)
            self.bids.append(bid)
            self.bid_lots.append(bid_lots)
            self.asks.append(ask)
            self.ask_lots.append(ask_lots)

    def add_prints(self, prints: Iterable[Print]) -> None:
        """Append executions; consecutive ones of one time and side are one taker's."""
        for ts_ns, aggressor, ticks, lots in prints:
            last = self.takers[-1] if self.takers else None
            if last is not None and (last.ts_ns, last.aggressor) == (ts_ns, aggressor):
                total = last.lots + lots
                mean = (last.ticks * last.lots + ticks * lots) / total
                self.takers[-1] = Taker(ts_ns, aggressor, mean, total)
            else:
                self.takers.append(Taker(ts_ns, aggressor, float(ticks), lots))


@dataclass(frozen=True, slots=True)
class MarketStatistics:
    """One market's figures; NaN where the series is too short or too quiet to tell."""

    seconds: int
    vol_1s_bps: float
    spread_median_bps: float
    spread_p99_bps: float
    touch_depth_median_units: float
    touch_depth_p1_to_median: float
    trades_per_min: float
    trend_t: float
    worst_60s_pct: float
    max_drawdown_pct: float
    abs_return_acf_30s: float
    return_acf_1s: float
    variance_ratio_60s: float
    kurtosis_1s: float
    fano_10s: float
    sign_acf_1: float
    imbalance_ic_1s: float
    impact_5s_bps: float
    realised_half_spread_5s_bps: float


def market_statistics(series: MarketSeries, lots_per_unit: float) -> MarketStatistics:
    """Measure a series of at least two minutes; depth is counted in units of `lots_per_unit`."""
    mids = mids_of(series.bids, series.asks)
    per_second = SECOND_NS // series.interval_ns
    seconds = mids[::per_second]
    bps = mids[0] / BPS
    returns = [move / bps for move in _moves(seconds, 1)]
    spreads, depths = _touch_figures(series, per_second, bps, lots_per_unit)
    impact, realised = _impact(series, mids, bps)
    length_s = len(mids) // per_second
    counts = _counts(series, FANO_S, length_s)
    return MarketStatistics(
        seconds=length_s,
        vol_1s_bps=sqrt(variance(returns)),
        spread_median_bps=quantile(spreads, 0.5),
        spread_p99_bps=quantile(spreads, 0.99),
        touch_depth_median_units=quantile(depths, 0.5),
        touch_depth_p1_to_median=ratio(quantile(depths, 0.01), quantile(depths, 0.5)),
        trades_per_min=60 * len(series.takers) / length_s,
        trend_t=ratio(abs(sum(returns)), sqrt(variance(returns) * len(returns))),
        worst_60s_pct=min(_moves(seconds, WORST_S)) / mids[0] * PERCENT,
        max_drawdown_pct=max_drawdown(seconds) * PERCENT,
        abs_return_acf_30s=autocorrelation([abs(r) for r in returns], ACF_LAG_S),
        return_acf_1s=autocorrelation(returns, 1),
        variance_ratio_60s=variance_ratio(seconds, WORST_S),
        kurtosis_1s=kurtosis(returns),
        fano_10s=ratio(variance(counts), fmean(counts)),
        sign_acf_1=autocorrelation([float(taker.aggressor) for taker in series.takers], 1),
        imbalance_ic_1s=_imbalance_ic(series, per_second, returns),
        impact_5s_bps=impact,
        realised_half_spread_5s_bps=realised,
    )


def mids_of(bids: Sequence[int], asks: Sequence[int]) -> list[float]:
    """Mid in ticks per touch; where a side is missing, the last one known (the first at the start).

    ValueError when no touch has both sides.
    """
    known = [(bid + ask) / 2 if bid and ask else None for bid, ask in zip(bids, asks, strict=True)]
    last = next((mid for mid in known if mid is not None), None)
    if last is None:
        raise ValueError("no touch has both a bid and an ask")
    mids = []
    for mid in known:
        last = last if mid is None else mid
        mids.append(last)
    return mids


def variance(values: Sequence[float]) -> float:
    """Population variance; NaN of nothing."""
    return fmean(_centred_squares(values)) if values else nan


def ratio(numerator: float, denominator: float) -> float:
    """Quotient; NaN over zero."""
    return numerator / denominator if denominator else nan


def quantile(values: Sequence[float], share: float) -> float:
    """Order statistic at `share` of a sample (the median averages two); NaN of nothing."""
    if not values:
        return nan
    if share == 0.5:
        return median(values)
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def kurtosis(values: Sequence[float]) -> float:
    """Fourth standardised moment, 3 for a normal distribution."""
    squares = _centred_squares(values)
    return ratio(fmean(s * s for s in squares), fmean(squares) ** 2)


def autocorrelation(values: Sequence[float], lag: int) -> float:
    """Autocorrelation at a lag; NaN when the sample is shorter or constant."""
    if len(values) <= lag:
        return nan
    mean = fmean(values)
    centred = [value - mean for value in values]
    products = sum(a * b for a, b in zip(centred, centred[lag:], strict=False))
    return ratio(products, sum(a * a for a in centred))


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Pearson correlation; NaN when either side is constant."""
    mean_x, mean_y = fmean(xs), fmean(ys)
    covariance = fmean((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return ratio(covariance, sqrt(variance(xs) * variance(ys)))


def variance_ratio(prices: Sequence[float], lag: int) -> float:
    """Variance of `lag`-step moves over `lag` times that of one-step moves: 1 for a random walk."""
    return ratio(variance(_moves(prices, lag)), lag * variance(_moves(prices, 1)))


def max_drawdown(prices: Sequence[float]) -> float:
    """Largest fall from a running peak, as a share of the first price."""
    peak, worst = prices[0], 0.0
    for price in prices:
        peak = max(peak, price)
        worst = max(worst, peak - price)
    return worst / prices[0]


def crash_and_rebound(
    prices: Sequence[float], start: int, fall: int, back: int
) -> tuple[float, float]:
    """Move over `fall` samples as a share of the first price, and the share of it regained after.

    `back` samples are given to the rebound.
    """
    before, bottom, after = prices[start], prices[start + fall], prices[start + fall + back]
    return (bottom - before) / prices[0], ratio(after - bottom, before - bottom)


def _centred_squares(values: Sequence[float]) -> list[float]:
    mean = fmean(values)
    return [(value - mean) ** 2 for value in values]


def _moves(prices: Sequence[float], lag: int) -> list[float]:
    return [after - before for before, after in zip(prices, prices[lag:], strict=False)]


def _touch_figures(
    series: MarketSeries, every: int, bps: float, lots_per_unit: float
) -> tuple[list[float], list[float]]:
    spreads = []
    depths = []
    for i in range(0, len(series.bids), every):
        if series.bids[i] and series.asks[i]:
            spreads.append((series.asks[i] - series.bids[i]) / bps)
            depths.append((series.bid_lots[i] + series.ask_lots[i]) / lots_per_unit)
    return spreads, depths


def _counts(series: MarketSeries, bin_s: int, length_s: int) -> list[float]:
    counts = [0.0] * (length_s // bin_s)
    for taker in series.takers:
        at = (taker.ts_ns - series.times_ns[0]) // (bin_s * SECOND_NS)
        if at < len(counts):
            counts[at] += 1
    return counts


def _imbalance_ic(series: MarketSeries, per_second: int, returns: Sequence[float]) -> float:
    imbalances = []
    moves = []
    for i, move in enumerate(returns):
        bid, ask = series.bid_lots[i * per_second], series.ask_lots[i * per_second]
        if bid and ask:
            imbalances.append((bid - ask) / (bid + ask))
            moves.append(move)
    return correlation(imbalances, moves)


def _impact(series: MarketSeries, mids: Sequence[float], bps: float) -> tuple[float, float]:
    # Volume weighted: how far the mid goes with the taker, and what a maker at the touch keeps.
    later = IMPACT_S * SECOND_NS // series.interval_ns
    moved = kept = volume = 0.0
    for taker in series.takers:
        at = bisect_right(series.times_ns, taker.ts_ns) - 1
        if at + later < len(mids):
            after = mids[at + later]
            moved += taker.aggressor * taker.lots * (after - mids[at])
            touch = series.asks[at] if taker.aggressor > 0 else series.bids[at]
            kept += taker.aggressor * taker.lots * ((touch or taker.ticks) - after)
            volume += taker.lots
    return ratio(moved, volume * bps), ratio(kept, volume * bps)
