"""Stop triggers kept at the venue, one for every position; see protection.Stop.

Nothing of it comes before a cancel: two such actions at most are on their way, none leaves while
the way to the venue is in trouble or the last of the minute's requests are left, and only a
position without any trigger goes before quotes.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.trading import hindrances
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import ProtectionTerms, TradedAccount
from mmbot.adapters.zo.trading.positions import Positions
from mmbot.adapters.zo.trading.protection import Stop
from mmbot.adapters.zo.trading.trigger_lists import TriggerLists
from mmbot.domain.status import StopTrigger
from mmbot.errors import VenueError

_AT_ONCE = 2
# How often the list of what rests is read: while it is asked for, with positions, and without.
_ASKED_NS, _HELD_NS, _FLAT_NS = 1 * NS_PER_S, 10 * NS_PER_S, 60 * NS_PER_S
_LEAVE_S, _AGAIN_S = 3.0, 0.2
_IN_THE_WAY = (
    hindrances.ACCOUNT,
    hindrances.ACTION_PATH,
    hindrances.ENGINE_CLOCK,
    hindrances.MAINTENANCE,
    hindrances.RATE_LIMITED,
    hindrances.SESSION,
)
_IN_A_MARKET = (hindrances.FROZEN, hindrances.LISTING)


class Around(NamedTuple):
    """What it stands on. `occasions` counts trades and cancels that nobody here asked for."""

    positions: Positions
    lists: TriggerLists
    occasions: Callable[[], int]


class Protecting:
    """Looks at positions and triggers in every `round`; `still` lets it send nothing."""

    def __init__(
        self,
        traded: TradedAccount,
        terms: ProtectionTerms,
        known: Knowledge,
        dispatch: Dispatch,
        around: Around,
    ) -> None:
        self.still = False
        self._known = known
        self._dispatch = dispatch
        self._around = around
        self._stops = [Stop(listing.market_id, terms) for listing in traded.listings]
        self._refused: set[int] = set()
        self._read_ns: int | None = None
        # Trades of others, and gaps, up to which the list was read.
        self._seen = (0, 0)
        self._busy = asyncio.Lock()

    @property
    def shown(self) -> tuple[StopTrigger, ...]:
        """What rests in every market, and what is wrong about it."""
        unread, held = self._around.lists.unread, self._around.positions.held()
        return tuple(stop.shown(each, unread) for stop, each in zip(self._stops, held, strict=True))

    async def round(self) -> None:
        """Look and act once; a VenueError leaves it for the next time."""
        async with self._busy:
            now_ns = self._dispatch.clock()
            if self.still or self._hindered(now_ns):
                return
            if self._due(now_ns):
                self._read_ns = now_ns
                await self._look(now_ns)
            # Reading took its time.
            now_ns = self._dispatch.clock()
            if not self.still and not self._hindered(now_ns):
                self._act(now_ns)
            self._tell()
            await self._around.lists.explain()

    async def leave(self, most_s: float) -> None:
        """At the end of a run: finish what is begun, as far as that goes in a moment."""
        clock = self._dispatch.clock
        until_ns = clock() + round(min(most_s, _LEAVE_S) * NS_PER_S)
        while (now_ns := clock()) < until_ns and not self._hindered(now_ns):
            positions = self._around.positions
            idle = map(Stop.idle, self._stops, positions.held())
            if positions.newest and all(idle):
                return
            try:
                async with asyncio.timeout((until_ns - now_ns) / NS_PER_S):
                    await self.round()
                    await asyncio.sleep(_AGAIN_S)
            except (VenueError, TimeoutError):
                await asyncio.sleep(_AGAIN_S)

    def _hindered(self, now_ns: int) -> bool:
        held = self._known.hindrances.holds
        return any(map(held, _IN_THE_WAY)) or self._dispatch.no_places(now_ns) is not None

    def _due(self, now_ns: int) -> bool:
        if self._happened() != self._seen:
            # Somebody else traded, or what happened meanwhile is not known.
            for stop in self._stops:
                stop.known = False
        if self._read_ns is None:
            return True
        if self._around.lists.unread is not None:
            pause_ns = _HELD_NS
        elif any(stop.asks for stop in self._stops):
            pause_ns = _ASKED_NS
        else:
            held = any(each.lots for each in self._around.positions.held())
            pause_ns = _HELD_NS if held else _FLAT_NS
        return now_ns - self._read_ns >= pause_ns

    def _happened(self) -> tuple[int, int]:
        return self._around.occasions(), self._known.account.gaps

    async def _look(self, asked_ns: int) -> None:
        expired, lists = self._dispatch.expired, self._around.lists
        dead = [stop.stamp is not None and expired(stop.stamp) for stop in self._stops]
        happened = self._happened()
        listed = await lists.resting()
        for market, (stop, over) in enumerate(zip(self._stops, dead, strict=True)):
            gone = stop.found(listed, asked_ns, dead=over)
            if happened != self._seen:
                lists.missed(market, gone)
        self._seen = happened

    def _act(self, now_ns: int) -> None:
        if self._around.lists.exhausted(now_ns):
            return
        holds, held = self._known.hindrances.holds, self._around.positions.held()
        free = [
            market
            for market in range(len(self._stops))
            if not any(holds(name, market) for name in _IN_A_MARKET)
        ]
        free.sort(key=lambda market: not self._stops[market].unprotected(held[market]))
        room = _AT_ONCE - sum(stop.waits for stop in self._stops)
        crowded = self._dispatch.pace.crowded(now_ns)
        for market in free:
            stop, each = self._stops[market], held[market]
            if room <= 0 or (crowded and not stop.unprotected(each)):
                return
            signed, action = stop.again(each, now_ns), stop.wants(each, now_ns)
            if action is not None:
                signed = self._dispatch.sign(action, now_ns)
            if signed is not None:
                room -= 1
                stop.sent(signed, action, now_ns)
                clock = self._dispatch.clock
                self._dispatch.send(signed, partial(stop.answered, signed, clock))

    def _tell(self) -> None:
        """Say once where the venue wants no triggers."""
        for market, stop in enumerate(self._stops):
            if stop.plan.refused is not None and market not in self._refused:
                self._refused.add(market)
                self._around.lists.news.refused(market, stop.plan.refused)
