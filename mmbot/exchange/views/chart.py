"""The chart's data feed in TradingView's UDF form: configuration, symbols, bars (protocol 3.13)."""

from bisect import bisect_left
from collections.abc import Callable

from mmbot.exchange.bars import RESOLUTIONS, Bar
from mmbot.exchange.views.asked import U64, Asked, MarketView, market_view
from mmbot.exchange.views.decimals import Number

_MOST_BARS = 5000


def config(_asked: Asked) -> object:
    """What the feed can do."""
    return {
        "supported_resolutions": list(RESOLUTIONS),
        "supports_group_request": False,
        "supports_marks": False,
        "supports_search": False,
        "supports_time": False,
        "supports_timescale_marks": False,
    }


def symbols(asked: Asked) -> object:
    """Terms of one market for the chart."""
    market = _market(asked)
    if market is None:
        return _error("unknown_symbol")
    symbol = market.params.symbol
    return {
        "name": symbol,
        "ticker": symbol,
        "description": symbol,
        "type": "crypto",
        "session": "24x7",
        "timezone": "Etc/UTC",
        "exchange": "01",
        "listed_exchange": "01",
        "minmov": 1,
        "pricescale": market.price.one,
        "volume_precision": market.size.places,
        "has_intraday": True,
        "has_daily": True,
        "has_weekly_and_monthly": True,
        "supported_resolutions": list(RESOLUTIONS),
        "data_status": "streaming",
    }


def history(asked: Asked) -> object:
    """Bars from `from` (or `countback` of them) up to but without `to`."""
    market = _market(asked)
    if market is None:
        return _error("unknown_symbol")
    since, until = asked.integer("from", U64), asked.integer("to", U64)
    countback = asked.integer("countback")
    try:
        bars = asked.exchange.state.candles.bars(
            market.market_id, asked.query.get("resolution") or "1"
        )
    except KeyError:
        return _error("unknown resolution")
    end = len(bars) if until is None else bisect_left(bars, until, key=_start)
    first = 0 if since is None else bisect_left(bars, since, key=_start)
    if countback is not None:
        first = max(end - countback, 0)
    shown = bars[max(first, end - _MOST_BARS) : end]
    if shown:
        return _columns(market, shown)
    earlier = bars[: min(first, end)]
    return {"s": "no_data", **({"nextTime": earlier[-1].start_s} if earlier else {})}


def _columns(market: MarketView, bars: list[Bar]) -> object:
    def prices(of: Callable[[Bar], int]) -> list[Number]:
        return [market.price(of(bar)) for bar in bars]

    return {
        "s": "ok",
        "t": [bar.start_s for bar in bars],
        "o": prices(lambda bar: bar.open),
        "h": prices(lambda bar: bar.high),
        "l": prices(lambda bar: bar.low),
        "c": prices(lambda bar: bar.close),
        "v": [market.size(bar.lots) for bar in bars],
    }


def _market(asked: Asked) -> MarketView | None:
    named = asked.query.get("symbol")
    market_id = asked.integer("market_id")
    markets = asked.exchange.params.markets
    if market_id is None:
        market_id = next((at for at, each in enumerate(markets) if each.symbol == named), None)
    if market_id is None or market_id >= len(markets):
        return None
    return market_view(asked.exchange, market_id)


def _start(bar: Bar) -> int:
    return bar.start_s


def _error(text: str) -> object:
    return {"s": "error", "errmsg": text}
