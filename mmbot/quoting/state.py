"""What a strategy may look at when it decides: one market, as known at `now_ns`."""

from dataclasses import dataclass

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import PublicTrades
from mmbot.domain.market import Market
from mmbot.domain.quotes import NO_ROOM, Room

# What OrderBook.top answers: best bid and ask (ticks), depth of both sides (lots), imbalance,
# mid (ticks), number of levels of both sides.
Top = tuple[int, int, int, int, float, float, int, int]


class Takers:
    """What takers did since the last decision, see PublicTrades."""

    __slots__ = ("bought_lots", "bought_ticks", "sold_lots", "sold_ticks")

    def __init__(self) -> None:
        self.bought_ticks = self.sold_ticks = self.bought_lots = self.sold_lots = 0

    def take(self, trades: PublicTrades) -> None:
        """Take in what they did."""
        self.bought_ticks = max(self.bought_ticks, trades.bought_ticks)
        sold_ticks = trades.sold_ticks
        if sold_ticks and (self.sold_ticks == 0 or sold_ticks < self.sold_ticks):
            self.sold_ticks = sold_ticks
        self.bought_lots += trades.bought_lots
        self.sold_lots += trades.sold_lots

    def forget(self) -> None:
        """A decision has been made: what comes is for the next."""
        self.bought_ticks = self.sold_ticks = self.bought_lots = self.sold_lots = 0


class QuotingState:
    """Filled by the engine before every decision; the strategy reads and keeps nothing of it.

    Money is micro-USD, None when unknown; `free_uusd` is the free collateral as if none of our
    orders rested (F0 of spec section 1). `book_ts_ns` is when the book last changed (receipt
    time), None before the first update or after a gap. `reference_ticks`: outside mid in our ticks.
    `latency_ns`: what an order and its answer take together, 0 before it is known: so long is a
    price at least that rests there.
    """

    __slots__ = (
        "book",
        "book_ts_ns",
        "equity_uusd",
        "free_uusd",
        "latency_ns",
        "market",
        "now_ns",
        "position_lots",
        "reference_ticks",
        "reference_ts_ns",
        "room",
        "takers",
    )

    def __init__(self, market: Market, book: OrderBook) -> None:
        self.market = market
        self.book = book
        self.now_ns = 0
        self.book_ts_ns: int | None = None
        self.position_lots = 0
        self.equity_uusd: int | None = None
        self.free_uusd: int | None = None
        self.reference_ticks: float | None = None
        self.reference_ts_ns: int | None = None
        self.room: Room = NO_ROOM
        self.takers = Takers()
        self.latency_ns = 0

    def take_latency(self, round_trip_ns: int) -> None:
        """Take in how long an order and its answer took together."""
        if self.latency_ns == 0:
            self.latency_ns = max(0, round_trip_ns)
        else:
            self.latency_ns += (round_trip_ns - self.latency_ns) // 8


@dataclass(frozen=True, slots=True)
class QuotingLimits:
    """Limits the stages obey, turned into ratios and integers once, where the bot is assembled.

    Ratios are of equity or of mid, ages in nanoseconds, money in micro-USD; `loss_uusd` is what a
    day may lose.
    """

    max_book_spread_ratio: float
    book_max_age_ns: int
    reference_max_age_ns: int
    market_exposure_ratio: float
    side_exposure_ratio: float
    max_position_uusd: int | None = None
    loss_uusd: int | None = None
