"""JSON bodies about one account into answers: its state, its orders, its trades, its profit."""

from decimal import Decimal

from mmbot.adapters.zo.rest import shapes
from mmbot.adapters.zo.rest.answers import (
    AccountView,
    Catalog,
    HeldPosition,
    Liquidation,
    Margins,
    OrderView,
    Page,
    PnlRow,
    RestingOrder,
    Trade,
)
from mmbot.adapters.zo.rest.exact import (
    MICRO_DECIMALS,
    finite,
    ident,
    nearest,
    on_grid,
    positive,
    side,
    time_ns,
)
from mmbot.adapters.zo.rest.parsing import cursor, decoded, reading
from mmbot.domain.order import FillMode

_NS_PER_MS = 1_000_000
_MODES = {
    "Limit": FillMode.LIMIT,
    "PostOnly": FillMode.POST_ONLY,
    "ImmediateOrCancel": FillMode.IOC,
    "FillOrKill": FillMode.FOK,
}
_FINALIZATIONS = {"Filled", "Canceled", "Taken"}


def account(endpoint: str, body: bytes, markets: Catalog) -> AccountView:
    """Read `/account/{id}` (protocol 3.10)."""
    found = decoded(endpoint, body, shapes.AccountShape)
    with reading(endpoint):
        orders = tuple(_resting(each, markets) for each in found.orders)
        held = [(each.market_id, each.perp) for each in found.positions if each.perp is not None]
        positions = tuple(_position(market_id, perp, markets) for market_id, perp in held)
        balances = {each.token_id: _atoms(each, markets) for each in found.balances}
        _unique(len(orders), {each.order_id for each in orders}, "orders: orderId")
        _unique(len(positions), {each.market_id for each in positions}, "positions: marketId")
        _unique(len(found.balances), set(balances), "balances: tokenId")
        update_id = ident(found.update_id, "updateId")
        return AccountView(update_id, orders, positions, balances, _margins(found.margins))


def trades(endpoint: str, body: bytes, markets: Catalog) -> Page[Trade]:
    """Read a page of `/trades`; the list is under `items`, or `trades` of old (protocol 3.12)."""
    found = decoded(endpoint, body, shapes.TradePageShape)
    with reading(endpoint):
        items = found.items if found.items is not None else found.trades
        if items is None:
            raise ValueError("items is missing")
        following = cursor(found.next_start_inclusive)
        return Page(tuple(_trade(each, markets) for each in items), following)


def order(endpoint: str, body: bytes, markets: Catalog) -> OrderView:
    """Read `/order/{id}` (protocol 3.11)."""
    found = decoded(endpoint, body, shapes.OrderShape)
    with reading(endpoint):
        listing = markets.listing(found.market_id, "marketId")
        if found.fill_mode not in _MODES:
            raise ValueError("fillMode is none of the known ones")
        if found.finalization_reason not in (None, *_FINALIZATIONS):
            raise ValueError("finalizationReason is none of the known ones")
        price, filled = found.placed_price, found.filled_size
        digits = listing.size_decimals
        return OrderView(
            ident(found.order_id, "orderId"),
            found.market_id,
            side(found.side, "side"),
            None if not price else on_grid(price, listing.price_decimals, "placedPrice"),
            on_grid(found.placed_size or Decimal(0), digits, "placedSize"),
            None if filled is None else on_grid(filled, digits, "filledSize"),
            _MODES[found.fill_mode],
            found.is_reduce_only,
            found.finalization_reason,
        )


def pnl(endpoint: str, body: bytes) -> Page[PnlRow]:
    """Read a page of `/account/{id}/pnl`, in the older or the newer words (protocol 3.11)."""
    found = decoded(endpoint, body, shapes.PageShape[shapes.PnlShape])
    with reading(endpoint):
        return Page(tuple(map(_pnl_row, found.items)), cursor(found.next_start_inclusive))


def liquidations(endpoint: str, body: bytes) -> Page[Liquidation]:
    """Read a page of `/account/{id}/history/liquidation` (protocol 3.11)."""
    found = decoded(endpoint, body, shapes.PageShape[shapes.LiquidationShape])
    with reading(endpoint):
        rows = tuple(
            Liquidation(ident(each.action_id, "actionId"), each.liquidation_kind, each.market_id)
            for each in found.items
        )
        return Page(rows, cursor(found.next_start_inclusive))


