"""Minute candles of a market: every longer resolution and the day's figures follow from them."""

from collections.abc import Iterable

from mmbot.exchange.model import Candle, Trade
from mmbot.exchange.state import NS, Market, keep_newest

MINUTE_S = 60


def add(market: Market, trades: Iterable[Trade], count: int) -> None:
    """Count trades, in engine order, into the market's minutes and keep the newest `count`."""
    for trade in trades:
        minute = trade.time_ns // NS // MINUTE_S * MINUTE_S
        last = market.candles[-1] if market.candles else None
        if last is None or last.minute_s < minute:
            ticks = trade.ticks
            last = Candle(minute, ticks, ticks, ticks, ticks, 0, 0)
            market.candles.append(last)
            keep_newest(market.candles, count)
        last.high_ticks = max(last.high_ticks, trade.ticks)
        last.low_ticks = min(last.low_ticks, trade.ticks)
        last.close_ticks = trade.ticks
        last.lots += trade.lots
        last.ticklots += trade.ticks * trade.lots
