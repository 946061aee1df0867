"""The numbers of a run: profit, risk, trading, presence. Exact until the last division.

Every key carries its unit; None means that there is nothing to divide by, or, for the Sharpe
ratios, the reason given beside it. Inverse contracts convert to USD at the final mark.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import sqrt

from msgspec import Struct, structs

from mmbot.domain.market import MICRO, Contract, Market
from mmbot.domain.order import Side
from mmbot.research.attribution import usd_per_atom
from mmbot.research.record import FillRecord, MarketRecord, OrderCount, RunRecord
from mmbot.research.trips import AverageCost

MINUTES_PER_YEAR = 365 * 24 * 60
MIN_MINUTES = 30
MIN_HOURS = 24

Number = int | Fraction
MetricValue = float | str | None


class Profit(Struct, frozen=True, kw_only=True):
    """What was earned. Gross is before fees, funding included; net is after fees."""

    span_s: float
    initial_equity_usd: float
    final_equity_usd: float
    pnl_gross_usd: float
    pnl_net_usd: float
    fees_usd: float
    funding_usd: float
    return_pct: float
    volume_usd: float
    pnl_gross_bps: float | None
    pnl_net_bps: float | None
    turnover_ratio: float


class Risk(Struct, frozen=True, kw_only=True):
    """Annualised Sharpe ratios of equity changes; drawdown over every sample.

    `max_drawdown_s` is the longest time from a peak to the last sample below it.
    """

    sharpe_minute_ratio: float | None
    sharpe_minute_reason: str | None
    sharpe_hour_ratio: float | None
    sharpe_hour_reason: str | None
    max_drawdown_usd: float
    max_drawdown_pct: float
    max_drawdown_s: float


class Trading(Struct, frozen=True, kw_only=True):
    """Fills and orders.

    A win is a fill that closes lots with a profit over their average cost, both fees paid.
    `holding_s` is the integral of the position over the lots closed, weighted by value.
    `both_sided_pct` is twice the smaller side's share of the volume.
    """

    fills_count: int
    hedge_fills_count: int
    placed_count: int
    cancelled_count: int
    rejected_count: int
    post_only_rejected_count: int
    requests_count: int
    requests_per_s: float | None
    fill_rate_pct: float | None
    fills_per_quote_s: float | None
    cancels_per_fill_ratio: float | None
    maker_volume_pct: float | None
    taker_volume_pct: float | None
    both_sided_pct: float | None
    closings_count: int
    win_rate_pct: float | None
    holding_s: float | None


class Presence(Struct, frozen=True, kw_only=True):
    """Quotes and inventory, weighted by time; shares are of the markets' summed sampled time.

    Inventory is valued at the final mark. `limit_time_pct` is None when no limit was set.
    """

    quoted_spread_bps: float | None
    two_sided_pct: float | None
    quoting_pct: float | None
    limit_time_pct: float | None
    inventory_abs_mean_usd: float | None
    inventory_max_usd: float


class Metrics(Struct, frozen=True):
    """All markets together."""

    profit: Profit
    risk: Risk
    trading: Trading
    presence: Presence

    def flat(self) -> dict[str, MetricValue]:
        """Return every metric under its own key."""
        parts = (self.profit, self.risk, self.trading, self.presence)
        return {key: value for part in parts for key, value in structs.asdict(part).items()}


def measure(record: RunRecord) -> Metrics:
    """Compute the account-wide metrics of a run."""
    return Metrics(_profit(record), _risk(record), _trading(record), presence(record.markets))


def value_usd(market: Market, fills: Sequence[FillRecord]) -> Fraction:
    """Traded value of a market's fills in USD, exact."""
    if market.contract is Contract.INVERSE:
        return Fraction(market.lot * market.contract_size) * sum(fill.lots for fill in fills)
    per_tick_lot = Fraction(market.tick * market.lot * market.contract_size)
    return per_tick_lot * sum(fill.ticks * fill.lots for fill in fills)


def volume_usd(record: RunRecord, fills: Sequence[FillRecord]) -> Fraction:
    """Traded value of fills of any market in USD, exact."""
    total = Fraction(0)
    for index, entry in enumerate(record.markets):
        total += value_usd(entry.market, [fill for fill in fills if fill.market == index])
    return total


def ratio(part: Number, whole: Number, scale: int = 1) -> float | None:
    """Return part / whole x scale, or None when there is no whole."""
    return float(Fraction(part) / whole * scale) if whole else None


def presence(markets: Sequence[MarketRecord]) -> Presence:
    """Compute quoting and inventory of some markets."""
    span = sum(m.sums.span_ns for m in markets)
    limited = [m for m in markets if m.limit_lots]
    spread, mid, absolute, largest = Fraction(0), Fraction(0), Fraction(0), Fraction(0)
    for entry in markets:
        tick = Fraction(entry.market.tick)
        spread += tick * entry.sums.spread_tick_ns
        mid += tick * entry.sums.mid_half_tick_ns / 2
        lot_usd = _lot_usd(entry)
        absolute += lot_usd * entry.sums.abs_lot_ns
        largest += lot_usd * entry.sums.max_lots
    return Presence(
        quoted_spread_bps=ratio(spread, mid, 10_000),
        two_sided_pct=ratio(sum(m.sums.two_sided_ns for m in markets), span, 100),
        quoting_pct=ratio(sum(m.sums.quoting_ns for m in markets), span, 100),
        limit_time_pct=ratio(
            sum(m.sums.limit_ns for m in limited), sum(m.sums.span_ns for m in limited), 100
        ),
        inventory_abs_mean_usd=ratio(absolute * len(markets), span),
        inventory_max_usd=float(largest),
    )


