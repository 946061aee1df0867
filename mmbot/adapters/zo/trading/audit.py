"""The venue's own list of trades against what was told: nothing missed, and money exact.

A trade that was not told although the stream has passed its action is told as a fill; one that was
told with another price or fee is restated. The ledger gets every trade once, and where to begin
after a restart: where everything was explained.
"""

import asyncio
from functools import partial
from itertools import groupby

from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.account import Account
from mmbot.adapters.zo.trading.hindrances import LIQUIDATED, Hindrances, Outlet
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import Hooks, TradedAccount
from mmbot.adapters.zo.trading.tally import Booked
from mmbot.adapters.zo.trading.trade_lists import MOST_READINGS, TradeLists
from mmbot.domain.events import Restatement

UNEXPLAINED = "no trade explains the position"


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
    """Reads the trades since a `cursor`. `fees_uusd` are (action, fee) of them, for the balance."""

    def __init__(
        self, http: ZoHttp, traded: TradedAccount, told: Told, hooks: Hooks, cursor: int
    ) -> None:
        self.restated = 0
        self.fees_uusd: list[tuple[int, int]] = []
        self._traded = traded
        self._told = told
        self._hooks = hooks
        self._lists = TradeLists(http, traded, cursor)
        # Up to which trade the ledger was told that it has all.
        self._booked_to = cursor
        # Trades of actions that the stream has not told yet.
        self._early: list[OwnTrade] = []
        # What is missing, and how often the list was read for it.
        self._short: list[int] | None = None
        self._readings = 0
        self._lock = asyncio.Lock()

    async def read(self) -> None:
        """Read once; a VenueError leaves everything for the next time."""
        async with self._lock:
            # What the stream told before the list was read is in it.
            reached, short = self._told.joins.reached, self._told.account.short
            reading = await self._lists.read()
            rows = [*self._early, *reading.rows]
            due = self._due(rows, reached)
            self._lists.weigh(reading, self._hooks.warn, lacking=_lacking(self._told, due))
            self._early = [own for own in rows if not due or own.trade.action_id > reached]
            if reading.rows or self._lists.explained > self._booked_to:
                self._booked_to = self._lists.explained
                self._hooks.trades(reading.rows, self._booked_to)
            self._compare(due)
            self._explain(short)
            self._lists.take(reading, self._told.account.explained_to)

    def _due(self, rows: list[OwnTrade], reached: int) -> list[OwnTrade]:
        """Return those of actions that the stream has passed, in their order."""
        if self._told.account.adopted is None:
            return []
        due = [own for own in rows if own.trade.action_id <= reached]
        return sorted(due, key=lambda own: own.trade.action_id)

    def _compare(self, due: list[OwnTrade]) -> None:
        account, tally = self._told.account, self._told.joins.tally
        by_market: dict[int, list[OwnTrade]] = {}
        for own in due:
            action_id = own.trade.action_id
            market = account.views.index(own.trade.market_id)
            if action_id <= account.begun:
                continue
            if market is None:
                self._elsewhere(own)
            elif tally.gave_up(action_id, market):
                self._paid(own, self._told.money[market])
            elif action_id <= tally.adjusted[market] and tally.told(action_id, market) is None:
                self._late(own, market)
            else:
                by_market.setdefault(market, []).append(own)
        for market, found in by_market.items():
            for _, group in groupby(found, key=partial(self._update_of, market)):
                self._settle(market, list(group))
        for market in range(len(self._told.money)) if due else ():
            self._never_listed(market, due[-1].trade.action_id)

    def _elsewhere(self, own: OwnTrade) -> None:
        """A trade in a market that is not ours: its fee is no transfer."""
        listing = self._traded.catalog.listings[own.trade.market_id]
        money = MarketMoney(listing, 0)
        money.rates = self._told.money[0].rates
        self._paid(own, money)

    def _paid(self, own: OwnTrade, money: MarketMoney) -> int:
        fee_atoms = money.trade_fee_atoms(own)
        self.fees_uusd.append((own.trade.action_id, money.uusd(fee_atoms)))
        return fee_atoms

    def _late(self, own: OwnTrade, market: int) -> None:
        """The position has its lots already: its money comes now."""
        trade, money = own.trade, self._told.money[market]
        cash_atoms = money.cash_atoms(own.side, trade.ticks, trade.lots)
        self._tell(market, 0, (cash_atoms, self._paid(own, money)), "a trade was listed late")
        self._hooks.late(own)

    def _never_listed(self, market: int, listed_to: int) -> None:
        """The list has gone past these executions and does not have them: nobody waits on."""
        for span in self._told.joins.tally.passed(market, listed_to):
            self._hooks.warn(
                f"market {market}: the list of trades lacks what the stream told of actions "
                f"{span.low} to {span.high}: {span.booked.lots} lots"
            )

    def _update_of(self, market: int, own: OwnTrade) -> int:
        span = self._told.joins.tally.told(own.trade.action_id, market)
        return own.trade.action_id if span is None else span.high

    def _settle(self, market: int, rows: list[OwnTrade]) -> None:
        joins, money = self._told.joins, self._told.money[market]
        span = joins.tally.told(rows[0].trade.action_id, market)
        exact = Booked()
        for own in rows:
            trade = own.trade
            cash = money.cash_atoms(own.side, trade.ticks, trade.lots)
            exact.add(Booked(own.side * trade.lots, cash, self._paid(own, money)))
            if span is None:
                self._explained(market, own.side * trade.lots)
                joins.missed(own, market)
        if span is not None:
            for own in rows:
                self._hooks.heard(own, span.told_ns)
            joins.tally.audited(span, market)
            if span.booked != exact:
                self._restate(market, span.booked, exact)

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

    def _explain(self, short: list[int] | None) -> None:
        """After a gap: go on when the trades explain the position, or when they never will.

        `short` was missing when the list was asked for: of what is missing since, it tells nothing.
        """
        account = self._told.account
        if short is not self._short:
            self._short, self._readings = short, 0
        if short is None or account.short is not short:
            return
        self._readings += 1
        if any(short) and self._readings < MOST_READINGS:
            return
        for market, lots in enumerate(short):
            if lots:
                self._adjust(market, lots)
        account.caught_up()

    def _adjust(self, market: int, lots: int) -> None:
        tally = self._told.joins.tally
        held = tally.lots
        if abs(held[market] + lots) < abs(held[market]):
            reason = "a position is gone and no trade tells how"
            self._told.hindrances.begin(LIQUIDATED, reason)
        held[market] += lots
        # Trades up to here that are listed yet are in it.
        tally.adjusted[market] = self._told.joins.reached
        self._tell(market, lots, (0, 0), UNEXPLAINED)
        self._hooks.warn(f"market {market}: {lots} lots that no trade explains")

    def _tell(self, market: int, lots: int, money: tuple[int, int], reason: str) -> None:
        cash_atoms, fees_atoms = money
        now_ns = self._told.outlet.clock()
        event = Restatement(0, now_ns, market, lots, cash_atoms, fees_atoms, reason)
        self._told.outlet.tell(event)


def _lacking(told: Told, due: list[OwnTrade]) -> bool:
    """Whether the list has gone past something that the stream told, and does not have it."""
    listed: list[list[int]] = [[] for _ in told.money]
    for own in due:
        market = told.account.views.index(own.trade.market_id)
        if market is not None:
            listed[market].append(own.trade.action_id)
    to, tally = due[-1].trade.action_id if due else 0, told.joins.tally
    return any(tally.lacking(market, actions, to) for market, actions in enumerate(listed))
