"""What is known of orders and account, put together: the side that listens."""

from collections.abc import Callable

from mmbot.adapters.zo.rest.answers import AccountView, Catalog
from mmbot.adapters.zo.streams.account_feed import AccountFeed, AccountOutside
from mmbot.adapters.zo.trading.account import Account, Asking
from mmbot.adapters.zo.trading.equity import Equity
from mmbot.adapters.zo.trading.hindrances import Hindrances, Outlet
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.known_orders import KnownOrders
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import Access, Surroundings, TradedAccount, TradingParams
from mmbot.adapters.zo.trading.settling import Settling


class Knowledge:
    """Orders, account and what hinders, and the stream that keeps them."""

    def __init__(
        self,
        access: Access,
        traded: TradedAccount,
        outside: Surroundings,
        params: TradingParams,
    ) -> None:
        clock = outside.clock
        self.outlet = Outlet(clock)
        self.hindrances = Hindrances(self.outlet)
        self.orders = KnownOrders(self.outlet)
        self.money = [MarketMoney(each, at) for at, each in enumerate(traded.listings)]
        self.joins = Joins(self.outlet, self.orders, self.money, params.evidence_ms)
        self.settling = Settling(traded, clock, self.orders, self.joins)
        self.account = Account(
            traded.signer.account_id,
            Equity(traded, self.outlet, self.money, (params.reconcile_ms, params.sweep_ms)),
            self.hindrances,
            self.joins,
            self.settling,
        )
        self._http = access.http
        self.feed = AccountFeed(
            access.ws_origin,
            traded.signer.account_id,
            self.account,
            AccountOutside(self._fetch, traded.catalog, clock, outside.rng),
            params.feed,
        )
        self.settling.prove = self.feed.ask_proof
        access.http.reads.when_back.append(self.feed.connection.hurry)

    def ask(
        self, audit: Callable[[], None], forced: Callable[[], None], warn: Callable[[str], None]
    ) -> None:
        """Say who does what the account wants done, see Asking."""
        self.account.asking = Asking(self.settling.ask, audit, forced, warn)

    async def _fetch(self, account_id: int, catalog: Catalog) -> AccountView | None:
        asked_ns = self.outlet.clock()
        view = await self._http.account(account_id, catalog)
        if view is not None:
            self.account.views.asked(view, asked_ns)
        return view
