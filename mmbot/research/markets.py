"""The numbers of each market of a run; inventory in base units (contracts when inverse)."""

from fractions import Fraction
from math import sqrt

from msgspec import Struct

from mmbot.research.attribution import usd_per_atom
from mmbot.research.metrics import presence, ratio, value_usd
from mmbot.research.record import MarketRecord, RunRecord
from mmbot.research.trips import AverageCost


class MarketMetrics(Struct, frozen=True, kw_only=True):
    """One market; times and inventory are weighted by time over its samples.

    `gates_pct` is the share of the sampled time that each gate held quotes back.
    """

    symbol: str
    fills_count: int
    volume_usd: float
    pnl_net_usd: float
    fees_usd: float
    funding_usd: float
    closings_count: int
    win_rate_pct: float | None
    holding_s: float | None
    quoted_spread_bps: float | None
    two_sided_pct: float | None
    quoting_pct: float | None
    limit_time_pct: float | None
    inventory_mean_base: float | None
    inventory_sd_base: float | None
    inventory_abs_mean_base: float | None
    inventory_max_base: float
    inventory_final_base: float
    limit_base: float | None
    final_price: float
    gates_pct: dict[str, float]


def measure_markets(record: RunRecord) -> tuple[MarketMetrics, ...]:
    """Compute the metrics of every market."""
    return tuple(_measure(record, index) for index in range(len(record.markets)))


def _measure(record: RunRecord, index: int) -> MarketMetrics:
    entry = record.markets[index]
    market, sums = entry.market, entry.sums
    fills = [fill for fill in record.fills if fill.market == index]
    rate = usd_per_atom(market, entry.final_half_ticks)
    cost = AverageCost(market, fills)
    lot = Fraction(market.lot)
    there = presence([entry])
    span = sums.span_ns
    return MarketMetrics(
        symbol=market.symbol,
        fills_count=len(fills),
        volume_usd=float(value_usd(market, fills)),
        pnl_net_usd=float(rate * entry.pnl_atoms),
        fees_usd=float(rate * sum(fill.fee_atoms for fill in fills)),
        funding_usd=float(rate * sum(p.atoms for p in record.funding if p.market == index)),
        closings_count=cost.closings,
        win_rate_pct=ratio(cost.wins, cost.closings, 100),
        holding_s=ratio(Fraction(sums.abs_lot_ns, 10**9), cost.closed_lots),
        quoted_spread_bps=there.quoted_spread_bps,
        two_sided_pct=there.two_sided_pct,
        quoting_pct=there.quoting_pct,
        limit_time_pct=there.limit_time_pct,
        inventory_mean_base=ratio(lot * sums.lot_ns, span),
        inventory_sd_base=_deviation(entry),
        inventory_abs_mean_base=ratio(lot * sums.abs_lot_ns, span),
        inventory_max_base=float(lot * sums.max_lots),
        inventory_final_base=float(lot * entry.final_lots),
        limit_base=float(lot * entry.limit_lots) if entry.limit_lots else None,
        final_price=float(Fraction(market.tick) * entry.final_half_ticks / 2),
        gates_pct={
            reason: float(Fraction(ns * 100, span)) for reason, ns in entry.gate_ns.items() if span
        },
    )


def _deviation(entry: MarketRecord) -> float | None:
    sums = entry.sums
    if not sums.span_ns:
        return None
    mean = Fraction(sums.lot_ns, sums.span_ns)
    variance = Fraction(sums.square_lot_ns, sums.span_ns) - mean * mean
    return sqrt(variance) * float(entry.market.lot)
