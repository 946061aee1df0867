"""Everything the exchange knows, as plain values: what is saved, restored, shown and audited.

Prices are ticks and sizes lots: the protocol's raw integers (protocol 5.6). Money is integer atoms
of 10^-12 USD, so that notional and fees in parts per million are exact. Times are nanoseconds of
engine time. Account 0 is the house: the other side of the background market.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct, field

from mmbot.domain.order import FillMode, Side

ATOMS_PER_USD = 10**12
HOUSE = 0
USDC = 0


class Finalization(StrEnum):
    """Why an order no longer rests (protocol 3.11)."""

    FILLED = "Filled"
    CANCELED = "Canceled"
    TAKEN = "Taken"


class Origin(StrEnum):
    """Who placed an order."""

    USER = "User"
    TRIGGER = "Trigger"
    LIQUIDATION = "Liquidation"


class TriggerKind(IntEnum):
    """What a trigger protects; the protocol's numbers."""

    STOP_LOSS = 0
    TAKE_PROFIT = 1


class Order(Struct, gc=False):
    """One order, resting or history. `lots` is what still rests; limit 0 in ticks is no limit."""

    order_id: int
    account_id: int
    market_id: int
    side: Side
    ticks: int
    lots: int
    placed_lots: int
    filled_lots: int
    mode: FillMode
    reduce_only: bool
    client_order_id: int | None
    sender_tracking_id: int | None
    added_ns: int
    updated_ns: int
    update_action_id: int
    session_id: int = 0
    origin: Origin = Origin.USER
    finalization: Finalization | None = None


class Trigger(Struct, frozen=True, gc=False):
    """A stop loss or take profit; `limit_ticks` 0 is a market order when it fires."""

    account_id: int
    market_id: int
    side: Side
    kind: TriggerKind
    trigger_ticks: int
    limit_ticks: int
    action_id: int
    created_ns: int


class TriggerEnd(StrEnum):
    """How a trigger ended (protocol 3.11); CANCELED with the position it protected."""

    SUCCESS = "Success"
    REMOVED = "Removed"
    CANCELED = "Canceled"


class TriggerEnded(Struct, frozen=True, gc=False):
    """A trigger that is no longer active."""

    trigger: Trigger
    end: TriggerEnd
    action_id: int
    time_ns: int


class Position(Struct, gc=False):
    """Signed lots; `cost_atoms` is what the open lots cost (negative for a short).

    Unrealised profit at a price is lots x value of a lot - cost. `funding_index` is the market's
    index, in atoms a lot, up to which funding is paid.
    """

    lots: int = 0
    cost_atoms: int = 0
    funding_index: int = 0
    action_id: int = 0


class Account(Struct, gc=False):
    """One cross-margined account. `update_id` is the last action that changed it."""

    account_id: int
    pubkey: bytes
    balances: dict[int, int] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    triggers: list[Trigger] = field(default_factory=list)
    fee_tier: int = 0
    update_id: int = 0


class Session(Struct, frozen=True, gc=False):
    """A key that may act for a user until `expiry_s` (engine seconds)."""

    session_id: int
    pubkey: bytes
    expiry_s: int


class User(Struct, gc=False):
    """A wallet with its accounts and sessions."""

    pubkey: bytes
    account_ids: list[int] = field(default_factory=list)
    sessions: dict[int, Session] = field(default_factory=dict)


class Trade(Struct, frozen=True, gc=False):
    """One execution between two accounts; `order_id` is the maker's (0: displayed size)."""

    trade_id: int
    action_id: int
    time_ns: int
    market_id: int
    taker_id: int
    taker_side: Side
    taker_order_id: int
    maker_id: int
    order_id: int
    ticks: int
    lots: int
    taker_fee_atoms: int
    maker_fee_atoms: int


class FundingPaid(Struct, frozen=True, gc=False):
    """Funding one account paid (negative) or received at the hour."""

    time_ns: int
    action_id: int
    account_id: int
    market_id: int
    rate: float
    index_change_atoms: int
    lots: int
    atoms: int


class PnlRealised(Struct, frozen=True, gc=False):
    """Profit an action realised for an account in a market; `lots` is the position after it."""

    time_ns: int
    action_id: int
    account_id: int
    market_id: int
    trading_atoms: int
    funding_atoms: int
    lots: int


class Transferred(Struct, frozen=True, gc=False):
    """Money that came in (positive) or went out of an account from outside or another account."""

    time_ns: int
    action_id: int
    account_id: int
    token_id: int
    atoms: int
    balance_atoms: int


class Liquidated(Struct, frozen=True, gc=False):
    """A forced cancel or liquidation with the margin figures before it, in atoms."""

    time_ns: int
    action_id: int
    account_id: int
    market_id: int
    kind: str
    mf_atoms: int
    omf_atoms: int
    imf_atoms: int
    cmf_atoms: int
    mmf_atoms: int


class HourSnapshot(Struct, frozen=True, gc=False):
    """A market at the full hour; prices in ticks, `funding_index` in atoms a lot."""

    time_ns: int
    action_id: int
    market_id: int
    funding_index: int
    funding_rate: float
    index_ticks: float | None
    mark_ticks: float | None


class Executed(Struct, frozen=True, gc=False):
    """An action as it was accepted: `raw` is length prefix and payload (protocol 3.8)."""

    action_id: int
    time_ns: int
    raw: bytes


class BookChange(Struct, frozen=True, gc=False):
    """Levels of a market with their new total size after an action; 0 lots: the level is gone."""

    market_id: int
    last_update_id: int
    update_id: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class TradesPrinted(Struct, frozen=True, gc=False):
    """Executions of one market by one action, chained like the book's changes."""

    market_id: int
    last_update_id: int
    update_id: int
    trades: list[Trade]


class AccountFill(Struct, frozen=True, gc=False):
    """What one action filled of one order of this account; `remaining` lots still to fill.

    `ticklots` is the sum of ticks times lots over its executions.
    """

    order_id: int
    market_id: int
    side: Side
    lots: int
    remaining: int
    ticklots: int
    maker_id: int
    taker_id: int
    sender_tracking_id: int | None


class AccountChange(Struct, frozen=True, gc=False):
    """What one action did to one account.

    `places` and `cancels` are copies of the orders at that moment; `balances` the new amounts.
    """

    account_id: int
    last_update_id: int
    update_id: int
    fills: list[AccountFill]
    places: list[Order]
    cancels: list[Order]
    balances: dict[int, int]


Change = BookChange | TradesPrinted | AccountChange
