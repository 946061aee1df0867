"""A small quoting client that keeps the rules: identical bytes only, slots held until proven free.

One order a side, no batches. It shows that the invariants can be kept, and drives the harness.
"""

import asyncio

from mmbot.adapters.zo.wire.actions import CancelByClientId, PlaceOrder
from mmbot.adapters.zo.wire.outcomes import Accepted, Placed, Rejected
from mmbot.domain.events import Command
from mmbot.domain.order import FillMode, Level, Side
from mmbot.domain.quotes import Room
from mmbot.domain.status import MarketStatus, Mode, StatusView
from mmbot.errors import Unavailable
from mmbot.execution.order_ids import OrderIds
from tests.simulation.bot import Setting
from tests.simulation.eyes import Eyes
from tests.simulation.hands import Hands

LOTS = (10, 100, 500)
MOST_LOTS = (30, 300, 1500)
AWAY = 0.0010
MOVED = 0.0003
DECIDE_S = 0.1
PAUSES_S = (0.3, 0.5, 0.7)
CANCEL_S = 0.5
TASKS = {
    "books": "market stream watch",
    "account": "account stream watch",
    "reference": "reference stream watch",
    "clock": "clock",
    "strategy": "strategy",
}
# Six slots and one place each in this time are within the venue's limit.
APART_NS = 1_000_000_000


