"""Running sums of a run: exact over every sample, in memory that does not grow with the run.

A sample's values hold until the next one. Times are ns, prices half ticks, equity micro-USD.
"""

from typing import Generic, TypeVar

from msgspec import Struct

from mmbot.errors import InvariantViolation

MINUTE_NS = 60_000_000_000

Point = TypeVar("Point")


class QuoteSample(Struct, frozen=True, gc=False):
    """What one market looked like after a decision.

    `pnl_atoms` is net of fees and funding; a quote of 0 ticks means that side does not quote;
    `bid_lots` and `ask_lots` are the sizes of the best own quotes.
    """

    ts_ns: int
    market: int
    mid_half_ticks: int
    position_lots: int
    pnl_atoms: int
    bid_quote_ticks: int
    ask_quote_ticks: int
    bid_lots: int
    ask_lots: int


class EquityPoint(Struct, frozen=True, gc=False):
    """Account equity at a moment; `fees_uusd` is what fees have cost so far."""

    ts_ns: int
    net_uusd: int
    fees_uusd: int


class Thinned(Generic[Point]):
    """Every n-th point of a stream; n doubles whenever `limit` points are reached."""

    __slots__ = ("limit", "points", "skipped", "stride")

    def __init__(self, limit: int) -> None:
        if limit < 2:
            raise ValueError(f"a series needs room for 2 points, not {limit}")
        self.limit = limit
        self.points: list[Point] = []
        self.stride = 1
        self.skipped = 0

    def add(self, point: Point) -> None:
        """Take the next point of the stream, or skip it."""
        if self.skipped:
            self.skipped -= 1
            return
        self.points.append(point)
        if len(self.points) >= self.limit:
            del self.points[1::2]
            self.stride *= 2
            # With an odd limit the point just added survives, with an even one it is dropped.
            self.skipped = self.stride - 1 if self.limit % 2 else self.stride // 2 - 1
        else:
            self.skipped = self.stride - 1

    def keep(self, point: Point) -> None:
        """Add a point that must not be thinned away: the last one, if it is not there yet."""
        if not self.points or self.points[-1] != point:
            self.points.append(point)


class MarketSums:
    """Integrals over time of one market; `_ns` after a unit means unit times nanosecond."""

    __slots__ = (
        "abs_lot_ns",
        "limit_ns",
        "lot_ns",
        "max_lots",
        "mid_half_tick_ns",
        "quoting_ns",
        "samples",
        "span_ns",
        "spread_tick_ns",
        "square_lot_ns",
        "two_sided_ns",
    )

    def __init__(self) -> None:
        self.span_ns = 0
        self.quoting_ns = 0
        self.two_sided_ns = 0
        self.spread_tick_ns = 0
        self.mid_half_tick_ns = 0
        self.lot_ns = 0
        self.abs_lot_ns = 0
        self.square_lot_ns = 0
        self.limit_ns = 0
        self.max_lots = 0
        self.samples = 0

    def hold(self, sample: QuoteSample, until_ns: int, limit_lots: int) -> None:
        """Let `sample` stand until `until_ns`; InvariantViolation when time goes back."""
        ns = until_ns - sample.ts_ns
        if ns < 0:
            raise InvariantViolation(f"sample at {until_ns} ns comes after {sample.ts_ns} ns")
        lots = sample.position_lots
        self.span_ns += ns
        if lots:
            size = abs(lots)
            lot_ns = ns * size
            self.lot_ns += ns * lots
            self.abs_lot_ns += lot_ns
            self.square_lot_ns += lot_ns * size
            if 0 < limit_lots <= size:
                self.limit_ns += ns
        bid = sample.bid_quote_ticks
        ask = sample.ask_quote_ticks
        if bid and ask:
            self.quoting_ns += ns
            self.two_sided_ns += ns
            self.spread_tick_ns += ns * (ask - bid)
            self.mid_half_tick_ns += ns * sample.mid_half_ticks
        elif bid or ask:
            self.quoting_ns += ns


class Drawdown:
    """Falls of equity from its peak: the deepest in money, the deepest in share, the longest.

    `longest_ns` is the longest time from a peak to the last sample below it, recovered or not.
    """

    __slots__ = (
        "deepest_uusd",
        "longest_ns",
        "peak_ts_ns",
        "peak_uusd",
        "share_fall_uusd",
        "share_peak_uusd",
    )

    def __init__(self, initial_uusd: int) -> None:
        self.peak_uusd = initial_uusd
        self.peak_ts_ns = -1
        self.deepest_uusd = 0
        self.longest_ns = 0
        self.share_fall_uusd = 0
        self.share_peak_uusd = 1

    def add(self, ts_ns: int, equity_uusd: int) -> None:
        """Take the equity at a moment."""
        peak_ts_ns = self.peak_ts_ns
        peak = self.peak_uusd
        fall = peak - equity_uusd
        if fall <= 0 or peak_ts_ns < 0:
            if fall < 0:
                self.peak_uusd = equity_uusd
            self.peak_ts_ns = ts_ns
        elif ts_ns - peak_ts_ns > self.longest_ns:
            self.longest_ns = ts_ns - peak_ts_ns
        if fall <= 0:
            return
        if fall > self.deepest_uusd:
            self.deepest_uusd = fall
        if fall * self.share_peak_uusd > self.share_fall_uusd * peak:
            self.share_fall_uusd = fall
            self.share_peak_uusd = peak


class EquitySums:
    """Equity of the account: its fall from the peak, the close of every minute, a series."""

    __slots__ = ("closes", "drawdown", "fees_uusd", "minute", "minute_end_ns", "net_uusd", "series")

    def __init__(self, initial_uusd: int, max_points: int) -> None:
        self.net_uusd = initial_uusd
        self.fees_uusd = 0
        self.drawdown = Drawdown(initial_uusd)
        self.closes: list[tuple[int, int]] = []
        self.minute = -1
        self.minute_end_ns = 0
        self.series: Thinned[EquityPoint] = Thinned(max_points)

    def change(self, ts_ns: int, by_uusd: int) -> None:
        """Take a change of equity in micro-USD (0 counts: time has passed)."""
        if ts_ns >= self.minute_end_ns:
            if self.minute >= 0:
                self.closes.append((self.minute, self.net_uusd))
            self.minute = ts_ns // MINUTE_NS
            self.minute_end_ns = (self.minute + 1) * MINUTE_NS
        self.net_uusd += by_uusd
        self.drawdown.add(ts_ns, self.net_uusd)
        series = self.series
        if series.skipped:
            series.skipped -= 1
        else:
            series.add(EquityPoint(ts_ns, self.net_uusd, self.fees_uusd))

    def finish(self, ts_ns: int) -> None:
        """End the last minute and the series."""
        self.closes.append((self.minute, self.net_uusd))
        self.series.keep(EquityPoint(ts_ns, self.net_uusd, self.fees_uusd))
