"""Views of markets and tokens: info, books, statistics, fees (protocol 3.3-3.6, 3.13)."""

from mmbot.domain.order import Side
from mmbot.exchange.engine.funding import projected_rate
from mmbot.exchange.model import USDC, HourSnapshot
from mmbot.exchange.state import HOUR_NS
from mmbot.exchange.views.asked import Asked, MarketView, bad_query, market_view, not_found
from mmbot.exchange.views.decimals import SCALES, Number, Scale, pairs, price_of, ratio, timestamp
from mmbot.exchange.views.paging import limits, page
from mmbot.exchange.views.trade_index import trades_of

_PPM = 1_000_000
_HOURS_SHOWN = 24
_HOURS_MOST = 255
# Decimals of an atom of money (10^-12 USD).
_ATOM_PLACES = 12


def info(asked: Asked) -> object:
    """Markets and tokens, by id from 0 without holes."""
    params = asked.exchange.params
    markets = [
        {
            "marketId": market_id,
            "symbol": market.symbol,
            "priceDecimals": market.price_decimals,
            "sizeDecimals": market.size_decimals,
            "baseTokenId": 0,
            "quoteTokenId": 0,
            "imf": market.imf_ppm / _PPM,
            "mmf": market.mmf_ppm / _PPM,
            "cmf": market.cmf_ppm / _PPM,
        }
        for market_id, market in enumerate(params.markets)
    ]
    tokens = [
        {
            "tokenId": token_id,
            "symbol": token.symbol,
            "decimals": token.decimals,
            "mintAddr": token.mint,
            "weightBps": token.weight_bps,
        }
        for token_id, token in enumerate(params.tokens)
    ]
    return {"markets": markets, "tokens": tokens}


def orderbook(asked: Asked) -> object:
    """The whole book: best prices first, totals of each side."""
    market = asked.market()
    exchange = asked.exchange
    answer: dict[str, object] = {"updateId": exchange.state.markets[market.market_id].update_id}
    clob = exchange.clobs[market.market_id]
    for name, side in (("asks", Side.ASK), ("bids", Side.BID)):
        lots, count = clob.side_sum(side)
        levels = clob.levels(side, count)
        answer[name] = levels_shown(levels, market, as_objects=asked.rules.object_levels)
        answer[f"{name}Summary"] = {"sum": market.size(lots), "count": count}
    return answer


def levels_shown(
    levels: list[tuple[int, int]], market: MarketView, *, as_objects: bool
) -> list[object]:
    """Levels as [price, size] or as objects, the two forms clients know (protocol 3.4)."""
    shown = pairs(levels, market.price, market.size)
    if as_objects:
        return [{"price": price, "size": size} for price, size in shown]
    return [*shown]


def stats(asked: Asked) -> object:
    """Index, mark and the last 24 hours of a market."""
    market = asked.market()
    state = asked.exchange.state
    day = state.candles.day(market.market_id, state.now_ns)
    index, confidence, mark = _oracle(asked, market)
    shown = None if asked.rules.null_prices else market.price
    return {
        "indexPrice": index,
        "indexPriceConf": confidence,
        "frozen": _frozen(asked, market),
        "volumeBase24h": market.size(day.lots),
        "volumeQuote24h": market.turnover(day.turnover),
        "high24h": _price(day.high, shown),
        "low24h": _price(day.low, shown),
        "close24h": _price(day.close, shown),
        "prevClose24h": _price(day.previous_close, shown),
        "perpStats": _perpetual(asked, market, mark),
    }


def _perpetual(asked: Asked, market: MarketView, mark: Number | None) -> object:
    # A new or frozen market has none.
    known = asked.exchange.state.markets[market.market_id]
    if known.index_ticks is None or _frozen(asked, market):
        return None
    return {
        "mark_price": mark,
        "aggregated_funding_index": funding_index(market, known.funding_index),
        "funding_rate": ratio(known.funding_rate),
        "next_funding_time": _next_funding(asked),
        "open_interest": market.size(_open_interest(asked).get(market.market_id, 0)),
    }


def markets_live(asked: Asked) -> object:
    """Index, mark, funding and open interest of all markets."""
    open_lots = _open_interest(asked)
    markets = range(len(asked.exchange.params.markets))
    shown = [_live(asked, market_view(asked.exchange, each), open_lots) for each in markets]
    return {"markets": shown}


def market_live(asked: Asked) -> object:
    """The same of one market, with the best prices of its book."""
    market = asked.market()
    bid, ask = asked.exchange.clobs[market.market_id].best()
    best = {"bestBidPrice": _price(bid, market.price), "bestAskPrice": _price(ask, market.price)}
    return {**_live(asked, market, _open_interest(asked)), "clob": best}


