"""Turn: one engine action from its first effect to its last, kept whole or undone exactly.

Accounts are copied when first touched and books opened as transactions, so that a refusal after
any number of fills leaves nothing behind. Orders and positions are replaced, never changed in
place. On commit the records join the histories and the streams get their messages.
"""

from copy import copy

from mmbot.cext.clob import Clob
from mmbot.exchange.engine.history import Records
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import (
    HOUSE,
    USDC,
    Account,
    AccountChange,
    AccountFill,
    BookChange,
    Finalization,
    Order,
    PnlRealised,
    Trade,
    TradesPrinted,
    Trigger,
)


class Effects:
    """What the turn did to one account so far, and how the account was before.

    `places` hold orders as they rest at the end of the turn, `cancels` as they were when they went.
    """

    __slots__ = ("before", "cancels", "fills", "places", "realised", "shown")

    def __init__(self, account: Account) -> None:
        self.before = copy(account)
        self.before.balances = account.balances.copy()
        self.before.positions = account.positions.copy()
        self.before.orders = account.orders.copy()
        self.before.triggers = account.triggers.copy()
        self.fills: dict[int, AccountFill] = {}
        self.places: dict[int, Order] = {}
        self.cancels: dict[int, Order] = {}
        self.realised: dict[int, tuple[int, int]] = {}
        self.shown = False

    def undo(self, account: Account) -> None:
        """Give the account back what it was."""
        before = self.before
        account.balances, account.positions = before.balances, before.positions
        account.orders, account.triggers = before.orders, before.triggers


class Turn:
    """One engine action under way; end it with `commit` or `rollback`, once."""

    def __init__(self, venue: Venue) -> None:
        state = venue.state
        self.venue = venue
        self.state = state
        self.action_id = state.action_id + 1
        self.now_ns = state.now_ns
        self.records = Records()
        self.effects: dict[int, Effects] = {}
        self.cancelled_triggers: list[Trigger] = []
        self.fees_atoms = 0
        self.moved: set[tuple[int, int]] = set()
        self._counters = (state.next_order_id, state.next_trade_id)
        self._open: set[int] = set()
        self._changed: set[int] = set()

    def account(self, account_id: int) -> Account:
        """Return an account to change."""
        account = self.state.accounts[account_id]
        if account_id not in self.effects:
            self.effects[account_id] = Effects(account)
        return account

    def clob(self, market_id: int) -> Clob:
        """Return a book to change, inside the turn's transaction."""
        clob = self.venue.clob(market_id)
        if market_id not in self._open:
            self._open.add(market_id)
            self._changed.add(market_id)
            clob.begin()
        return clob

    def final_clob(self, market_id: int) -> Clob:
        """Return a book for changes that are never taken back."""
        self._changed.add(market_id)
        return self.venue.clob(market_id)

    def pay(self, account_id: int, atoms: int, token_id: int = USDC) -> None:
        """Change a balance; negative takes."""
        account = self.account(account_id)
        account.balances[token_id] = account.balances.get(token_id, 0) + atoms
        self.effects[account_id].shown = True

    def rest(self, order: Order) -> None:
        """Put an order, or its new size, among the account's resting orders."""
        self.account(order.account_id).orders[order.order_id] = order
        self.effects[order.account_id].places[order.order_id] = order
        self.venue.owners[order.order_id] = order.account_id

    def remove(self, order: Order, why: Finalization) -> None:
        """Take a resting order (already out of its book) off the account."""
        account = self.account(order.account_id)
        effects = self.effects[order.account_id]
        del account.orders[order.order_id]
        del self.venue.owners[order.order_id]
        effects.places.pop(order.order_id, None)
        if why is Finalization.CANCELED:
            effects.cancels[order.order_id] = order
        self.finish(order, why)

    def finish(self, order: Order, why: Finalization) -> None:
        """Write an order into the history."""
        done = copy(order)
        done.lots, done.finalization = 0, why
        done.updated_ns, done.update_action_id = self.now_ns, self.action_id
        self.records.finished.append(done)

    def rollback(self) -> None:
        """Leave no trace."""
        state, owners = self.state, self.venue.owners
        state.next_order_id, state.next_trade_id = self._counters
        for market_id in self._open:
            self.venue.clobs[market_id].rollback()
        for account_id, effects in self.effects.items():
            account = state.accounts[account_id]
            for order_id in account.orders:
                owners.pop(order_id, None)
            effects.undo(account)
            for order_id in account.orders:
                owners[order_id] = account_id

    def commit(self) -> None:
        """Make everything last and tell the streams."""
        self.state.action_id = self.action_id
        self.state.fee_vault_atoms += self.fees_atoms
        for market_id in sorted(self._changed):
            self._commit_book(market_id)
        if self.records.trades:
            self._print_trades()
        for account_id in sorted(self.effects):
            if account_id != HOUSE:
                self._tell_account(account_id)
        if self.moved:
            self.state.margins_due = True
        self.records.write(self.state, self.venue.params.memory)

    def _commit_book(self, market_id: int) -> None:
        clob, market = self.venue.clobs[market_id], self.state.markets[market_id]
        if market_id in self._open:
            clob.commit()
        bids, asks = clob.take_changes()
        if bids or asks:
            change = BookChange(market_id, market.update_id, self.action_id, bids, asks)
            self.venue.changes.append(change)
            market.update_id = self.action_id

    def _print_trades(self) -> None:
        by_market: dict[int, list[Trade]] = {}
        for trade in self.records.trades:
            by_market.setdefault(trade.market_id, []).append(trade)
        for market_id, trades in sorted(by_market.items()):
            market = self.state.markets[market_id]
            change = TradesPrinted(market_id, market.trades_update_id, self.action_id, trades)
            self.venue.changes.append(change)
            market.trades_update_id = self.action_id
            market.last_ticks = trades[-1].ticks
            for trade in trades:
                self.state.candles.add(trade)

    def _tell_account(self, account_id: int) -> None:
        effects, account = self.effects[account_id], self.state.accounts[account_id]
        self._write_pnl(account, effects)
        if not (effects.fills or effects.places or effects.cancels or effects.shown):
            return
        change = AccountChange(
            account_id,
            account.update_id,
            self.action_id,
            list(effects.fills.values()),
            list(effects.places.values()),
            list(effects.cancels.values()),
            account.balances.copy() if effects.shown else {},
        )
        account.update_id = self.action_id
        self.venue.changes.append(change)

    def _write_pnl(self, account: Account, effects: Effects) -> None:
        for market_id, (trading, funding) in effects.realised.items():
            self.records.pnl.append(
                PnlRealised(
                    self.now_ns,
                    self.action_id,
                    account.account_id,
                    market_id,
                    trading,
                    funding,
                    account.positions[market_id].lots,
                )
            )
