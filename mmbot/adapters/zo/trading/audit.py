"""The venue's own list of trades against what was told: nothing missed, and money exact.

A trade that was not told although the stream has passed its action is told as a fill; one that was
told with another price or fee is restated. The ledger gets every trade once.
"""

import asyncio
from itertools import groupby

from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.rest.own_trades import own_trades
from mmbot.adapters.zo.trading.account import Account
from mmbot.adapters.zo.trading.hindrances import Hindrances, Outlet
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import Hooks, TradedAccount
from mmbot.adapters.zo.trading.tally import Booked
from mmbot.domain.events import Restatement

LIQUIDATED = "liquidated"
# How often the list is read again before a position is taken as it is.
_READINGS = 6


class Told:
    """Where an audit's findings go."""

    def __init__(
        self,
        outlet: Outlet,
        hindrances: Hindrances,
        account: Account,
        joins: Joins,
        money: list[MarketMoney],
    ) -> None:
        self.outlet = outlet
        self.hindrances = hindrances
        self.account = account
        self.joins = joins
        self.money = money


class Audit:
    """Reads the trades since `cursor`. `fees_uusd` are (action, fee) of trades, for the balance."""

    def __init__(
        self, http: ZoHttp, traded: TradedAccount, told: Told, hooks: Hooks, cursor: int
    ) -> None:
        self.cursor = cursor
        self.restated = 0
        self.fees_uusd: list[tuple[int, int]] = []
        self._http = http
        self._traded = traded
        self._told = told
        self._hooks = hooks
        # Trades of actions that the stream has not told yet.
        self._early: list[OwnTrade] = []
        self._readings = 0
        self._lock = asyncio.Lock()

    async def read(self) -> None:
        """Read once; a VenueError leaves everything for the next time."""
        async with self._lock:
            account_id = self._traded.signer.account_id
            rows = await own_trades(self._http, account_id, self._traded.catalog, self.cursor)
            if rows:
                self.cursor = rows[-1].trade.trade_id
                self._hooks.trades(rows, self.cursor)
            self._compare([*self._early, *rows])
            self._explain()

    def _compare(self, rows: list[OwnTrade]) -> None:
        told = self._told
        if told.account.adopted is None:
            self._early = rows
            return
        reached = told.joins.reached
        self._early = [own for own in rows if own.trade.action_id > reached]
        passed = [own for own in rows if told.account.begun < own.trade.action_id <= reached]
        passed.sort(key=_place)
        for (action_id, market_id), group in groupby(passed, key=_place):
            market = told.account.index(market_id)
            if market is not None:
                self._settle(action_id, market, list(group))
        for action_id, market in list(told.joins.tally.unaudited):
            # What neither list nor stream will speak of again.
            if action_id <= told.account.begun:
                del told.joins.tally.unaudited[action_id, market]

    def _settle(self, action_id: int, market: int, rows: list[OwnTrade]) -> None:
        told, money = self._told, self._told.money[market]
        booked = told.joins.tally.unaudited.pop((action_id, market), None)
        exact = Booked()
        for own in rows:
            trade = own.trade
            fee = money.trade_fee_atoms(own)
            exact.lots += own.side * trade.lots
            exact.cash_atoms += money.cash_atoms(own.side, trade.ticks, trade.lots)
            exact.fees_atoms += fee
            self.fees_uusd.append((action_id, money.uusd(fee)))
            if booked is None:
                self._explained(market, own.side * trade.lots)
                told.joins.missed(own, market)
        if booked is not None and booked != exact:
            self._restate(market, booked, exact)

    def _restate(self, market: int, booked: Booked, exact: Booked) -> None:
        lots = exact.lots - booked.lots
        self.restated += 1
        self._explained(market, lots)
        self._told.joins.tally.lots[market] += lots
        self._tell(
            market,
            lots,
            (exact.cash_atoms - booked.cash_atoms, exact.fees_atoms - booked.fees_atoms),
            "the venue's list of trades",
        )

    def _explained(self, market: int, lots: int) -> None:
        short = self._told.account.short
        if short is not None:
            short[market] -= lots

    def _explain(self) -> None:
        """After a gap: go on when the trades explain the position, or when they never will."""
        account = self._told.account
        if account.short is None:
            self._readings = 0
            return
        self._readings += 1
        if any(account.short) and self._readings < _READINGS:
            return
        for market, lots in enumerate(account.short):
            if lots:
                self._adjust(market, lots)
        account.caught_up()

    def _adjust(self, market: int, lots: int) -> None:
        held = self._told.joins.tally.lots
        if abs(held[market] + lots) < abs(held[market]):
            reason = "a position is gone and no trade tells how"
            self._told.hindrances.begin(LIQUIDATED, reason)
        held[market] += lots
        self._tell(market, lots, (0, 0), "no trade explains the position")
        self._hooks.warn(f"market {market}: {lots} lots that no trade explains")

    def _tell(self, market: int, lots: int, money: tuple[int, int], reason: str) -> None:
        cash_atoms, fees_atoms = money
        now_ns = self._told.outlet.clock()
        event = Restatement(0, now_ns, market, lots, cash_atoms, fees_atoms, reason)
        self._told.outlet.tell(event)


def _place(own: OwnTrade) -> tuple[int, int]:
    return own.trade.action_id, own.trade.market_id