def _resting(found: shapes.RestingShape, markets: Catalog) -> RestingOrder:
    listing = markets.listing(found.market_id, "orders: marketId")
    ticks = on_grid(found.price, listing.price_decimals, "orders: price")
    lots = on_grid(found.size, listing.size_decimals, "orders: size")
    placed = on_grid(found.original_order_size, listing.size_decimals, "orders: originalOrderSize")
    client = found.client_order_id
    return RestingOrder(
        ident(found.order_id, "orders: orderId"),
        found.market_id,
        side(found.side, "orders: side"),
        positive(ticks, "orders: price"),
        positive(lots, "orders: size"),
        positive(placed, "orders: originalOrderSize"),
        None if client is None else ident(client, "orders: clientOrderId"),
    )


def _position(market_id: int, perp: shapes.PerpShape, markets: Catalog) -> HeldPosition:
    listing = markets.listing(market_id, "positions: marketId")
    # Sums of fills in doubles: the venue's own noise is rounded off (protocol 2, 3.10).
    lots = abs(nearest(perp.base_size, listing.size_decimals, "baseSize"))
    trading = perp.trading_pnl if perp.trading_pnl is not None else perp.size_price_pnl
    if trading is None:
        raise ValueError("positions: tradingPnl is missing")
    return HeldPosition(
        market_id,
        lots if perp.is_long else -lots,
        finite(perp.price, "positions: price"),
        _uusd(trading, "tradingPnl"),
        _uusd(perp.funding_payment_pnl, "fundingPaymentPnl"),
    )


def _atoms(found: shapes.BalanceShape, markets: Catalog) -> int:
    token = markets.tokens.get(found.token_id)
    if token is None:
        raise ValueError("balances: tokenId is not a listed token")
    return nearest(found.amount, token.decimals, "balances: amount")


def _margins(found: shapes.MarginsShape) -> Margins:
    return Margins(
        _uusd(found.omf, "margins: omf"),
        _uusd(found.mf, "margins: mf"),
        _uusd(found.imf, "margins: imf"),
        _uusd(found.cmf, "margins: cmf"),
        _uusd(found.mmf, "margins: mmf"),
        _uusd(found.pon, "margins: pon"),
        _uusd(found.pn, "margins: pn"),
        found.bankruptcy,
    )


def _trade(found: shapes.TradeShape, markets: Catalog) -> Trade:
    listing = markets.listing(found.market_id, "marketId")
    size = found.base_size if found.base_size is not None else found.size
    if size is None:
        raise ValueError("baseSize is missing")
    ticks = on_grid(found.price, listing.price_decimals, "price")
    return Trade(
        ident(found.trade_id, "tradeId"),
        ident(found.action_id, "actionId"),
        _trade_time_ns(found),
        found.market_id,
        ident(found.taker_id, "takerId"),
        side(found.taker_side or found.side or "", "takerSide"),
        ident(found.maker_id, "makerId"),
        ident(found.order_id, "orderId"),
        positive(ticks, "price"),
        positive(on_grid(size, listing.size_decimals, "baseSize"), "baseSize"),
        _optional_uusd(found.taker_fee, "takerFee"),
        _optional_uusd(found.maker_fee, "makerFee"),
    )


def _trade_time_ns(found: shapes.TradeShape) -> int:
    if found.time is not None:
        return time_ns(found.time, "time")
    if found.timestamp is None:
        raise ValueError("time is missing")
    return ident(found.timestamp, "timestamp") * _NS_PER_MS


def _pnl_row(found: shapes.PnlShape) -> PnlRow:
    trading = found.trading_pnl if found.trading_pnl is not None else found.price_pnl_delta
    funding = found.settled_funding_pnl
    funding = funding if funding is not None else found.funding_pnl_delta
    if trading is None or funding is None:
        raise ValueError(f"{'tradingPnl' if trading is None else 'settledFundingPnl'} is missing")
    return PnlRow(
        time_ns(found.time, "time"),
        ident(found.action_id, "actionId"),
        found.market_id,
        _uusd(trading, "tradingPnl"),
        _uusd(funding, "settledFundingPnl"),
    )


def _uusd(value: Decimal, field: str) -> int:
    return nearest(value, MICRO_DECIMALS, field)


def _optional_uusd(value: Decimal | None, field: str) -> int | None:
    return None if value is None else _uusd(value, field)


def _unique(count: int, keys: set[int], field: str) -> None:
    if len(keys) != count:
        raise ValueError(f"{field} comes twice")