def _live(asked: Asked, market: MarketView, open_lots: dict[int, int]) -> dict[str, object]:
    index, confidence, mark = _oracle(asked, market)
    known = asked.exchange.state.markets[market.market_id]
    perpetuals = {
        "markPrice": mark,
        "projectedFundingRate": ratio(projected_rate(asked.exchange.params.funding, known)),
        "nextFundingTime": _next_funding(asked),
        "openInterest": market.size(open_lots.get(market.market_id, 0)),
    }
    return {
        "marketId": market.market_id,
        "indexPrice": index,
        "indexPriceConf": confidence,
        "frozen": _frozen(asked, market),
        **(perpetuals if asked.rules.flat_live else {"perpetuals": perpetuals}),
    }


def _oracle(asked: Asked, market: MarketView) -> tuple[Number | None, Number | None, Number | None]:
    # Index, its confidence (our oracle is certain), mark.
    if asked.rules.null_prices:
        return None, None, None
    known = asked.exchange.state.markets[market.market_id]
    confidence = None if known.index_ticks is None else 0.0
    index = price_of(known.index_ticks, market.price)
    return index, confidence, price_of(known.mark_ticks, market.price)


def _price(ticks: int | None, scale: Scale | None) -> Number | None:
    return None if ticks is None or scale is None else scale(ticks)


def _frozen(asked: Asked, market: MarketView) -> bool:
    return market.market_id in asked.exchange.rules.frozen_markets


def _next_funding(asked: Asked) -> str:
    return timestamp((asked.exchange.state.now_ns // HOUR_NS + 1) * HOUR_NS)


def _open_interest(asked: Asked) -> dict[int, int]:
    # Lots of all longs by market; the house holds the other side, so the shorts are as many.
    found: dict[int, int] = {}
    for held in asked.exchange.state.accounts.values():
        for market_id, position in held.positions.items():
            found[market_id] = found.get(market_id, 0) + max(position.lots, 0)
    return found


def funding_index(market: MarketView, atoms_per_lot: int) -> Number:
    """USD that one unit of base paid since the start."""
    return SCALES[_ATOM_PLACES - market.size.places](atoms_per_lot)


def hours(asked: Asked) -> object:
    """Snapshots of a market at the full hour, newest first."""
    market = asked.market()

    def show(hour: HourSnapshot) -> object:
        return {
            "marketId": market.market_id,
            "time": timestamp(hour.time_ns),
            "actionId": asked.id(hour.action_id),
            "fundingIndex": funding_index(market, hour.funding_index),
            "fundingRate": ratio(hour.funding_rate),
            "indexPrice": price_of(hour.index_ticks, market.price),
            "markPrice": price_of(hour.mark_ticks, market.price),
        }

    rows = [hour for hour in asked.exchange.state.hours if hour.market_id == market.market_id]
    within = limits(asked, _HOURS_SHOWN, _HOURS_MOST)
    return page(asked, rows, lambda hour: hour.action_id, show, within=within)


def previous_price(asked: Asked) -> object:
    """Price of the last trade at or before a moment (default now), null when none is kept."""
    market = asked.market()
    moment = asked.time_ns("atOrBefore")
    trades = trades_of(asked.exchange).of_market(market.market_id)
    kept = (trade for trade in reversed(trades) if moment is None or trade.time_ns <= moment)
    last = next(kept, None)
    return {
        "marketId": market.market_id,
        "price": _price(last.ticks if last else None, market.price),
    }


def fee_brackets(asked: Asked) -> object:
    """Fees of every tier in parts per million (protocol 6)."""
    return [
        (tier, {"maker_fee_ppm": fees.maker_ppm, "taker_fee_ppm": fees.taker_ppm})
        for tier, fees in enumerate(asked.exchange.params.fee_tiers)
    ]


def market_fee(asked: Asked) -> object:
    """Fee of an account as maker or taker, a fraction of the notional; negative is charged."""
    asked.market()
    role = asked.names[1]
    fees = asked.exchange.params.fee_tiers[asked.account(2).fee_tier]
    if role not in ("maker", "taker"):
        bad_query()
    return ratio(-(fees.maker_ppm if role == "maker" else fees.taker_ppm) / _PPM)


def token_stats(asked: Asked) -> object:
    """A token and its price; the money of the exchange is worth one dollar by definition."""
    token_id = asked.name_id()
    tokens = asked.exchange.params.tokens
    if token_id >= len(tokens):
        not_found()
    token = tokens[token_id]
    return {
        "symbol": token.symbol,
        "decimals": token.decimals,
        "mintAddr": token.mint,
        "weightBps": token.weight_bps,
        "oracleSymbol": f"Crypto.{token.symbol}/USD",
        "indexPrice": {"median": 1.0, "confidence": 0.0} if token_id == USDC else None,
    }
