"""Trades by account, market and order, so that no question looks through all of them.

The index follows the history of trades: what was appended since the last question is filed with
the next one. It forgets what the history forgot, late but surely.
"""

from collections import defaultdict
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import HOUSE, Trade

# Room for trades the history dropped before everything is filed anew.
_SLACK = 10_000


class TradeIndex:
    """Lists of trades, oldest first. The house has none of its own: it is in nearly all."""

    def __init__(self) -> None:
        self._source: list[Trade] = []
        self._last_id = 0
        self._filed = 0
        self._accounts: dict[int, list[Trade]] = defaultdict(list)
        self._markets: dict[int, list[Trade]] = defaultdict(list)
        self._orders: dict[int, list[Trade]] = defaultdict(list)

    def follow(self, trades: list[Trade]) -> None:
        """File what is new in the history, whose trade ids rise; another list starts it anew."""
        if trades is not self._source or self._filed > 2 * len(trades) + _SLACK:
            self._restart(trades)
        fresh = 0
        while fresh < len(trades) and trades[-1 - fresh].trade_id > self._last_id:
            fresh += 1
        for trade in trades[len(trades) - fresh :]:
            self._file(trade)
        self._filed += fresh
        if fresh:
            self._last_id = trades[-1].trade_id

    def of_account(self, account_id: int) -> Sequence[Trade]:
        """Trades an account made or took."""
        return self._accounts.get(account_id, ())

    def of_market(self, market_id: int) -> Sequence[Trade]:
        """Trades of a market."""
        return self._markets.get(market_id, ())

    def of_order(self, order_id: int) -> Sequence[Trade]:
        """Executions of an order, as maker and as taker."""
        return self._orders.get(order_id, ())

    def _restart(self, trades: list[Trade]) -> None:
        self._source = trades
        self._last_id = self._filed = 0
        for found in (self._accounts, self._markets, self._orders):
            found.clear()

    def _file(self, trade: Trade) -> None:
        self._markets[trade.market_id].append(trade)
        maker, taker = trade.maker_id, trade.taker_id
        if maker != HOUSE:
            self._accounts[maker].append(trade)
            self._orders[trade.order_id].append(trade)
        if taker != HOUSE:
            self._orders[trade.taker_order_id].append(trade)
            if taker != maker:
                self._accounts[taker].append(trade)


_INDEXES: WeakKeyDictionary[Exchange, TradeIndex] = WeakKeyDictionary()


def trades_of(exchange: Exchange) -> TradeIndex:
    """Return the index of an exchange, up to date; it is made by the first question."""
    index = _INDEXES.setdefault(exchange, TradeIndex())
    index.follow(exchange.state.trades)
    return index