class Slot:
    """The one order of a side of a market; free when `client_id` is None."""

    def __init__(self, market: int, side: Side) -> None:
        self.market = market
        self.side = side
        self.client_id: int | None = None
        self.order_id: int | None = None
        self.ticks = 0
        self.lots = 0
        self.landed_at = 0
        self.placed_ns = 0
        self.task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Something about it is not known yet."""
        return self.task is not None and not self.task.done()

    def free(self) -> None:
        """It is proven that nothing of it rests or ever will."""
        self.client_id = self.order_id = None


class Careful:
    """See Bot."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.eyes = Eyes(setting)
        self.mode = Mode.BOOT
        self.epoch = _next_epoch(setting)
        self._hands = Hands(self.eyes, OrderIds(setting.instance, self.epoch))
        self._slots: list[Slot] = []
        self._wedged = False

    async def run(self) -> int:
        """See Bot."""
        eyes = self.eyes
        async with eyes.stack:
            await eyes.open()
            self._slots = [
                Slot(market.index, side) for market in eyes.books.markets for side in Side
            ]
            watching = asyncio.create_task(eyes.watch(), name="watch")
            self.mode = Mode.RECONCILING
            await self._hands.sweep(self.setting.lifetime_s + 1)
            if self.mode is Mode.RECONCILING:
                self.mode = Mode.QUOTING
            deciding = asyncio.create_task(self._decide(), name="strategy")
            await asyncio.wait([watching, deciding], return_when=asyncio.FIRST_COMPLETED)
            self.mode = Mode.DRAINING
            deciding.cancel()
            await asyncio.gather(*(slot.task for slot in self._slots if slot.task is not None))
            await self._hands.sweep(0)
            watching.cancel()
            await asyncio.gather(watching, deciding, return_exceptions=True)
        self.mode = Mode.EXIT
        return 0

    def command(self, command: Command) -> None:
        """See Bot."""
        if command is Command.STOP:
            self.mode = Mode.DRAINING

    def task(self, name: str) -> str | None:
        """See Bot."""
        return TASKS[name]

    def wedge(self) -> None:
        """See Bot."""
        self._wedged = True

    def status(self) -> StatusView | None:
        """See Bot."""
        if not self._slots:
            return None
        markets = tuple(self._market(market.index) for market in self.eyes.books.markets)
        orders = sum(len(each.bids) + len(each.asks) for each in markets)
        return StatusView(
            ts_ns=self.setting.clock(),
            instance=str(self.setting.instance),
            run_mode="live",
            mode=self.mode,
            reasons=(),
            started_ns=0,
            epoch=self.epoch,
            equity_uusd=None,
            free_uusd=None,
            day_pnl_uusd=None,
            drawdown_uusd=None,
            margin_fraction=None,
            markets=markets,
            orders=orders,
            unknown=sum(slot.is_busy for slot in self._slots),
            placed=0,
            cancelled=0,
            rejected=0,
            fills=0,
            ack_p50_ms=None,
            ack_p99_ms=None,
            loop_lag_p99_ms=None,
            reconnects=0,
            requote_interval_ms=0.0,
        )

    belief = status

    def decided(self, client_id: int) -> None:
        """See Bot: what it signs it sends."""

    def _market(self, market: int) -> MarketStatus:
        shown: dict[Side, tuple[Level, ...]] = {
            slot.side: (Level(slot.ticks, slot.lots),)
            for slot in self._slots
            if slot.market == market and slot.client_id is not None
        }
        bid, _, ask, _ = self.eyes.books.markets[market].book.touch(False)
        return MarketStatus(
            symbol=self.setting.symbols[market],
            reason=self.eyes.blind(market),
            best_bid=bid,
            best_ask=ask,
            bids=shown.get(Side.BID, ()),
            asks=shown.get(Side.ASK, ()),
            position_lots=self.eyes.lots[market],
            mark_half_ticks=bid + ask,
            pnl_uusd=0,
            room=Room(0, 0),
            fills=0,
            volume_uusd=0,
            book_age_ms=None,
        )

    # -- deciding

    async def _decide(self) -> None:
        while self.mode is not Mode.DRAINING:
            await asyncio.sleep(DECIDE_S)
            if not self._wedged:
                for slot in self._slots:
                    self._tend(slot)

    def _tend(self, slot: Slot) -> None:
        if slot.is_busy:
            return
        slot.task = None
        if slot.order_id is not None and self._over(slot, slot.order_id):
            slot.free()
        blind = self.eyes.blind(slot.market)
        wanted = None if blind is not None else self._wanted(slot)
        if slot.client_id is None:
            waited_ns = self.setting.clock() - slot.placed_ns
            if wanted is not None and self.mode is Mode.QUOTING and waited_ns >= APART_NS:
                slot.placed_ns = self.setting.clock()
                slot.task = asyncio.create_task(self._place(slot, wanted), name="place")
        elif wanted is None or abs(wanted / slot.ticks - 1) > MOVED:
            slot.task = asyncio.create_task(self._cancel(slot), name="cancel")

    def _wanted(self, slot: Slot) -> int | None:
        held = self.eyes.lots[slot.market] * slot.side
        if held + LOTS[slot.market] > MOST_LOTS[slot.market]:
            return None
        price, _ = self.eyes.prices[slot.market]
        return round(price * (1 - slot.side * AWAY))

    def _over(self, slot: Slot, order_id: int) -> bool:
        eyes, adopted = self.eyes, self.eyes.adopted
        if order_id in eyes.gone:
            return True
        lacks = adopted is not None and all(each.order_id != order_id for each in adopted.orders)
        known = order_id in eyes.feed.sync.resting
        return lacks and not known and adopted is not None and adopted.update_id > slot.landed_at

    async def _place(self, slot: Slot, ticks: int) -> None:
        client_id, lots = self._hands.ids.next(), LOTS[slot.market]
        action = PlaceOrder(slot.market, slot.side, FillMode.POST_ONLY, ticks, lots, client_id)
        try:
            body, stamp = self._hands.sign(action)
        except Unavailable:
            return
        slot.client_id, slot.ticks, slot.lots = client_id, ticks, lots
        for number, pause_s in enumerate(PAUSES_S):
            if number and (self.mode is not Mode.QUOTING or self.eyes.blind(slot.market)):
                break
            outcome = await self._hands.send(body, action)
            if isinstance(outcome, Accepted):
                placed = outcome.results[0]
                assert isinstance(placed, Placed)
                slot.landed_at, slot.order_id = outcome.action_id, placed.order_id
                return
            if isinstance(outcome, Rejected) and outcome.refusal.name == "DUPLICATE":
                break
            if isinstance(outcome, Rejected) and number == 0:
                slot.free()
                return
            await asyncio.sleep(pause_s)
        await self._settle(slot, stamp)

    async def _settle(self, slot: Slot, stamp: int) -> None:
        """Wait until the bytes can land no more, then believe a snapshot taken after that."""
        assert slot.client_id is not None
        cancelled = False
        while True:
            if not cancelled and self.eyes.blind(slot.market):
                cancelled = await self._hands.cancelled(slot.client_id)
            expired = self.eyes.clock.range_ns(self.setting.clock())[0] > (stamp + 62) * 10**9
            view = await self._hands.account()
            if view is not None:
                found = [each for each in view.orders if each.client_order_id == slot.client_id]
                if found:
                    slot.order_id, slot.landed_at = found[0].order_id, view.update_id
                    return
                if expired:
                    slot.free()
                    return
            await asyncio.sleep(1.0)

    async def _cancel(self, slot: Slot) -> None:
        assert slot.client_id is not None
        while slot.order_id is None or not self._over(slot, slot.order_id):
            action = CancelByClientId(slot.client_id)
            try:
                body, _ = self._hands.sign(action)
            except Unavailable:
                await asyncio.sleep(CANCEL_S)
                continue
            outcome = await self._hands.send(body, action)
            if isinstance(outcome, Accepted):
                break
            if isinstance(outcome, Rejected) and outcome.refusal.name == "ORDER_NOT_FOUND":
                break
            await asyncio.sleep(CANCEL_S)
        slot.free()


def _next_epoch(setting: Setting) -> int:
    path = setting.machine.folder / "epoch"
    epoch = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(epoch))
    return epoch
