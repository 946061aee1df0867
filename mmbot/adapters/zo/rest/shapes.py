"""The venue's JSON as it comes: every variant that protocol section 3 lists, nothing read into it.

Integers stay integers of any width, other numbers become exact decimals. Unknown keys are ignored.
"""

from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

Item = TypeVar("Item")
Number = Decimal | None
Id = int | str


class Shape(Struct, rename="camel", frozen=True):
    """An object with camelCase keys."""


class MarketShape(Shape, frozen=True):
    market_id: int
    symbol: str
    price_decimals: int
    size_decimals: int
    base_token_id: int
    quote_token_id: int
    imf: Decimal
    mmf: Decimal
    cmf: Decimal


class TokenShape(Shape, frozen=True):
    token_id: int
    symbol: str
    decimals: int
    weight_bps: int


class CatalogShape(Shape, frozen=True):
    markets: list[MarketShape]
    tokens: list[TokenShape]


class LevelShape(Struct, frozen=True):
    price: Decimal
    size: Decimal


LevelForm = tuple[Decimal, Decimal] | LevelShape


class BookShape(Shape, frozen=True):
    update_id: Id
    asks: list[LevelForm]
    bids: list[LevelForm]


class PerpStatsShape(Struct, frozen=True):
    funding_rate: Number
    open_interest: Number
    mark_price: Number = None
    next_funding_time: str | None = None


class StatsShape(Shape, frozen=True):
    index_price: Number
    perp_stats: PerpStatsShape | None
    frozen: bool | None = None


class PerpetualsShape(Shape, frozen=True):
    mark_price: Number = None
    projected_funding_rate: Number = None
    next_funding_time: str | None = None
    open_interest: Number = None


class LiveShape(PerpetualsShape, frozen=True, kw_only=True):
    market_id: int
    index_price: Number
    frozen: bool | None = None
    perpetuals: PerpetualsShape | None = None


class LivesShape(Shape, frozen=True):
    markets: list[LiveShape]


class SessionShape(Struct, frozen=True):
    pubkey: object = None
    session_pubkey: object = None
    expiry: object = None
    expiry_timestamp: object = None


class UserShape(Shape, frozen=True):
    account_ids: list[int]
    sessions: dict[str, SessionShape] | None = None


class RestingShape(Shape, frozen=True):
    order_id: Id
    market_id: int
    side: str
    size: Decimal
    price: Decimal
    original_order_size: Decimal
    client_order_id: Id | None = None


class PerpShape(Shape, frozen=True):
    base_size: Decimal
    price: Decimal
    is_long: bool
    funding_payment_pnl: Decimal
    trading_pnl: Number = None
    size_price_pnl: Number = None


class PositionShape(Shape, frozen=True):
    market_id: int
    perp: PerpShape | None = None


class BalanceShape(Shape, frozen=True):
    token_id: int
    amount: Decimal


class MarginsShape(Shape, frozen=True):
    omf: Decimal
    mf: Decimal
    imf: Decimal
    cmf: Decimal
    mmf: Decimal
    pon: Decimal
    pn: Decimal
    bankruptcy: bool


class AccountShape(Shape, frozen=True):
    update_id: Id
    orders: list[RestingShape]
    positions: list[PositionShape]
    balances: list[BalanceShape]
    margins: MarginsShape


class TradeShape(Shape, frozen=True):
    trade_id: Id
    action_id: Id
    taker_id: int
    maker_id: int
    market_id: int
    order_id: Id
    price: Decimal
    base_size: Number = None
    size: Number = None
    taker_side: str | None = None
    side: str | None = None
    time: str | None = None
    timestamp: int | None = None
    taker_fee: Number = None
    maker_fee: Number = None


class PageShape(Shape, Generic[Item], frozen=True):
    items: list[Item]
    next_start_inclusive: Id | None = None


class TradePageShape(Shape, frozen=True):
    items: list[TradeShape] | None = None
    trades: list[TradeShape] | None = None
    next_start_inclusive: Id | None = None


class OrderShape(Shape, frozen=True):
    order_id: Id
    market_id: int
    side: str
    placed_size: Number
    is_reduce_only: bool
    fill_mode: str
    placed_price: Number
    filled_size: Number = None
    finalization_reason: str | None = None


class BracketShape(Struct, frozen=True):
    maker_fee_ppm: Number = None
    taker_fee_ppm: Number = None
    maker_fee_bps: Number = None
    taker_fee_bps: Number = None


class PnlShape(Shape, frozen=True):
    time: str
    action_id: Id
    market_id: int | None = None
    trading_pnl: Number = None
    settled_funding_pnl: Number = None
    price_pnl_delta: Number = None
    funding_pnl_delta: Number = None


class LiquidationShape(Shape, frozen=True):
    action_id: Id
    liquidation_kind: str
    market_id: int | None = None


class TriggerKeyShape(Struct, frozen=True):
    kind: str | None = None
    side: str | None = None


class TriggerLimitsShape(Struct, frozen=True):
    price: Id | None = None
    base_size: Id | None = None


class NestedTriggerShape(TriggerKeyShape, frozen=True, kw_only=True):
    trigger_price: Id
    market_id: int | None = None
    key: TriggerKeyShape = TriggerKeyShape()
    limits: TriggerLimitsShape | None = None


class TriggerShape(Shape, frozen=True):
    market_id: int | None = None
    trigger_price: Id | None = None
    limit_price: Id | None = None
    limit_base_size: Id | None = None
    side: str | None = None
    kind: str | None = None
    trigger: NestedTriggerShape | None = None
    status: str | None = None
    finalized_at_action_id: Id | None = None


class TooManyShape(Struct, frozen=True):
    limit: int


class ExpectedShape(Struct, frozen=True):
    expected: str
