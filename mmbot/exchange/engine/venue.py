"""Venue: what every part of the engine works on, bundled: settings, switches, state and books."""

from mmbot.cext.clob import (
    SELF_TRADE_ALLOW,
    SELF_TRADE_CANCEL_RESTING,
    SELF_TRADE_CANCEL_TAKER,
    Clob,
)
from mmbot.exchange.model import Account, Change, Order
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.rules import Rules
from mmbot.exchange.state import State, opening_state

_SELF_TRADE = {
    "allow": SELF_TRADE_ALLOW,
    "cancel_resting": SELF_TRADE_CANCEL_RESTING,
    "cancel_taker": SELF_TRADE_CANCEL_TAKER,
}


class Venue:
    """`owners` finds the account of a resting order; `changes` waits for the streams.

    `expiry_s` is the earliest end of any session, None when sessions must be looked through.
    """

    def __init__(self, params: ExchangeParams, start_ns: int) -> None:
        self.params = params
        self.rules = Rules.start(params.rules)
        self.state = opening_state(params, start_ns)
        self.clobs = empty_clobs(params)
        for market_id in range(len(self.clobs)):
            self.clob(market_id)
        self.owners: dict[int, int] = {}
        self.changes: list[Change] = []
        self.expiry_s: int | None = None

    def restore(self, state: State, rules: Rules, books: list[bytes]) -> None:
        """Become what was saved; ValueError, and nothing happens, when a book is damaged."""
        clobs = empty_clobs(self.params)
        for clob, saved in zip(clobs, books, strict=True):
            clob.load(saved)
        self.state, self.rules, self.clobs = state, rules, clobs
        self.owners = {
            order_id: account.account_id
            for account in state.accounts.values()
            for order_id in account.orders
        }
        self.changes, self.expiry_s = [], None

    def order(self, order_id: int) -> tuple[Account, Order] | None:
        """Find a resting order and its account."""
        account_id = self.owners.get(order_id)
        if account_id is None:
            return None
        account = self.state.accounts[account_id]
        return account, account.orders[order_id]

    def clob(self, market_id: int) -> Clob:
        """Return the book of a market with the self-trade rule of the moment."""
        clob = self.clobs[market_id]
        clob.self_trade = _SELF_TRADE[self.rules.self_trade]
        return clob


def empty_clobs(params: ExchangeParams) -> list[Clob]:
    """One empty book for every market."""
    numbers = (params.queue_power,) if params.queue == "power" else ()
    return [Clob(queue=params.queue, numbers=numbers) for _ in params.markets]
