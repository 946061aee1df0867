"""Views of the account in the engine's terms, and when each of them was asked for."""

from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.trading.hindrances import Outlet
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.domain.events import AccountSnapshot, VenueOrder, VenueSnapshot

_VIEWS = 8


class Views:
    """Markets by the engine's numbers; what a view proves depends on when it was asked for."""

    def __init__(self, traded: TradedAccount, outlet: Outlet) -> None:
        self._index = {listing.market_id: at for at, listing in enumerate(traded.listings)}
        self._tokens = traded.catalog.tokens
        self._outlet = outlet
        self._asked: list[tuple[AccountView, int]] = []

    def index(self, market_id: int) -> int | None:
        """Return the engine's number of a market, None for one that is not traded."""
        return self._index.get(market_id)

    def token_decimals(self, token_id: int) -> int:
        """Return the digits of a token's amounts."""
        return self._tokens[token_id].decimals

    def asked(self, view: AccountView, asked_ns: int) -> None:
        """Note when a view was asked for."""
        self._asked.append((view, asked_ns))
        del self._asked[:-_VIEWS]

    def asked_ns(self, view: AccountView) -> int:
        """Return when a view was asked for."""
        return next((at for seen, at in self._asked if seen is view), 0)

    def snapshot(self, view: AccountView, now_ns: int) -> None:
        """Tell orders and positions."""
        orders = []
        for order in view.orders:
            market = self._index.get(order.market_id)
            if market is not None:
                orders.append(
                    VenueOrder(
                        market,
                        order.client_order_id,
                        order.order_id,
                        order.side,
                        order.ticks,
                        order.lots,
                    )
                )
        self._outlet.tell(VenueSnapshot(0, now_ns, tuple(orders), tuple(self.lots(view))))

    def margins(self, view: AccountView, now_ns: int) -> None:
        """Tell the venue's margin figures."""
        found = view.margins
        self._outlet.tell(
            AccountSnapshot(
                0,
                now_ns,
                found.mf_uusd,
                found.omf_uusd,
                found.imf_uusd,
                found.pn_uusd,
                found.bankruptcy,
            )
        )

    def lots(self, view: AccountView) -> list[int]:
        """Return signed positions by the engine's numbers of markets."""
        lots = [0] * len(self._index)
        for held in view.positions:
            market = self._index.get(held.market_id)
            if market is not None:
                lots[market] = held.lots
        return lots
