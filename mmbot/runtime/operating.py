"""Operating: what an operator does to the market through the engine, and proof that it is done.

The engine acts at once; what is waited for here is only that the venue confirms it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from mmbot.domain.control import Answer, Result
from mmbot.domain.events import Command
from mmbot.engine import Desk
from mmbot.errors import VenueError
from mmbot.runtime.live import MarketMakerLive

CANCEL_TIMEOUT_S = 30.0
FLATTEN_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.005
ASK_EVERY_S = 0.1
NS_PER_MS = 1_000_000

Resting = Callable[[int | None], Awaitable[int]]
"""Asks the venue how many orders of ours rest, in one market or in all; VenueError."""


class Target(NamedTuple):
    """What a command is about: a market's index or None for all, its name, and why."""

    market: int | None
    name: str
    reason: str


class Operating:
    """Gives the engine its orders; `sent` tells how many cancels have gone, in how many batches."""

    def __init__(
        self, live: MarketMakerLive, resting: Resting, sent: Callable[[], tuple[int, int]]
    ) -> None:
        self._live = live
        self._resting = resting
        self._sent = sent

    def pause(self, target: Target) -> Answer:
        """Stop quoting; the orders are taken off, and nobody waits for it."""
        orders = self._alive(target.market)
        self._live.command(Command.PAUSE, target.market, target.reason)
        text = f"{target.name} paused, {_count(orders, 'order')} being cancelled"
        return Answer(Result.OK, text, facts={"orders": orders})

    def resume(self, target: Target) -> Answer:
        """End pauses; what else stops a market still does."""
        self._live.command(Command.RESUME, target.market, target.reason)
        stops = self._live.works.engine.stops
        held = {stops.reason(desk.state.market.index) for desk in self._desks(target.market)}
        reasons = "; ".join(sorted(reason for reason in held if reason is not None))
        text = f"{target.name} resumed" + (f", but still stopped: {reasons}" if reasons else "")
        return Answer(Result.OK, text)

    def rebase(self, target: Target) -> Answer:
        """Count losses from now on."""
        self._live.command(Command.REBASE, None, target.reason)
        return Answer(Result.OK, "losses and the peak count from the next figure of equity on")

    def stop(self, target: Target) -> Answer:
        """End the run."""
        self._live.stop(target.reason)
        return Answer(Result.OK, "stopping: orders are taken off, then the process ends")

    async def cancel_all(self, target: Target) -> Answer:
        """Pause, cancel, and ask the venue until it shows none of ours."""
        works = self._live.works
        began_ns = works.clock()
        cancels_before, batches_before = self._sent()
        self._live.command(Command.PAUSE, target.market, target.reason)
        left, trouble = await self._gone(target.market, began_ns)
        took_ms = (works.clock() - began_ns) // NS_PER_MS
        cancels, batches = self._sent()
        batches -= batches_before
        facts: dict[str, int | float | str] = {
            "left": left,
            "cancelled": cancels - cancels_before,
            "batches": batches,
            "took_ms": took_ms,
        }
        done = f"{left} left, {_count(batches, 'batch', 'batches')}, {took_ms:,} ms"
        if trouble is None:
            return Answer(Result.OK, f"{done}, {target.name} paused", facts=facts)
        text = f"not proven: {done}; {trouble}; {target.name} paused"
        return Answer(Result.UNKNOWN, text, facts=facts, exit_code=8)

    async def flatten(self, target: Target, slippage_ppb: int | None = None) -> Answer:
        """Cancel, give the positions back within the band, and see that they are gone.

        slippage_ppb: another band than that of the settings, this time.
        """
        works = self._live.works
        began_ns = works.clock()
        self._live.command(Command.FLATTEN, target.market, target.reason, slippage_ppb)
        desks = self._desks(target.market)
        until_ns = began_ns + round(FLATTEN_TIMEOUT_S * 1e9)
        while any(desk.guards.flattening is not None for desk in desks):
            if works.clock() >= until_ns or self._live.ending.begun:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        took_ms = (works.clock() - began_ns) // NS_PER_MS
        held = [
            f"{desk.state.market.symbol} {desk.state.market.size(desk.position.lots):+f}"
            for desk in desks
            if desk.position.lots
        ]
        if held:
            text = f"not flat after {took_ms:,} ms: {', '.join(held)}; {target.name} paused"
            return Answer(Result.UNKNOWN, text, facts={"took_ms": took_ms}, exit_code=8)
        text = f"{target.name} flat after {took_ms:,} ms, paused"
        return Answer(Result.OK, text, facts={"took_ms": took_ms})

    async def _gone(self, market: int | None, began_ns: int) -> tuple[int, str | None]:
        """Wait until the engine, and then the venue, has nothing; what is left, and why."""
        until_ns = began_ns + round(CANCEL_TIMEOUT_S * 1e9)
        clock = self._live.works.clock
        trouble = "the venue was not asked"
        while clock() < until_ns:
            if self._alive(market):
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                left = await self._resting(market)
            except VenueError as error:
                trouble = f"the venue cannot be asked: {error}"
            else:
                if not left:
                    return 0, None
                trouble = f"the venue shows {_count(left, 'order')}"
            await asyncio.sleep(ASK_EVERY_S)
        alive = self._alive(market)
        return alive, f"{alive} not answered for" if alive else trouble

    def _alive(self, market: int | None) -> int:
        return sum(len(desk.tracker.orders) for desk in self._desks(market))

    def _desks(self, market: int | None) -> list[Desk]:
        desks = self._live.works.engine.desks
        return [desk for desk in desks if market in (None, desk.state.market.index)]


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or f'{noun}s'}"
