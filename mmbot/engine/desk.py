"""Desk: all there is to one market, its strategy, orders and position, in one place.

A desk decides nothing; the engine reads and writes it.
"""

from typing import Final

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.domain.position import Position
from mmbot.domain.quotes import Hold, Quotes
from mmbot.engine.guards import Guards
from mmbot.execution.diff import RequoteParams, Tolerance
from mmbot.execution.tracker import Tracker, WorkingOrder
from mmbot.hedging.engine import HedgingEngine
from mmbot.quoting.state import QuotingState
from mmbot.quoting.strategy import Observer, Strategy
from mmbot.risk.limits import Exposure

NEVER_NS: Final = (1 << 63) - 1


class Counts:
    """What has happened on a market since the start, and what others of the account have there.

    volume_uusd: both sides of our fills. foreign_bids, foreign_asks: lots of orders that rest and
    are not of this bot; foreign_orders: how many.
    """

    __slots__ = (
        "cancelled",
        "fills",
        "foreign_asks",
        "foreign_bids",
        "foreign_orders",
        "placed",
        "raced",
        "rejected",
        "volume_uusd",
    )

    def __init__(self) -> None:
        self.placed = 0
        self.cancelled = 0
        self.rejected = 0
        self.raced = 0
        self.fills = 0
        self.volume_uusd = 0
        self.foreign_bids = 0
        self.foreign_asks = 0
        self.foreign_orders = 0


class Desk:
    """One market: what it is traded with, and what is known of it. The engine alone writes it."""

    __slots__ = (
        "answer",
        "counts",
        "due_ns",
        "guards",
        "hedge",
        "hedging",
        "observer",
        "position",
        "state",
        "strategy",
        "tolerance",
        "tracker",
    )

    def __init__(
        self,
        market: Market,
        book: OrderBook,
        strategy: Strategy,
        requote: RequoteParams,
        hedging: HedgingEngine | None = None,
        guards: Guards | None = None,
    ) -> None:
        self.quote_with(strategy)
        self.hedging = hedging
        self.guards = Guards() if guards is None else guards
        self.tolerance = Tolerance(requote)
        self.state = QuotingState(market, book)
        self.tracker = Tracker()
        self.position = Position(market)
        self.counts = Counts()
        self.hedge: WorkingOrder | None = None
        self.due_ns = NEVER_NS
        self.answer: Quotes | Hold = Quotes((), (), "no decision yet")

    def quote_with(self, strategy: Strategy) -> None:
        """Have another strategy decide; one that learns is shown the market as well."""
        self.strategy = strategy
        self.observer = strategy if isinstance(strategy, Observer) and strategy.learns else None

    def exposure(self, mark: int) -> Exposure:
        """What the market holds and may come to hold; mark in half ticks, 0 for unchanged."""
        tracker, counts = self.tracker, self.counts
        orders = len(tracker.orders)
        if counts.foreign_orders:
            return Exposure(
                self.position.lots,
                tracker.bid_lots + counts.foreign_bids,
                tracker.ask_lots + counts.foreign_asks,
                orders + counts.foreign_orders,
                mark,
            )
        return Exposure(self.position.lots, tracker.bid_lots, tracker.ask_lots, orders, mark)
