"""Meters: everything about a run that is counted or measured as it happens, for whoever asks.

What is counted at an event is an integer; what takes longer is looked at four times a second.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from mmbot.domain.actions import Batch
from mmbot.domain.events import (
    AccountSnapshot,
    BookGap,
    Event,
    Fill,
    OrderUpdate,
    ReferencePrice,
    Restatement,
)
from mmbot.domain.figures import Readings, joined
from mmbot.domain.notices import Notice
from mmbot.engine import Engine
from mmbot.runtime.day import Day
from mmbot.runtime.happened import Happened
from mmbot.runtime.market_watch import MarketWatch
from mmbot.runtime.order_meter import OrderMeter

LOOK_EVERY_S = 0.25
KEPT_FILLS = 500
KEPT_NOTICES = 50


class Meters:
    """Told what happens after everybody else; see Watching. `heard_ns`: when streams spoke last."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        markets = [desk.state.market for desk in engine.desks]
        self.day = Day(len(markets))
        self.orders = OrderMeter(markets)
        self.market = MarketWatch(engine)
        self.happened = Happened()
        self.fills: deque[Fill] = deque(maxlen=KEPT_FILLS)
        self.told: deque[Notice] = deque(maxlen=KEPT_NOTICES)
        self.heard_ns: dict[str, int] = {}
        self._symbols = tuple(market.symbol for market in markets)
        self._engine = engine
        self._clock = clock

    async def run(self) -> None:
        """Look at what no event tells, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look(self._clock())

    def look(self, now_ns: int) -> None:
        """Look once."""
        self.market.look(now_ns)
        self.happened.stands(self._engine)
        self.orders.keep({each for desk in self._engine.desks for each in desk.tracker.orders})

    def event(self, event: Event) -> None:
        """See what has happened; fills come by `fill`, changes of books not at all."""
        if isinstance(event, OrderUpdate):
            self.orders.order(event)
        elif isinstance(event, AccountSnapshot):
            self.market.equity_uusd = event.mf_uusd
            self.heard_ns["account"] = event.ts_recv_ns
        elif isinstance(event, ReferencePrice):
            self.heard_ns["reference"] = event.ts_recv_ns
        elif isinstance(event, BookGap):
            self.happened.resynced(self._symbols[event.market], event.reason)
        elif isinstance(event, Restatement):
            self.market.restated(event)
            self.orders.restated(event, self.market.mark(event.market))

    def fill(self, fill: Fill) -> None:
        """See a fill for the first time."""
        self.day.fill(fill)
        self.fills.append(fill)
        self.market.fill(fill, hedge=self.orders.fill(fill))
        if fill.ts_venue_ns:
            delay_ns = max(0, fill.ts_recv_ns - fill.ts_venue_ns)
            self.happened.delays["account",].add(delay_ns)

    def notices(self, notices: Sequence[Notice]) -> None:
        """See what people are told."""
        self.told += notices
        for notice in notices:
            symbol = None if notice.market is None else self._symbols[notice.market]
            self.happened.noticed(notice, symbol)

    def batch(self, batch: Batch) -> None:
        """See what was sent."""
        self.orders.batch(batch)

    def readings(self) -> Readings:
        """Return all that was counted."""
        return joined((self.orders.readings(), self.happened.readings(), self.market.readings()))
