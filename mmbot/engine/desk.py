"""Desk: all there is to one market, its strategy, orders and position, in one place.

A desk decides nothing; the engine reads and writes it.
"""

from typing import Final

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.domain.position import Position
from mmbot.domain.quotes import Hold, Quotes
from mmbot.execution.diff import RequoteParams, Tolerance
from mmbot.execution.tracker import Tracker, WorkingOrder
from mmbot.hedging.engine import HedgingEngine
from mmbot.quoting.state import QuotingState
from mmbot.quoting.strategy import Strategy
from mmbot.risk.limits import Exposure

MILLISECOND_NS = 1_000_000
NEVER_NS: Final = (1 << 63) - 1


class Desk:
    """One market: what it is traded with, and what is known of it. The engine alone writes it."""

    __slots__ = (
        "answer",
        "due_ns",
        "hedge",
        "hedging",
        "interval_ns",
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
    ) -> None:
        self.strategy = strategy
        self.hedging = hedging
        self.interval_ns = requote.min_interval_ms * MILLISECOND_NS
        self.tolerance = Tolerance(requote)
        self.state = QuotingState(market, book)
        self.tracker = Tracker()
        self.position = Position(market)
        self.hedge: WorkingOrder | None = None
        self.due_ns = NEVER_NS
        self.answer: Quotes | Hold = Quotes((), (), "no decision yet")

    def exposure(self, mark: int) -> Exposure:
        """What the market holds and may come to hold; mark in half ticks, 0 for unchanged."""
        tracker = self.tracker
        return Exposure(
            self.position.lots, tracker.bid_lots, tracker.ask_lots, len(tracker.orders), mark
        )
