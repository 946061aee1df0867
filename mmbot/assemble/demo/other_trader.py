"""Another trader: takes and makes at random, so that somebody trades with the bot.

It knows nothing of the bot, and leans against its own position. What goes wrong for it is let be:
it is part of the scenery. It leaves no order behind when it can help it.
"""

import asyncio
import time
from collections.abc import Sequence
from random import Random

from msgspec import Struct

from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.keys.session import read_engine_time
from mmbot.adapters.zo.rest.answers import BookView, Catalog, Listing
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.wire.actions import CancelById, PlaceOrder, SessionAction
from mmbot.adapters.zo.wire.outcomes import Accepted, Outcome, Placed
from mmbot.adapters.zo.wire.signing import SessionSigner
from mmbot.domain.order import FillMode, Side
from mmbot.errors import VenueError

CLOCK_EVERY_S = 5.0
LIFETIME_S = 10
LEAVE_TRIES = 5


class Habits(Struct, frozen=True):
    """How it trades: actions a second, sizes in USD, how far it goes to get a trade."""

    actions_per_s: float = 2.0
    least_usd: float = 100.0
    most_usd: float = 800.0
    most_position_usd: float = 20_000.0
    take_share: float = 0.7
    reach_bps: float = 3.0
    resting_count: int = 4


class OtherTrader:
    """Trades until it is cancelled, then takes its orders off."""

    def __init__(
        self,
        http: ZoHttp,
        signer: SessionSigner,
        catalog: Catalog,
        rng: Random,
        habits: Habits | None = None,
    ) -> None:
        self.trades = 0
        self._http = http
        self._signer = signer
        self._listings: Sequence[Listing] = tuple(catalog.listings.values())
        self._rng = rng
        self._habits = habits or Habits()
        self._clock = EngineClock()
        self._read_s = -CLOCK_EVERY_S
        self._resting: list[int] = []
        self._usd = dict.fromkeys(catalog.listings, 0.0)

    async def run(self) -> None:
        """Trade."""
        try:
            while True:
                await asyncio.sleep(self._rng.expovariate(self._habits.actions_per_s))
                try:
                    await self._act()
                except VenueError:
                    continue
        finally:
            await self._leave()

    async def _act(self) -> None:
        habits = self._habits
        listing = self._rng.choice(self._listings)
        book = await self._http.orderbook(listing)
        if not book.bids or not book.asks:
            return
        side = self._side(listing)
        if self._rng.random() < habits.take_share:
            await self._take(listing, book, side)
        elif len(self._resting) >= habits.resting_count:
            await self._cancel(self._resting.pop(0))
        else:
            await self._make(listing, book, side)

    def _side(self, listing: Listing) -> Side:
        """Either, but the more it holds the more likely the way back."""
        lean = self._usd[listing.market_id] / self._habits.most_position_usd / 2
        return Side.ASK if self._rng.random() < 0.5 + lean else Side.BID

    async def _take(self, listing: Listing, book: BookView, side: Side) -> None:
        best = (book.asks if side is Side.BID else book.bids)[0].ticks
        reach = round(best * self._habits.reach_bps / 10_000)
        outcome = await self._place(listing, side, best + side * reach, FillMode.IOC)
        placed = _placed(outcome)
        if placed is not None:
            market = listing.market(0)
            for fill in placed.fills:
                self.trades += 1
                usd = float(market.price(fill.ticks) * market.size(fill.lots))
                self._usd[listing.market_id] += side * usd

    async def _make(self, listing: Listing, book: BookView, side: Side) -> None:
        best = (book.bids if side is Side.BID else book.asks)[0].ticks
        behind = round(best * self._rng.uniform(0, self._habits.reach_bps) / 10_000)
        outcome = await self._place(listing, side, best - side * behind, FillMode.POST_ONLY)
        placed = _placed(outcome)
        if placed is not None and placed.order_id is not None:
            self._resting.append(placed.order_id)

    async def _place(self, listing: Listing, side: Side, ticks: int, mode: FillMode) -> Outcome:
        usd = self._rng.uniform(self._habits.least_usd, self._habits.most_usd)
        lots = listing.market(0).lots_for(round(usd * 1e6), 2 * ticks)
        order = PlaceOrder(listing.market_id, side, mode, ticks, max(1, lots))
        return await self._send(order)

    async def _cancel(self, order_id: int) -> None:
        await self._send(CancelById(order_id))

    async def _send(self, action: SessionAction) -> Outcome:
        now_s = time.monotonic()
        if now_s - self._read_s >= CLOCK_EVERY_S:
            await read_engine_time(self._http, self._clock)
            self._read_s = now_s
        now_ns = time.monotonic_ns()
        stamp = self._clock.stamp(LIFETIME_S, now_ns)
        nonce = self._rng.getrandbits(32)
        body = self._signer.sign(action, stamp, nonce, self._clock.now_s(now_ns))
        return await self._http.act(body, action, self._signer.account_id)

    async def _leave(self) -> None:
        for _ in range(LEAVE_TRIES):
            try:
                while self._resting:
                    await self._cancel(self._resting[-1])
                    self._resting.pop()
            except VenueError:
                continue
            return


def _placed(outcome: Outcome) -> Placed | None:
    if not isinstance(outcome, Accepted):
        return None
    (result,) = outcome.results
    return result if isinstance(result, Placed) else None
