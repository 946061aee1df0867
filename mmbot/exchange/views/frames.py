"""Stream messages from what the engine changed (protocol 4.2), in the forms seen live.

A bar is told after every action that traded in its market, once for each resolution somebody
wants. Who gets a message is the server's business.
"""

from collections.abc import Container, Sequence

from msgspec import json

from mmbot.domain.order import Side
from mmbot.exchange.bars import ALIASES, RESOLUTIONS, Bar
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import (
    AccountChange,
    AccountFill,
    BookChange,
    Change,
    Order,
    Trade,
    TradesPrinted,
)
from mmbot.exchange.views.asked import SIDE_NAMES, MarketView, ViewRules, market_view
from mmbot.exchange.views.decimals import ATOMS, Number, average, timestamp
from mmbot.exchange.views.markets import levels_shown

# Every resolution a stream may name, and the name its bars are kept under.
STREAM_RESOLUTIONS = {**{name: name for name in RESOLUTIONS}, "4H": ALIASES["4H"]}
_DEFAULT = ViewRules()
_encode = json.Encoder().encode

Message = tuple[str, bytes]


def encode(
    exchange: Exchange,
    change: Change,
    wanted: Container[str] | None = None,
    rules: ViewRules = _DEFAULT,
) -> list[Message]:
    """Return (stream, message) for a change; streams that are not `wanted` may be left out."""
    if isinstance(change, BookChange):
        return _delta(exchange, change, wanted, rules)
    if isinstance(change, TradesPrinted):
        return _trades(exchange, change, wanted, rules)
    return _account(exchange, change, wanted, rules)


def _delta(
    exchange: Exchange, change: BookChange, wanted: Container[str] | None, rules: ViewRules
) -> list[Message]:
    market = market_view(exchange, change.market_id)
    stream = f"deltas@{market.params.symbol}"
    if wanted is not None and stream not in wanted:
        return []
    as_objects = rules.object_levels
    body = {
        "last_update_id": change.last_update_id,
        "update_id": change.update_id,
        "market_symbol": market.params.symbol,
        "asks": levels_shown(change.asks, market, as_objects=as_objects),
        "bids": levels_shown(change.bids, market, as_objects=as_objects),
    }
    return [(stream, _encode({"delta": body}))]


def _trades(
    exchange: Exchange, change: TradesPrinted, wanted: Container[str] | None, rules: ViewRules
) -> list[Message]:
    market = market_view(exchange, change.market_id)
    symbol = market.params.symbol
    found = []
    stream = f"trades@{symbol}"
    if wanted is None or stream in wanted:
        body = {
            "last_update_id": change.last_update_id,
            "update_id": change.update_id,
            "market_symbol": symbol,
            "trades": [_trade(market, trade, rules) for trade in change.trades],
        }
        found.append((stream, _encode({"trades": body})))
    for resolution, kept in STREAM_RESOLUTIONS.items():
        stream = f"candle@{symbol}:{resolution}"
        if wanted is None or stream in wanted:
            bar = exchange.state.candles.bars(change.market_id, kept)[-1]
            found.append((stream, _encode(_candle(market, resolution, bar))))
    return found


def _trade(market: MarketView, trade: Trade, rules: ViewRules) -> object:
    side = trade.taker_side
    if rules.trade_side == "maker":
        side = Side(-side)
    return {
        "trade_id": trade.trade_id,
        "action_id": trade.action_id,
        "side": SIDE_NAMES[side],
        "price": market.price(trade.ticks),
        "size": market.size(trade.lots),
        "physical_time": timestamp(trade.time_ns),
    }


def _candle(market: MarketView, resolution: str, bar: Bar) -> object:
    return {
        "res": resolution,
        "mid": market.market_id,
        "t": bar.start_s,
        "o": market.price(bar.open),
        "h": market.price(bar.high),
        "l": market.price(bar.low),
        "c": market.price(bar.close),
        "v": market.size(bar.lots),
    }


def _account(
    exchange: Exchange, change: AccountChange, wanted: Container[str] | None, rules: ViewRules
) -> list[Message]:
    stream = f"account@{change.account_id}"
    if wanted is not None and stream not in wanted:
        return []
    body = {
        "last_update_id": change.last_update_id,
        "update_id": change.update_id,
        "account_id": change.account_id,
        "fills": {str(fill.order_id): _fill(exchange, fill) for fill in change.fills},
        "places": _orders(exchange, change.places),
        "cancels": _orders(exchange, change.cancels),
        "balances": _balances(exchange, change.balances, rules),
    }
    return [(stream, _encode({"account": body}))]


def _fill(exchange: Exchange, fill: AccountFill) -> object:
    market = market_view(exchange, fill.market_id)
    return {
        "side": SIDE_NAMES[fill.side],
        "quantity": market.size(fill.lots),
        "remaining": market.size(fill.remaining),
        "price": average(fill.ticklots, fill.lots, market.price),
        "order_id": str(fill.order_id),
        "market_id": fill.market_id,
        "maker_id": fill.maker_id,
        "taker_id": fill.taker_id,
        "sender_tracking_id": fill.sender_tracking_id,
    }


def _orders(exchange: Exchange, orders: Sequence[Order]) -> dict[str, object]:
    found: dict[str, object] = {}
    for order in orders:
        market = market_view(exchange, order.market_id)
        found[str(order.order_id)] = {
            "side": SIDE_NAMES[order.side],
            "current_size": market.size(order.lots),
            "price": market.price(order.ticks),
            "market_id": order.market_id,
        }
    return found


def _balances(exchange: Exchange, balances: dict[int, int], rules: ViewRules) -> dict[str, Number]:
    tokens = exchange.params.tokens
    if rules.balance_keys == "symbol":
        return {tokens[token].symbol: ATOMS(atoms) for token, atoms in balances.items()}
    return {str(token): ATOMS(atoms) for token, atoms in balances.items()}
