"""Invariants of what rests and what is held: I1, I3, I4, I11, I25, after every change."""

from collections import Counter, defaultdict

from mmbot.domain.order import Side
from mmbot.exchange.model import Order
from tests.simulation.exchange import Venue
from tests.simulation.requests import instance_of
from tests.simulation.terms import Report, Terms

# A venue that does not remember what it refused executes a second copy of it, made on the way, when
# that comes: its receipt said no, so the bot cannot have waited for it. So soon it is off again.
LATE_COPY_S = 1.0
# Prices move between signing and now; limits in money were right when it was signed.
MOVED = 1.03


class Resting:
    """The account's orders and positions against its terms."""

    def __init__(self, venue: Venue, terms: Terms, report: Report) -> None:
        self.must_be_none = False
        # Client ids of orders that came of a late copy.
        self.late: set[int] = set()
        self._venue = venue
        self._terms = terms
        self._report = report

    def own(self) -> list[Order]:
        """Orders of ours that rest: those with our instance in their client id."""
        account = self._venue.exchange.state.accounts.get(self._terms.account)
        if account is None:
            return []
        instance = self._terms.instance
        return [
            order
            for order in account.orders.values()
            if order.client_order_id is not None and instance_of(order.client_order_id) == instance
        ]

    def held(self, market: int) -> int:
        """The position in a market, in lots."""
        account = self._venue.exchange.state.accounts.get(self._terms.account)
        position = None if account is None else account.positions.get(market)
        return 0 if position is None else position.lots

    def check(self, at_exit: str) -> None:
        """Judge what rests and what is held now."""
        orders = self.own()
        if self.must_be_none and orders:
            self._report(at_exit, f"{len(orders)} orders rest after an exit that promised none")
        orders = [order for order in orders if order.client_order_id not in self.late]
        self._crowded(orders)
        self._crossed(orders)
        self._exposed(orders)

    def _crowded(self, orders: list[Order]) -> None:
        counts = Counter((order.market_id, order.side) for order in orders)
        for (market, side), count in counts.items():
            levels = self._terms.markets[market].levels
            if count > levels:
                self._report("I1", f"market {market}: {count} orders, {side.name}, of {levels}")

    def _crossed(self, orders: list[Order]) -> None:
        best: dict[tuple[int, Side], int] = {}
        for order in orders:
            key = (order.market_id, order.side)
            best[key] = max(best.get(key, order.ticks * order.side), order.ticks * order.side)
        for (market, side), bid in best.items():
            ask = best.get((market, Side.ASK))
            if side is Side.BID and ask is not None and bid >= -ask:
                self._report("I25", f"market {market}: own bid {bid} meets own ask {-ask}")

    def _exposed(self, orders: list[Order]) -> None:
        open_lots: defaultdict[tuple[int, Side], int] = defaultdict(int)
        for order in orders:
            if not order.reduce_only:
                open_lots[order.market_id, order.side] += order.lots
        total = largest = 0.0
        for market, terms in enumerate(self._terms.markets):
            lots = self.held(market)
            most = (terms.limit_lots + terms.order_lots) * MOVED
            worst = 0
            for side in Side:
                case = lots * side + open_lots[market, side]
                worst = max(worst, case)
                # What is held already is judged by itself: no order of ours may have made it more.
                if case > most and (open_lots[market, side] or abs(lots) > most):
                    self._report("I3", f"market {market}: worst case {case} lots, {side.name}")
            usd = self._usd_per_lot(market)
            total += worst * usd
            largest = max(largest, terms.order_lots * usd)
        most_usd = self._terms.total_usd
        if most_usd is not None and total > (most_usd + largest) * MOVED:
            self._report("I4", f"worst cases of {total:.0f} USD in all, of {most_usd:.0f}")

    def _usd_per_lot(self, market: int) -> float:
        params = self._venue.exchange.params.markets[market]
        ticks = self._venue.exchange.state.markets[market].index_ticks or 0.0
        return float(ticks * 10.0 ** -(params.price_decimals + params.size_decimals))
