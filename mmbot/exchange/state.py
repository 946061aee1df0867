"""State: everything that outlives an action, and the bounds of what is remembered.

Only plain values, so that it can be saved and restored exactly; indexes are rebuilt from it.
"""

from typing import TypeVar

from msgspec import Struct, field

from mmbot.exchange.bars import Candles
from mmbot.exchange.model import (
    HOUSE,
    Account,
    Executed,
    FundingPaid,
    HourSnapshot,
    Liquidated,
    Order,
    PnlRealised,
    Trade,
    Transferred,
    TriggerEnded,
    User,
)
from mmbot.exchange.params import ExchangeParams

NS = 1_000_000_000
HOUR_NS = 3_600 * NS

_T = TypeVar("_T")


def keep_newest(records: list[_T], count: int) -> None:
    """Drop the oldest records once a tenth more than `count` are there (cheap on average)."""
    if len(records) > count + count // 10:
        del records[: len(records) - count]


class Market(Struct):
    """What a market knows besides its book.

    Prices in ticks, None until known. `index_lot_atoms` is the value of a lot at the index,
    `funding_index` what a long paid per lot so far, in atoms. `update_id` is the action that last
    changed the book, `trades_update_id` the one that last traded.
    `premium_ns` is the sum over this hour of (mark - index) / index, times nanoseconds.
    """

    market_id: int
    index_ticks: float | None = None
    index_lot_atoms: int = 0
    mark_ticks: float | None = None
    last_ticks: int | None = None
    update_id: int = 0
    trades_update_id: int = 0
    funding_index: int = 0
    funding_rate: float = 0.0
    premium_ns: float = 0.0
    sampled_ns: int = 0


class State(Struct):
    """All maps and histories. Histories are oldest first and hold the newest records only.

    `session_owners` and `seen` (digest of an action's bytes to the engine second it was taken in)
    are in order of arrival; `volumes` is notional by account and UTC day; `funded_ns` is the last
    full hour whose funding was paid. Every money figure is in atoms.
    """

    now_ns: int
    markets: list[Market]
    action_id: int = 0
    next_order_id: int = 1
    next_trade_id: int = 1
    next_session_id: int = 1
    next_account_id: int = HOUSE + 1
    users: dict[bytes, User] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    session_owners: dict[int, bytes] = field(default_factory=dict)
    seen: dict[bytes, int] = field(default_factory=dict)
    finished: dict[int, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    actions: list[Executed] = field(default_factory=list)
    hours: list[HourSnapshot] = field(default_factory=list)
    pnl: list[PnlRealised] = field(default_factory=list)
    funding: list[FundingPaid] = field(default_factory=list)
    transfers: list[Transferred] = field(default_factory=list)
    liquidations: list[Liquidated] = field(default_factory=list)
    triggers_ended: list[TriggerEnded] = field(default_factory=list)
    candles: Candles = field(default_factory=Candles)
    client_ids_used: dict[int, list[int]] = field(default_factory=dict)
    volumes: dict[int, dict[int, int]] = field(default_factory=dict)
    fee_vault_atoms: int = 0
    deposited_atoms: int = 0
    withdrawn_atoms: int = 0
    funded_ns: int = 0
    margins_due: bool = False

    @property
    def now_s(self) -> int:
        """Engine time in whole seconds, what `/timestamp` shows."""
        return self.now_ns // NS

    def next_action(self) -> int:
        """Take the next action id."""
        self.action_id += 1
        return self.action_id


def opening_state(params: ExchangeParams, start_ns: int) -> State:
    """Return an exchange without users: every market made by an action of its own."""
    state = State(start_ns, [Market(place) for place in range(len(params.markets))])
    state.funded_ns = start_ns // HOUR_NS * HOUR_NS
    state.accounts[HOUSE] = Account(HOUSE, b"")
    for market in state.markets:
        market.update_id = market.trades_update_id = state.next_action()
        market.sampled_ns = start_ns
    return state
