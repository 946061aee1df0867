"""What is done again and again while the venue is traded on, each at its own pace."""

import asyncio
from collections.abc import Awaitable, Callable

from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.audit import Audit, Told
from mmbot.adapters.zo.trading.balance import Balance
from mmbot.adapters.zo.trading.forced import Forced
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import Hooks, Start, TradedAccount, TradingParams
from mmbot.adapters.zo.trading.recovery import Recovery
from mmbot.adapters.zo.trading.sending import Sending
from mmbot.adapters.zo.trading.watch import Watch
from mmbot.errors import RateLimited, VenueError

_AGAIN_MS = 500


class Rounds:
    """The periodic work. `run` ends only by cancellation."""

    def __init__(
        self,
        http: ZoHttp,
        traded: TradedAccount,
        params: TradingParams,
        known: Knowledge,
        sending: Sending,
        told: tuple[Hooks, Start],
    ) -> None:
        hooks, start = told
        engine_clock = sending.dispatch.engine_clock
        self._params = params
        self._known = known
        self._sending = sending
        self._clock = known.outlet.clock
        self.watch = Watch(http, traded, engine_clock, known.outlet, known.hindrances, hooks)
        findings = Told(known.outlet, known.hindrances, known.account, known.joins, known.money)
        self.audit = Audit(http, traded, findings, hooks, start.trades_cursor)
        self._balance = Balance(
            http, traded.signer.account_id, known.account, self.audit, known.outlet, known.money
        )
        self.recovery = Recovery(
            traded.ids,
            engine_clock,
            known.hindrances,
            traded.signer.lifetime_s,
            previous_run_clean=start.previous_run_clean,
        )
        self.watch.judge_clock()
        self._audit_wanted = asyncio.Event()
        self.forced = Forced(http, traded.signer.account_id, known.account, known.hindrances)
        known.ask(self._audit_wanted.set, self.forced.want, hooks.warn)
        known.account.viewed = lambda view, asked_ns: self.recovery.viewed(
            view, asked_ns, self._clock()
        )

    async def run(self) -> None:
        """Do all of it for ever."""
        params, watch = self._params, self.watch
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick(), name="actions followed")
            group.create_task(self.every(params.clock_ms, self._time), name="engine time")
            group.create_task(self.every(params.prices_ms, watch.prices), name="index prices")
            group.create_task(self.every(params.listing_ms, watch.listings), name="listings")
            group.create_task(self.every(params.listing_ms, watch.sessions), name="sessions")
            group.create_task(self.every(params.listing_ms, self._fees), name="fees")
            group.create_task(self.every(_AGAIN_MS, self.forced.read), name="liquidations")
            group.create_task(self._prove(), name="account proofs")
            group.create_task(self._audit(), name="trades audited")

    async def every(self, pause_ms: int, work: Callable[[], Awaitable[None]]) -> None:
        """Do something for ever, with a pause after each time."""
        while True:
            wait_s = pause_ms / 1000
            try:
                await work()
            except RateLimited as error:
                wait_s = max(wait_s, error.retry_after_s or 0.0)
            except VenueError:
                # Whoever depends on it says so by a hindrance; the next time comes soon.
                wait_s = min(wait_s, _AGAIN_MS / 1000)
            await asyncio.sleep(wait_s)

    async def _time(self) -> None:
        await self.watch.time()
        if self._sending.health.maintained:
            self._sending.after_maintenance(self._clock())

    async def _fees(self) -> None:
        await self.watch.fees(self._known.money)

    async def _tick(self) -> None:
        pause_s = self._params.tick_ms / 1000
        while True:
            await asyncio.sleep(pause_s)
            now_ns = self._clock()
            self._sending.tick(now_ns)
            self.watch.judge_clock()
            self.recovery.tick(now_ns)

    async def _prove(self) -> None:
        while True:
            await asyncio.sleep(self._params.sweep_ms / 1000)
            if self._known.account.equity.due.now(self._clock(), soon=not self.recovery.over):
                self._known.feed.ask_proof()

    async def _audit(self) -> None:
        while True:
            again = False
            self._audit_wanted.clear()
            try:
                await self.audit.read()
                again = await self._balance.read() or self._known.account.short is not None
            except VenueError:
                again = True
            if again:
                await asyncio.sleep(_AGAIN_MS / 1000)
                continue
            try:
                async with asyncio.timeout(self._params.audit_ms / 1000):
                    await self._audit_wanted.wait()
            except TimeoutError:
                continue
