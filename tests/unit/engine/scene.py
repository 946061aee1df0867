"""What engine tests start from: a market of 1 USD lots, an account of 1,000 USD, wanted quotes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.actions import Action, Batch, Cancel, Place
from mmbot.domain.events import (
    AccountSnapshot,
    BookUpdate,
    Command,
    Event,
    Fill,
    Operator,
    OrderUpdate,
    Timer,
)
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.domain.order import Level, OrderState, Side
from mmbot.domain.quotes import Hold, Quotes
from mmbot.engine import Desk, Engine, VenueTraits
from mmbot.execution.budget import Budget
from mmbot.execution.diff import RequoteParams
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.rates import RateLimitParams
from mmbot.hedging.engine import HedgeParams, HedgingEngine
from mmbot.quoting.state import QuotingState
from mmbot.risk.breaker import Breaker
from mmbot.risk.limits import MarketRiskParams, RiskManager, RiskParams
from mmbot.risk.losses import LossParams

USD = 10**6
MS = 10**6
START = 20_000 * 86_400 * 10**9


def quotes(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> Quotes:
    return Quotes(tuple(Level(*level) for level in bids), tuple(Level(*level) for level in asks))


class Wish:
    """A strategy that wants what the test says, and remembers what it was shown."""

    def __init__(self, answer: Hold | Quotes) -> None:
        self.answer = answer
        self.seen: list[tuple[int, int, object]] = []

    def decide(self, state: QuotingState) -> Hold | Quotes:
        self.seen.append((state.now_ns, state.position_lots, state.room))
        return self.answer


class Bench:
    """An engine over `count` markets, driven by hand; 30 % a market, so 300 lots of 1 USD."""

    def __init__(
        self,
        count: int = 1,
        *,
        traits: VenueTraits | None = None,
        rates: dict[str, Any] | None = None,
        hedge: bool = False,
        loss: LossParams | None = None,
    ) -> None:
        self.now = START
        self.wishes = [Wish(quotes([(999, 10)], [(1001, 10)])) for _ in range(count)]
        self.books = [OrderBook() for _ in range(count)]
        markets = [
            Market(f"M{index}", Decimal("0.1"), Decimal("0.01"), index=index)
            for index in range(count)
        ]
        desks = [
            Desk(
                market,
                self.books[market.index],
                self.wishes[market.index],
                RequoteParams(),
                HedgingEngine(HedgeParams(enabled=True), market) if hedge else None,
            )
            for market in markets
        ]
        limits = {"orders_per_second": 10_000, "cancels_per_second": 10_000}
        limits |= {"requests_per_minute": 1_000_000}
        chosen = VenueTraits() if traits is None else traits
        self.breaker = Breaker(LossParams(daily_limit_usd=Decimal(500)) if loss is None else loss)
        self.ids = OrderIds(7, 1)
        self.engine = Engine(
            desks,
            RiskManager(RiskParams(), markets, [MarketRiskParams()] * count),
            self.breaker,
            self.ids,
            Budget(
                RateLimitParams(**(limits | (rates or {}))),
                chosen.batch_size,
                chosen.slack_ns,
                chosen.reads_per_min,
            ),
            chosen,
        )
        self.desk = self.engine.desks[0]
        for book in self.books:
            fill_book(book, 1000)

    def feed(self, event: Event) -> list[Action]:
        return flat(self.engine.handle(event))

    def start(self) -> list[Action]:
        """First snapshot, first books; what is sent."""
        self.account()
        return [action for index in range(len(self.books)) for action in self.book(index)]

    def account(self, usd: int | None = 1000, **changes: Any) -> list[Action]:
        uusd = None if usd is None else usd * USD
        figures: dict[str, Any] = {"omf_uusd": uusd, "imf_uusd": 0, "pn_uusd": 0}
        figures |= {"mf_uusd": uusd, "bankruptcy": False} | changes
        return self.feed(AccountSnapshot(self.now, self.now, **figures))

    def book(self, market: int = 0) -> list[Action]:
        return self.feed(BookUpdate(self.now, self.now, market))

    def wait(self, ms: int = 100) -> list[Action]:
        self.now += ms * MS
        return self.feed(Timer(self.now, self.now))

    def say(
        self, order_id: int, state: OrderState, reason: str | None = None, market: int = 0
    ) -> list[Action]:
        return self.feed(OrderUpdate(self.now, self.now, market, order_id, state, 0, reason))

    def open_all(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Place):
                self.say(action.order_id, OrderState.OPEN, market=action.market)

    def fill(
        self, order_id: int, side: Side, lots: int, leaves: int, trade: int = 1, ticks: int = 999
    ) -> list[Action]:
        return self.feed(
            Fill(self.now, self.now, 0, order_id, trade, side, ticks, lots, leaves, True, 0)
        )

    def tell(
        self, command: Command, market: int | None = None, slippage_ppb: int | None = None
    ) -> list[Action]:
        return self.feed(Operator(self.now, self.now, command, market, "because", slippage_ppb))

    def codes(self) -> list[str]:
        return [notice.code for notice in self.notices()]

    def notices(self) -> list[Notice]:
        return self.engine.take_notices()


def fill_book(book: OrderBook, middle: int) -> None:
    book.snapshot(
        [(middle - gap, 50) for gap in range(1, 6)], [(middle + gap, 50) for gap in range(1, 6)]
    )


def flat(batches: Sequence[Batch]) -> list[Action]:
    return [action for batch in batches for action in batch.actions]


def placed(actions: Sequence[Action]) -> list[tuple[Side, int, int]]:
    return [(a.side, a.ticks, a.lots) for a in actions if isinstance(a, Place)]


def cancelled(actions: Sequence[Action]) -> list[int]:
    return sorted(a.order_id for a in actions if isinstance(a, Cancel))