def _profit(record: RunRecord) -> Profit:
    initial = Fraction(record.initial_uusd, MICRO)
    net = fees = funding = Fraction(0)
    for index, entry in enumerate(record.markets):
        rate = usd_per_atom(entry.market, entry.final_half_ticks)
        net += rate * entry.pnl_atoms
        fees += rate * sum(fill.fee_atoms for fill in record.fills if fill.market == index)
        funding += rate * sum(paid.atoms for paid in record.funding if paid.market == index)
    volume = volume_usd(record, record.fills)
    return Profit(
        span_s=(record.end_ns - record.start_ns) / 1e9,
        initial_equity_usd=float(initial),
        final_equity_usd=float(initial + net),
        pnl_gross_usd=float(net + fees),
        pnl_net_usd=float(net),
        fees_usd=float(fees),
        funding_usd=float(funding),
        return_pct=float(net / initial * 100),
        volume_usd=float(volume),
        pnl_gross_bps=ratio(net + fees, volume, 10_000),
        pnl_net_bps=ratio(net, volume, 10_000),
        turnover_ratio=float(volume / initial),
    )


def _risk(record: RunRecord) -> Risk:
    minute, minute_reason = sharpe(record.minute_closes, 1, MIN_MINUTES)
    hour, hour_reason = sharpe(record.minute_closes, 60, MIN_HOURS)
    fall = record.drawdown
    return Risk(
        sharpe_minute_ratio=minute,
        sharpe_minute_reason=minute_reason,
        sharpe_hour_ratio=hour,
        sharpe_hour_reason=hour_reason,
        max_drawdown_usd=fall.deepest_uusd / MICRO,
        max_drawdown_pct=float(Fraction(fall.share_fall_uusd * 100, fall.share_peak_uusd)),
        max_drawdown_s=fall.longest_ns / 1e9,
    )


def sharpe(
    closes: Sequence[tuple[int, int]], minutes: int, least: int
) -> tuple[float | None, str | None]:
    """Annualised Sharpe ratio of changes of equity over periods of `minutes`, or why there is none.

    `closes` are (minute, micro-USD). Only whole periods count; one without a sample did not move.
    """
    ends = {minute // minutes: equity for minute, equity in closes}
    whole = list(ends.items())[:-1]
    periods = whole[-1][0] - whole[0][0] if whole else 0
    unit = "minutes" if minutes == 1 else "hours"
    if periods < least:
        return None, f"needs {least} whole {unit}, has {periods}"
    changes = [after[1] - before[1] for before, after in pairwise(whole)]
    total = sum(changes)
    squares = periods * sum(change * change for change in changes) - total * total
    if not squares:
        return None, "equity does not move"
    mean_over_deviation = total / sqrt(squares) * sqrt((periods - 1) / periods)
    return mean_over_deviation * sqrt(MINUTES_PER_YEAR / minutes), None


def _trading(record: RunRecord) -> Trading:
    fills = record.fills
    counts = record.counts
    volume = volume_usd(record, fills)
    maker = volume_usd(record, [fill for fill in fills if fill.maker])
    bids = volume_usd(record, [fill for fill in fills if fill.side is Side.BID])
    requests = counts[OrderCount.REQUESTS]
    placed = counts[OrderCount.PLACED]
    closings = wins = 0
    held_ns, closed = Fraction(0), Fraction(0)
    for index, entry in enumerate(record.markets):
        cost = AverageCost(entry.market, [fill for fill in fills if fill.market == index])
        closings += cost.closings
        wins += cost.wins
        held_ns += _lot_usd(entry) * entry.sums.abs_lot_ns
        closed += _lot_usd(entry) * cost.closed_lots
    return Trading(
        fills_count=len(fills),
        hedge_fills_count=sum(fill.hedge for fill in fills),
        placed_count=placed,
        cancelled_count=counts[OrderCount.CANCELLED],
        rejected_count=counts[OrderCount.REJECTED],
        post_only_rejected_count=counts[OrderCount.POST_ONLY_REJECTED],
        requests_count=requests,
        requests_per_s=ratio(requests * 10**9, record.end_ns - record.start_ns),
        fill_rate_pct=ratio(len(fills), placed, 100),
        fills_per_quote_s=ratio(
            len(fills) * 10**9, sum(entry.sums.quoting_ns for entry in record.markets)
        ),
        cancels_per_fill_ratio=ratio(counts[OrderCount.CANCELLED], len(fills)),
        maker_volume_pct=ratio(maker, volume, 100),
        taker_volume_pct=ratio(volume - maker, volume, 100),
        both_sided_pct=ratio(2 * min(bids, volume - bids), volume, 100),
        closings_count=closings,
        win_rate_pct=ratio(wins, closings, 100),
        holding_s=ratio(held_ns / 10**9, closed),
    )


def _lot_usd(entry: MarketRecord) -> Fraction:
    """Value of one lot at the final mark."""
    market = entry.market
    value = Fraction(market.lot * market.contract_size)
    if market.contract is Contract.LINEAR:
        value *= Fraction(market.tick) * entry.final_half_ticks / 2
    return value
