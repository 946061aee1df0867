"""What a strategy may look at when it decides: one market, as known at `now_ns`."""

from dataclasses import dataclass

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.domain.quotes import NO_ROOM, Room

# What OrderBook.top answers: best bid and ask (ticks), depth of both sides (lots), imbalance,
# mid (ticks), number of levels of both sides.
Top = tuple[int, int, int, int, float, float, int, int]


class QuotingState:
    """Filled by the engine before every decision; the strategy reads and keeps nothing of it.

    Money is micro-USD, None when unknown; `free_uusd` is the free collateral as if none of our
    orders rested (F0 of spec section 1). `book_ts_ns` is when the book last changed (receipt
    time), None before the first update or after a gap. `reference_ticks`: outside mid in our ticks.
    """

    __slots__ = (
        "book",
        "book_ts_ns",
        "equity_uusd",
        "free_uusd",
        "market",
        "now_ns",
        "position_lots",
        "reference_ticks",
        "reference_ts_ns",
        "room",
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


@dataclass(frozen=True, slots=True)
class QuotingLimits:
    """Limits the stages obey, turned into ratios and integers once, where the bot is assembled.

    Ratios are of equity or of mid, ages in nanoseconds, money in micro-USD.
    """

    max_book_spread_ratio: float
    book_max_age_ns: int
    reference_max_age_ns: int
    market_exposure_ratio: float
    side_exposure_ratio: float
    max_position_uusd: int | None = None
