"""What quoting tests start from: the book of the spec's worked example and settings by keyword."""

from decimal import Decimal
from typing import Any

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Contract, Market
from mmbot.domain.quotes import Room
from mmbot.quoting.params import QuotingParams
from mmbot.quoting.signals import Signals
from mmbot.quoting.state import QuotingLimits, QuotingState
from mmbot.quoting.strategy import MarketMaker

SECOND = 10**9
USD = 10**6
# What nothing was learned of.
UNKNOWN = Signals(1.0, (0.4, 1.4), (0.3, 0.8))
PLENTY = Room(10**9, 10**9)
BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.00001"))
INVERSE = Market(
    "BTCUSD-INV", Decimal("0.5"), Decimal(1), contract=Contract.INVERSE, contract_size=Decimal(10)
)
# Spec section 11: one BTC is 100,000 lots, one dollar 10 ticks.
BIDS = [(1000000 - 10 * n, lots) for n, lots in enumerate((100000, 200000, 100000, 100000, 100000))]
ASKS = [(1000010 + 10 * n, lots) for n, lots in enumerate((50000, 50000, 100000, 50000, 50000))]


def limits(**changes: Any) -> QuotingLimits:
    """Limits of the worked example: 30 % a market, 25 % a side, feeds good for two seconds."""
    settings: dict[str, Any] = {
        "max_book_spread_ratio": 0.05,
        "book_max_age_ns": 2 * SECOND,
        "reference_max_age_ns": 2 * SECOND,
        "market_exposure_ratio": 0.30,
        "side_exposure_ratio": 0.25,
    }
    return QuotingLimits(**(settings | changes))


def book(
    bids: list[tuple[int, int]] | None = None, asks: list[tuple[int, int]] | None = None
) -> OrderBook:
    """A book with these (ticks, lots), those of the worked example when absent."""
    filled = OrderBook()
    filled.snapshot(BIDS if bids is None else bids, ASKS if asks is None else asks)
    return filled


def state(market: Market = BTC, **changes: Any) -> QuotingState:
    """A healthy state: flat, 10,000 dollars, plenty of room."""
    settings: dict[str, Any] = {
        "now_ns": 100 * SECOND,
        "book_ts_ns": 100 * SECOND,
        "equity_uusd": 10_000 * USD,
        "free_uusd": 9_000 * USD,
        "room": PLENTY,
    }
    settings |= changes
    made = QuotingState(market, settings.pop("book", None) or book())
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def params(**blocks: dict[str, Any]) -> QuotingParams:
    """Settings of the worked example, three levels of 15 to 125 bps, with blocks replaced."""
    defaults: dict[str, Any] = {
        "spread": {"min_bps": 15, "max_bps": 125},
        "levels": {"count": 3},
    }
    return QuotingParams.model_validate(defaults | blocks)


def maker(market: Market = BTC, /, **blocks: Any) -> MarketMaker:
    """A market maker with settings by block; `limits` may be among them."""
    bounds = blocks.pop("limits", None) or limits()
    return MarketMaker(params(**blocks), bounds, market)
