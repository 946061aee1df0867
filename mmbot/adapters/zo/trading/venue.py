"""ZoVenue: the live venue behind the port, put together from its parts."""

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import (
    Access,
    Hooks,
    Start,
    Surroundings,
    TradedAccount,
    TradingParams,
)
from mmbot.adapters.zo.trading.rounds import Rounds
from mmbot.adapters.zo.trading.sending import Sending
from mmbot.adapters.zo.trading.stop_triggers import stop_triggers
from mmbot.adapters.zo.trading.sweep import Sweep
from mmbot.domain.actions import Batch
from mmbot.domain.figures import Histogram, Labels
from mmbot.domain.status import StopTrigger
from mmbot.ports import Emit, Leftovers


class VenueFigures(Struct, frozen=True):
    """Counts since the start. `ack_ns`: the last acknowledgements, oldest first.

    `unknown` counts orders whose outcome is open now, `unanswered` all answers that said nothing.
    """

    ack_ns: tuple[int, ...]
    unknown: int
    unanswered: int
    accepted: int
    rejected: int
    not_sent: int
    in_flight: int
    zombies: int
    reconnects: int
    messages: int
    repeats: int
    refused_for_rate: int
    account_gaps: int
    restated: int
    stops: tuple[StopTrigger, ...] = ()


class ZoVenue:
    """01.xyz, live: see ports.Venue. `params` are TradingParams, `start` how the last run ended.

    Nothing is sent or read before `run`, `cancel_all` or `submit`.
    """

    def __init__(
        self,
        access: Access,
        traded: TradedAccount,
        outside: Surroundings,
        hooks: Hooks,
        params: TradingParams,
        start: Start,
    ) -> None:
        self._line = access.line
        self._market_ids = tuple(listing.market_id for listing in traded.listings)
        self._known = Knowledge(access, traded, outside, params)
        self._sending = Sending(access, traded, outside, params, self._known)
        self._rounds = Rounds(
            access.http, traded, params, self._known, self._sending, (hooks, start)
        )
        self._sweep = Sweep(
            access.http,
            traded,
            self._sending.dispatch,
            self._known.settling,
            (params.sweep_ms, params.split_ms),
        )
        self._params = params
        self._protecting = None
        if params.protection is not None:
            parts = (self._known, self._sending, self._rounds)
            self._protecting = stop_triggers(access.http, traded, params.protection, parts, hooks)

    def submit(self, batch: Batch) -> None:
        """See Venue."""
        self._sending.sender.submit(batch, self._market_ids)

    async def run(self, emit: Emit) -> None:
        """See Venue. Hindrances that hold from the start are told first."""
        self._known.outlet.connect(emit)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._line.run(), name="action connections")
            group.create_task(self._known.feed.run(), name="account")
            group.create_task(self._rounds.run(), name="venue rounds")
            if self._protecting is not None:
                work = self._rounds.every(self._params.protect_ms, self._protecting.round)
                group.create_task(work, name="stop triggers")

    async def cancel_all(self, deadline_s: float) -> Leftovers:
        """See Venue."""
        self._sending.sender.stopping = True
        loop = asyncio.get_running_loop()
        until_s = loop.time() + deadline_s
        follow = loop.create_task(self._follow())
        try:
            if self._protecting is None:
                return await self._sweep.run(deadline_s)
            self._protecting.still = True
            left = await self._sweep.run(deadline_s)
            self._protecting.still = False
            if left.clean:
                await self._protecting.leave(until_s - loop.time())
            return left
        finally:
            follow.cancel()

    async def audit(self) -> None:
        """Read the venue's trades once more, for the ledger; raises VenueError."""
        await self._rounds.audit.read()

    @property
    def figures(self) -> VenueFigures:
        """How it went so far."""
        health, known = self._sending.health, self._known
        return VenueFigures(
            tuple(health.acks.last_ns),
            known.orders.unknown,
            health.unknown,
            health.accepted,
            health.rejected,
            health.not_sent,
            self._sending.sender.in_flight,
            known.settling.zombies + self._sending.verdicts.zombies,
            max(0, known.feed.connection.generation - 1),
            known.feed.connection.frames,
            self._sending.sender.repeats,
            health.refused_for_rate,
            known.account.gaps,
            self._rounds.audit.restated,
            () if self._protecting is None else self._protecting.shown,
        )

    @property
    def acks(self) -> Mapping[Labels, Histogram]:
        """How long acknowledgements took, by kind of action."""
        return self._sending.health.acks.by_kind

    async def _follow(self) -> None:
        # Whether `run` works or not, what is on its way is followed.
        while True:
            await asyncio.sleep(self._params.tick_ms / 1000)
            self._sending.tick(self._known.outlet.clock())
