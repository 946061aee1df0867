"""Bars of every market in every resolution, built from its trades.

The last bar of each list is the open one. A stretch without trades has no bar. Days, weeks (from
Monday) and months are UTC. Each list keeps at least KEPT bars: more than a day of minutes, which
is what the 24-hour figures are added up from.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec import Struct, field

from mmbot.exchange.model import Trade

KEPT = 1500
_NS = 10**9
_DAY_S = 86_400
_MONTH = 0
# Seconds a bar lasts (protocol 4.1); 4H is another name of 240.
RESOLUTIONS = {
    "1": 60,
    "5": 300,
    "15": 900,
    "30": 1800,
    "60": 3600,
    "240": 14_400,
    "1D": _DAY_S,
    "1W": 7 * _DAY_S,
    "1M": _MONTH,
}
ALIASES = {"4H": "240", "D": "1D", "W": "1W", "M": "1M"}
# 1970 began on a Thursday.
_MONDAY_S = 4 * _DAY_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bar(Struct, gc=False):
    """Prices in ticks; `turnover` is the sum of ticks x lots; from `start_s` until `end_s`."""

    start_s: int
    end_s: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    turnover: int = 0

    def add(self, ticks: int, lots: int) -> None:
        """Take one more trade into the bar."""
        if ticks > self.high:
            self.high = ticks
        elif ticks < self.low:
            self.low = ticks
        self.close = ticks
        self.lots += lots
        self.turnover += ticks * lots


class Day(NamedTuple):
    """The last 24 hours to the minute; prices in ticks, None without trades."""

    lots: int
    turnover: int
    high: int | None
    low: int | None
    close: int | None
    previous_close: int | None


class Candles(Struct):
    """The bars of all markets, by market id and resolution, oldest first."""

    markets: dict[int, dict[str, list[Bar]]] = field(default_factory=dict)

    def add(self, trade: Trade) -> None:
        """Take a trade into the open bar of every resolution; a late one joins the open bar."""
        series = self.markets.get(trade.market_id)
        if series is None:
            series = self.markets[trade.market_id] = {name: [] for name in RESOLUTIONS}
        second = trade.time_ns // _NS
        for name, bars in series.items():
            if not bars or second >= bars[-1].end_s:
                _open(bars, name, second, trade.ticks)
            bars[-1].add(trade.ticks, trade.lots)

    def bars(self, market_id: int, resolution: str) -> list[Bar]:
        """All bars kept, oldest first; KeyError for a resolution that does not exist."""
        name = ALIASES.get(resolution, resolution)
        if name not in RESOLUTIONS:
            raise KeyError(resolution)
        return self.markets.get(market_id, {}).get(name, [])

    def between(self, market_id: int, resolution: str, since_s: int, until_s: int) -> list[Bar]:
        """Bars that start in since_s <= start < until_s, oldest first; KeyError as in `bars`."""
        bars = self.bars(market_id, resolution)
        first = bisect_left(bars, since_s, key=_start)
        return bars[first : bisect_left(bars, until_s, key=_start)]

    def day(self, market_id: int, now_ns: int) -> Day:
        """Figures of the last 24 hours, from the minutes that began in them."""
        bars = self.bars(market_id, "1")
        first = bisect_left(bars, now_ns // _NS - _DAY_S, key=_start)
        last = bars[first:]
        return Day(
            lots=sum(bar.lots for bar in last),
            turnover=sum(bar.turnover for bar in last),
            high=max((bar.high for bar in last), default=None),
            low=min((bar.low for bar in last), default=None),
            close=bars[-1].close if bars else None,
            previous_close=bars[first - 1].close if first else None,
        )


def _open(bars: list[Bar], name: str, second: int, ticks: int) -> None:
    start, end = _span(name, second)
    bars.append(Bar(start, end, ticks, ticks, ticks, ticks))
    if len(bars) >= 2 * KEPT:
        del bars[:KEPT]


def _span(name: str, second: int) -> tuple[int, int]:
    length = RESOLUTIONS[name]
    if length == _MONTH:
        first = (_EPOCH + timedelta(seconds=second)).replace(day=1, hour=0, minute=0, second=0)
        after = (first + timedelta(days=32)).replace(day=1)
        return int(first.timestamp()), int(after.timestamp())
    start = second - (second - (_MONDAY_S if name == "1W" else 0)) % length
    return start, start + length


def _start(bar: Bar) -> int:
    return bar.start_s
