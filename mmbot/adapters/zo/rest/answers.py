"""What the venue's answers mean, in our units: ticks, lots, micro-USD, nanoseconds.

Prices that lie on no market's grid (index, mark, average entry) stay exact decimals.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Generic, TypeVar

from msgspec import Struct

from mmbot.adapters.zo.wire.actions import TriggerKind
from mmbot.domain.market import Market
from mmbot.domain.order import FillMode, Level, Side

Cursor = int | str
"""Where the next page starts; sent back as it came."""

Item = TypeVar("Item")


class Listing(Struct, frozen=True):
    """One market as `/info` lists it; margin fractions are ratios."""

    market_id: int
    symbol: str
    price_decimals: int
    size_decimals: int
    base_token_id: int
    quote_token_id: int
    imf: Decimal
    mmf: Decimal
    cmf: Decimal

    def market(self, index: int) -> Market:
        """Return its grid and contract for the engine; `index` is the engine's own number."""
        tick, lot = Decimal(1).scaleb(-self.price_decimals), Decimal(1).scaleb(-self.size_decimals)
        return Market(self.symbol, tick, lot, index=index, imf=Fraction(self.imf))


class Token(Struct, frozen=True):
    """One token; amounts have `decimals` digits, `weight_bps` is its worth as collateral."""

    token_id: int
    symbol: str
    decimals: int
    weight_bps: int


class Catalog:
    """Markets and tokens by id, never by position (reliability V12)."""

    def __init__(self, listings: Iterable[Listing], tokens: Iterable[Token]) -> None:
        """ValueError when an id or a symbol comes twice."""
        markets, coins = tuple(listings), tuple(tokens)
        self.listings = {each.market_id: each for each in markets}
        self.tokens = {each.token_id: each for each in coins}
        self._by_symbol = {each.symbol: each for each in markets}
        if not len(markets) == len(self.listings) == len(self._by_symbol):
            raise ValueError("markets: an id or a symbol comes twice")
        if len(coins) != len(self.tokens):
            raise ValueError("tokens: an id comes twice")

    def listing(self, market_id: int, field: str) -> Listing:
        """Return a market by id; ValueError naming the field when it is not listed."""
        try:
            return self.listings[market_id]
        except KeyError:
            raise ValueError(f"{field} is not a listed market") from None

    def by_symbol(self, symbol: str) -> Listing | None:
        """Return the market of exactly this name."""
        return self._by_symbol.get(symbol)


class TimeSample(Struct, frozen=True):
    """A reading of the engine's clock: its second, and our monotonic clock around the request."""

    engine_s: int
    sent_ns: int
    received_ns: int


class VenueSession(Struct, frozen=True):
    """A session as the venue lists it; key and expiry only where they could be read."""

    session_id: int
    pubkey: str | None
    expiry_s: int | None


class User(Struct, frozen=True):
    """A wallet's accounts, first one first, and its sessions."""

    account_ids: tuple[int, ...]
    sessions: tuple[VenueSession, ...]


class RestingOrder(Struct, frozen=True):
    """An open order; `lots` is what still rests of `placed_lots`."""

    order_id: int
    market_id: int
    side: Side
    ticks: int
    lots: int
    placed_lots: int
    client_order_id: int | None


class HeldPosition(Struct, frozen=True):
    """A position in signed lots, with its average entry and what it earned since."""

    market_id: int
    lots: int
    entry_price: Decimal
    trading_pnl_uusd: int
    funding_pnl_uusd: int


class Margins(Struct, frozen=True):
    """Margin figures of an account in micro-USD (protocol 7)."""

    omf_uusd: int
    mf_uusd: int
    imf_uusd: int
    cmf_uusd: int
    mmf_uusd: int
    pon_uusd: int
    pn_uusd: int
    bankruptcy: bool


class AccountView(Struct, frozen=True):
    """An account at `update_id`; `balances` are token atoms by token id."""

    update_id: int
    orders: tuple[RestingOrder, ...]
    positions: tuple[HeldPosition, ...]
    balances: dict[int, int]
    margins: Margins


class BookView(Struct, frozen=True):
    """A whole book, best prices first."""

    update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class MarketView(Struct, frozen=True):
    """A market's prices off the book; funding is a ratio per hour, open interest in lots."""

    market_id: int
    frozen: bool
    index_price: Decimal | None
    mark_price: Decimal | None
    funding_rate: Decimal | None
    next_funding_ns: int | None
    open_interest_lots: int | None


class Trade(Struct, frozen=True):
    """One execution; `order_id` is the maker's order, fees are micro-USD where they are told."""

    trade_id: int
    action_id: int
    time_ns: int
    market_id: int
    taker_id: int
    taker_side: Side
    maker_id: int
    order_id: int
    ticks: int
    lots: int
    taker_fee_uusd: int | None = None
    maker_fee_uusd: int | None = None


class OwnTrade(Struct, frozen=True):
    """A trade seen from one account; `side` is ours."""

    trade: Trade
    side: Side
    is_maker: bool


class OrderView(Struct, frozen=True):
    """An order of any age; `finalization` is None while it rests, ticks None without a price."""

    order_id: int
    market_id: int
    side: Side
    ticks: int | None
    placed_lots: int
    filled_lots: int | None
    mode: FillMode
    reduce_only: bool
    finalization: str | None


class RestingTrigger(Struct, frozen=True):
    """A trigger that waits; `side` is that of its order. 0 ticks or lots are no limit of that."""

    market_id: int
    side: Side
    kind: TriggerKind
    ticks: int
    limit_ticks: int = 0
    limit_lots: int = 0


class PastTrigger(Struct, frozen=True):
    """A trigger of the history; `fired`: its order was sent. `action_id`: of its end, if told."""

    trigger: RestingTrigger
    fired: bool
    action_id: int | None


class FeeRates(Struct, frozen=True):
    """Fees of a tier in parts per million of the notional."""

    maker_ppm: int
    taker_ppm: int


class PnlRow(Struct, frozen=True):
    """One change of an account's profit; `market_id` only where the venue tells it."""

    time_ns: int
    action_id: int
    market_id: int | None
    trading_uusd: int
    funding_uusd: int


class Liquidation(Struct, frozen=True):
    """A step the venue took against an account short of margin; `kind` is its own word."""

    action_id: int
    kind: str
    market_id: int | None


class Page(Struct, Generic[Item], frozen=True):
    """Part of a list, newest first; `following` is None at its end."""

    items: tuple[Item, ...]
    following: Cursor | None
