"""Frames of the streams as values in ticks, lots and nanoseconds (protocol 4.2).

Every variant the protocol lists is read, ids never pass through a float, unknown members are left
out. A frame is refused as a whole: ValueError names the member, never what was sent. Order book
changes are read natively by mmbot.cext.nord instead.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from mmbot.adapters.zo.rest.answers import Catalog, Listing
from mmbot.adapters.zo.rest.exact import finite, ident, nearest, on_grid, positive, side, time_ns
from mmbot.cext.nord import refuse_repeats
from mmbot.domain.order import Side

_Id = int | str
_ID_LIMIT = 1 << 63
_Shape = TypeVar("_Shape")


class PublicTrade(Struct, frozen=True, gc=False):
    """One print. `side` is as told: whose it is, the protocol's sources do not agree."""

    trade_id: int | None
    action_id: int | None
    side: Side
    ticks: int
    lots: int
    time_ns: int | None


class TradesFrame(Struct, frozen=True):
    """Prints of one market."""

    market_id: int
    last_update_id: int | None
    update_id: int | None
    trades: tuple[PublicTrade, ...]


class OwnFill(Struct, frozen=True, gc=False):
    """What an order of the account had filled; `side` is the order's, `remaining` rests after it.

    `exact` is False when the price is an average off the grid; `ticks` is then the nearest.
    """

    order_id: int
    market_id: int
    side: Side
    lots: int
    remaining: int
    ticks: int
    exact: bool
    maker_id: int
    taker_id: int


class OwnOrder(Struct, frozen=True, gc=False):
    """An order of the account that was placed or cancelled; `lots` is what rested then."""

    order_id: int
    market_id: int
    side: Side
    ticks: int
    lots: int


class AccountFrame(Struct, frozen=True):
    """What one engine action did to an account. Keys of `balances` are as told."""

    account_id: int
    last_update_id: int | None
    update_id: int
    fills: tuple[OwnFill, ...]
    places: tuple[OwnOrder, ...]
    cancels: tuple[OwnOrder, ...]
    balances: dict[str, Decimal]


class Candle(Struct, frozen=True, gc=False):
    """A bar; prices as told. `start_s` is Unix time, `volume` None where it is not told."""

    resolution: str
    market_id: int
    start_s: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None


class DeltaFrame(Struct, frozen=True):
    """An order book change: for mmbot.cext.nord to read."""


Frame = TradesFrame | AccountFrame | Candle | DeltaFrame


_ABSENT = Raw()


class _Outer(Struct):
    delta: Raw = _ABSENT
    trades: Raw = _ABSENT
    account: Raw = _ABSENT
    res: Raw = _ABSENT


class _Trade(Struct):
    price: Decimal
    side: str | None = None
    taker_side: str | None = None
    size: Decimal | None = None
    base_size: Decimal | None = None
    trade_id: _Id | None = None
    action_id: _Id | None = None
    physical_time: str | None = None
    time: str | None = None


class _Trades(Struct):
    market_symbol: str
    last_update_id: _Id | None = None
    update_id: _Id | None = None
    # Without a list the object itself is the one trade.
    trades: list[_Trade] | None = None


class _Fill(Struct):
    side: str
    quantity: Decimal
    remaining: Decimal
    price: Decimal
    market_id: int
    maker_id: int
    taker_id: int
    order_id: _Id | None = None


class _Order(Struct):
    side: str
    current_size: Decimal
    price: Decimal
    market_id: int


class _Account(Struct):
    account_id: int
    update_id: _Id
    last_update_id: _Id | None = None
    fills: dict[str, _Fill] | None = None
    places: dict[str, _Order] | None = None
    cancels: dict[str, _Order] | None = None
    balances: dict[str, Decimal] | None = None


class _Candle(Struct):
    res: str
    mid: int
    t: int
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 - the venue's name
    c: Decimal
    v: Decimal | None = None


def read_frame(frame: bytes, catalog: Catalog) -> Frame | None:
    """Return what a frame says, None for a kind we do not know.

    ValueError: no JSON object, a member missing or senseless, an unlisted market, a repeated key.
    """
    if frame.startswith(b'{"delta":'):
        return DeltaFrame()
    refuse_repeats(frame)
    outer = _decode(frame, _Outer)
    if outer.delta is not _ABSENT:
        return DeltaFrame()
    if outer.trades is not _ABSENT:
        return _trades(outer.trades, catalog)
    if outer.account is not _ABSENT:
        return _account(_decode(outer.account, _Account), catalog)
    return _candle(_decode(frame, _Candle), catalog) if outer.res is not _ABSENT else None


