"""An independent bookkeeper: follows an exchange by its change messages and trades alone.

It knows no positions' costs: what it can say to the atom is cash, that is everything paid in and
out, every lot bought and sold at its price, fees, and funding.
"""

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import AccountChange, BookChange, Order, Trade, TradesPrinted


class Ledger:
    """Folds `take_changes` and compares itself with the exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.books: list[dict[int, dict[int, int]]] = [
            {1: {}, -1: {}} for _ in exchange.params.markets
        ]
        self.book_ids = [market.update_id for market in exchange.state.markets]
        self.trade_ids = [market.trades_update_id for market in exchange.state.markets]
        self.account_ids: dict[int, int] = {}
        self.orders: dict[int, dict[int, tuple[int, int, int, int]]] = {}
        self.lots: dict[tuple[int, int], int] = {}
        self.balances: dict[int, int] = {}
        self.cash: dict[int, int] = {}
        self.fees = 0
        self.paid = (0, 0)
        self.last: list[AccountChange] = []

    def follow(self) -> None:
        """Take what happened since the last call."""
        self.last = []
        for change in self.exchange.take_changes():
            if isinstance(change, BookChange):
                self._book(change)
            elif isinstance(change, TradesPrinted):
                assert change.last_update_id == self.trade_ids[change.market_id]
                self.trade_ids[change.market_id] = change.update_id
                for trade in change.trades:
                    self._trade(trade)
            else:
                self._account(change)
                self.last.append(change)
        state = self.exchange.state
        for record in state.transfers[self.paid[0] :]:
            self._pay(record.account_id, record.atoms)
        for funding in state.funding[self.paid[1] :]:
            self._pay(funding.account_id, funding.atoms)
        self.paid = (len(state.transfers), len(state.funding))

    def _pay(self, account_id: int, atoms: int) -> None:
        self.cash[account_id] = self.cash.get(account_id, 0) + atoms

    def _book(self, change: BookChange) -> None:
        assert change.last_update_id == self.book_ids[change.market_id]
        assert change.update_id > change.last_update_id
        self.book_ids[change.market_id] = change.update_id
        for side, levels in ((1, change.bids), (-1, change.asks)):
            book = self.books[change.market_id][side]
            for ticks, lots in levels:
                assert book.get(ticks, 0) != lots, "a change must change something"
                book[ticks] = lots
                if not lots:
                    del book[ticks]

    def _trade(self, trade: Trade) -> None:
        market = self.exchange.params.markets[trade.market_id]
        unit = 10 ** (12 - market.price_decimals - market.size_decimals)
        value = trade.ticks * trade.lots * unit * int(trade.taker_side)
        self._pay(trade.taker_id, -value - trade.taker_fee_atoms)
        self._pay(trade.maker_id, value - trade.maker_fee_atoms)
        self.fees += trade.taker_fee_atoms + trade.maker_fee_atoms

    def _account(self, change: AccountChange) -> None:
        account_id = change.account_id
        assert change.last_update_id == self.account_ids.get(account_id, 0)
        assert change.update_id > change.last_update_id
        self.account_ids[account_id] = change.update_id
        orders = self.orders.setdefault(account_id, {})
        for fill in change.fills:
            key = (account_id, fill.market_id)
            self.lots[key] = self.lots.get(key, 0) + fill.lots * int(fill.side)
            if fill.remaining <= 0:
                orders.pop(fill.order_id, None)
            elif fill.order_id in orders:
                orders[fill.order_id] = (*orders[fill.order_id][:3], fill.remaining)
        for order in change.places:
            orders[order.order_id] = _seen(order)
        for order in change.cancels:
            orders.pop(order.order_id, None)
        self.balances[account_id] = change.balances.get(0, self.balances.get(account_id, 0))

    def compare(self) -> None:
        """Assert that the exchange's state, its books and this ledger say the same."""
        state = self.exchange.state
        for market_id, clob in enumerate(self.exchange.clobs):
            for side in (1, -1):
                book = sorted(self.books[market_id][side].items(), reverse=side > 0)
                assert clob.levels(side, 10_000) == book
                assert clob.side_sum(side) == (sum(lots for _, lots in book), len(book))
            assert state.markets[market_id].update_id == self.book_ids[market_id]
        for account in list(state.accounts.values())[1:]:
            account_id = account.account_id
            orders = {order.order_id: _seen(order) for order in account.orders.values()}
            assert orders == self.orders.get(account_id, {})
            assert account.balances.get(0, 0) == self.balances.get(account_id, 0)
            assert account.update_id == self.account_ids.get(account_id, account.update_id)
            worth = account.balances.get(0, 0)
            for market_id, position in account.positions.items():
                assert position.lots == self.lots.get((account_id, market_id), 0)
                owed = state.markets[market_id].funding_index - position.funding_index
                worth -= position.cost_atoms + position.lots * owed
            assert worth == self.cash.get(account_id, 0)
        assert state.fee_vault_atoms == self.fees


def _seen(order: Order) -> tuple[int, int, int, int]:
    return (order.market_id, int(order.side), order.ticks, order.lots)
