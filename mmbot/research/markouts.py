"""Markouts: how far the mid moved in favour of our fills, in bps of their value.

A fill's markout at h is s x (U(mid at h) - U(price)); the mean weighs fills by value, so mean x
volume is money. Fills close in time share the same price move: standard errors are clustered in
blocks of time of twice the horizon, 10 s at least.
"""

from math import sqrt

from msgspec import Struct

from mmbot.domain.market import Contract
from mmbot.domain.order import Side
from mmbot.research.attribution import mark_after
from mmbot.research.record import FillRecord, RunRecord

MIN_BLOCK_NS = 10_000_000_000


class Markout(Struct, frozen=True):
    """Value-weighted mean of one side ("all", "bid", "ask") at one horizon.

    `unmatured_count` fills were cut short by the end of the run and are left out; `se_bps` is
    None with fewer than two blocks, `mean_bps` without fills.
    """

    horizon_s: float
    side: str
    fills_count: int
    unmatured_count: int
    mean_bps: float | None
    se_bps: float | None


def markouts(record: RunRecord) -> tuple[Markout, ...]:
    """Measure the quotes' fills (hedges left out) at 0 s and every horizon, for each side."""
    result = []
    for horizon in range(-1, len(record.horizons_ns)):
        values = [_value(record, fill, horizon) for fill in record.fills if not fill.hedge]
        for name, sides in (
            ("all", (Side.BID, Side.ASK)),
            ("bid", (Side.BID,)),
            ("ask", (Side.ASK,)),
        ):
            chosen = [value for value in values if value.side in sides]
            result.append(_measure(record, horizon, name, chosen))
    return tuple(result)


class _Value(Struct, frozen=True, gc=False):
    side: Side
    ts_ns: int
    notional_usd: float
    profit_usd: float
    matured: bool


def _value(record: RunRecord, fill: FillRecord, horizon: int) -> _Value:
    market = record.markets[fill.market].market
    mark = fill.mark_half_ticks if horizon < 0 else mark_after(record, fill, horizon)
    paid = market.unit_value(2 * fill.ticks)
    usd = float(market.atom)
    if market.contract is Contract.INVERSE:
        usd *= float(market.tick) * fill.mark_half_ticks / 2
    matured = horizon < 0 or (
        fill.number in record.marks[horizon] and fill.number not in record.unmatured[horizon]
    )
    return _Value(
        side=fill.side,
        ts_ns=fill.ts_exch_ns,
        notional_usd=fill.lots * abs(paid) * usd,
        profit_usd=fill.side * fill.lots * (market.unit_value(mark) - paid) * usd,
        matured=matured,
    )


def _measure(record: RunRecord, horizon: int, name: str, values: list[_Value]) -> Markout:
    horizon_ns = record.horizons_ns[horizon] if horizon >= 0 else 0
    matured = [value for value in values if value.matured]
    volume = sum(value.notional_usd for value in matured)
    mean = sum(value.profit_usd for value in matured) / volume if matured else None
    return Markout(
        horizon_s=horizon_ns / 1e9,
        side=name,
        fills_count=len(matured),
        unmatured_count=len(values) - len(matured),
        mean_bps=None if mean is None else mean * 1e4,
        se_bps=None if mean is None else _clustered_error(matured, mean, volume, horizon_ns),
    )


def _clustered_error(
    values: list[_Value], mean: float, volume: float, horizon_ns: int
) -> float | None:
    """Standard error of a ratio with clusters: Cochran, Sampling Techniques, 1977, eq. 6.12."""
    block_ns = max(MIN_BLOCK_NS, 2 * horizon_ns)
    residuals: dict[int, float] = {}
    for value in values:
        block = value.ts_ns // block_ns
        residual = value.profit_usd - mean * value.notional_usd
        residuals[block] = residuals.get(block, 0.0) + residual
    blocks = len(residuals)
    if blocks < 2:
        return None
    squares = sum(residual * residual for residual in residuals.values())
    return sqrt(squares * blocks / (blocks - 1)) / volume * 1e4