def _decode(text: bytes | Raw, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        raise ValueError(f"frame: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("frame: expected one JSON object") from None


def _id(value: _Id, field: str) -> int:
    number = ident(value, field)
    if number >= _ID_LIMIT:
        raise ValueError(f"{field} is not below 2^63")
    return number


def _maybe_id(value: _Id | None, field: str) -> int | None:
    return None if value is None else _id(value, field)


def _first(field: str, one: _Shape | None, other: _Shape | None) -> _Shape:
    found = other if one is None else one
    if found is None:
        raise ValueError(f"{field} is missing")
    return found


def _ticks(price: Decimal, listing: Listing, field: str) -> int:
    return positive(on_grid(price, listing.price_decimals, field), field)


def _lots(size: Decimal, listing: Listing, field: str) -> int:
    lots = on_grid(size, listing.size_decimals, field)
    if lots < 0:
        raise ValueError(f"{field} is negative")
    return lots


def _trades(text: Raw, catalog: Catalog) -> TradesFrame:
    shape = _decode(text, _Trades)
    listing = catalog.by_symbol(shape.market_symbol)
    if listing is None:
        raise ValueError("trades.market_symbol is not a listed market")
    prints = [_decode(text, _Trade)] if shape.trades is None else shape.trades
    return TradesFrame(
        market_id=listing.market_id,
        last_update_id=_maybe_id(shape.last_update_id, "trades.last_update_id"),
        update_id=_maybe_id(shape.update_id, "trades.update_id"),
        trades=tuple(_trade(each, listing) for each in prints),
    )


def _trade(shape: _Trade, listing: Listing) -> PublicTrade:
    size = _first("trade.size", shape.size, shape.base_size)
    told = shape.time if shape.physical_time is None else shape.physical_time
    return PublicTrade(
        trade_id=_maybe_id(shape.trade_id, "trade.trade_id"),
        action_id=_maybe_id(shape.action_id, "trade.action_id"),
        side=side(_first("trade.side", shape.side, shape.taker_side), "trade.side"),
        ticks=_ticks(shape.price, listing, "trade.price"),
        lots=positive(_lots(size, listing, "trade.size"), "trade.size"),
        time_ns=None if told is None else time_ns(told, "trade.time"),
    )


def _account(shape: _Account, catalog: Catalog) -> AccountFrame:
    return AccountFrame(
        account_id=_id(shape.account_id, "account.account_id"),
        last_update_id=_maybe_id(shape.last_update_id, "account.last_update_id"),
        update_id=_id(shape.update_id, "account.update_id"),
        fills=tuple(_fill(key, each, catalog) for key, each in (shape.fills or {}).items()),
        places=tuple(_order(key, each, catalog) for key, each in (shape.places or {}).items()),
        cancels=tuple(_order(key, each, catalog) for key, each in (shape.cancels or {}).items()),
        balances=shape.balances or {},
    )


def _fill(key: str, shape: _Fill, catalog: Catalog) -> OwnFill:
    listing = catalog.listing(shape.market_id, "fill.market_id")
    order_id = _id(key, "fill key")
    if shape.order_id is not None and _id(shape.order_id, "fill.order_id") != order_id:
        raise ValueError("fill.order_id is not its key")
    scaled = nearest(shape.price, listing.price_decimals, "fill.price")
    return OwnFill(
        order_id=order_id,
        market_id=shape.market_id,
        side=side(shape.side, "fill.side"),
        lots=positive(_lots(shape.quantity, listing, "fill.quantity"), "fill.quantity"),
        # Nothing or less of it left: the order is finished (protocol 4.2).
        remaining=max(0, on_grid(shape.remaining, listing.size_decimals, "fill.remaining")),
        ticks=positive(scaled, "fill.price"),
        exact=_is_on_grid(shape.price, listing),
        maker_id=_id(shape.maker_id, "fill.maker_id"),
        taker_id=_id(shape.taker_id, "fill.taker_id"),
    )


def _is_on_grid(price: Decimal, listing: Listing) -> bool:
    try:
        on_grid(price, listing.price_decimals, "fill.price")
    except ValueError:
        return False
    return True


def _order(key: str, shape: _Order, catalog: Catalog) -> OwnOrder:
    listing = catalog.listing(shape.market_id, "order.market_id")
    return OwnOrder(
        order_id=_id(key, "order key"),
        market_id=shape.market_id,
        side=side(shape.side, "order.side"),
        ticks=_ticks(shape.price, listing, "order.price"),
        lots=_lots(shape.current_size, listing, "order.current_size"),
    )


def _candle(shape: _Candle, catalog: Catalog) -> Candle:
    catalog.listing(shape.mid, "candle.mid")
    volume = shape.v
    return Candle(
        resolution=shape.res,
        market_id=shape.mid,
        start_s=_id(shape.t, "candle.t"),
        open=finite(shape.o, "candle.o"),
        high=finite(shape.h, "candle.h"),
        low=finite(shape.l, "candle.l"),
        close=finite(shape.c, "candle.c"),
        volume=None if volume is None else finite(volume, "candle.v"),
    )
