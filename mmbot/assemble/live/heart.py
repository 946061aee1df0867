"""The heart of a live bot: tells guard, systemd and its own watchdog that it lives, and how."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.wire import base58
from mmbot.config.schema import Config
from mmbot.domain.status import Mode
from mmbot.engine import Engine
from mmbot.engine.view import keyless, orders_alive, standing
from mmbot.ports import Leftovers
from mmbot.rescue.session import Session
from mmbot.rescue.sweep import Observer, Wanted, cancel_all
from mmbot.rescue.watch import KEYLESS
from mmbot.runtime.guard_params import guard_socket
from mmbot.runtime.heartbeat import Heartbeat
from mmbot.runtime.systemd import Supervisor
from mmbot.runtime.watchdog import Watchdog

NS_PER_S = 1_000_000_000
TRIP_TIMEOUT_S = 30.0
# Started means able to quote; but a venue that is away for an hour is no reason to start again.
STARTING = frozenset({Mode.BOOT, Mode.RECONCILING, Mode.WARMING})
READY_WITHIN_S = 90

Signs = Callable[[], Mapping[str, bool]]


class NoHeart:
    """Heart that nobody listens to."""

    def beat(self, now_ns: int, signs: Signs) -> None:
        """See Heart."""

    def reloading(self, *, begins: bool) -> None:
        """See Heart."""

    async def run(self) -> None:
        """See Heart."""
        await asyncio.Event().wait()

    async def end(self, leftovers: Leftovers, *, anew: bool) -> None:
        """See Heart."""


class SupervisedHeart:
    """Heart that systemd listens to."""

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        self._engine = engine
        self._supervisor = supervisor
        self._began_ns: int | None = None
        self._petted_ns = 0
        self._ready = False
        self._told: Mode | None = None
        self._ill = False

    def beat(self, now_ns: int, signs: Signs) -> None:
        """See Heart."""
        mode = standing(self._engine).mode
        if self._began_ns is None:
            self._began_ns = self._petted_ns = now_ns
        starts = mode in STARTING and now_ns - self._began_ns < READY_WITHIN_S * NS_PER_S
        if not (self._ready or starts):
            self._ready = True
            self._supervisor.ready(mode.value)
        every_s = self._supervisor.pet_every_s
        if every_s is not None and now_ns - self._petted_ns >= every_s * NS_PER_S:
            self._petted_ns = now_ns
            was_ill, self._ill = self._ill, bool(self._supervisor.pet(signs()))
            if was_ill and not self._ill:
                # What was wrong does not stand in `systemctl status` any longer.
                self._told = None
        if mode is not self._told:
            self._tell(mode)

    def reloading(self, *, begins: bool) -> None:
        """See Heart."""
        if not self._ready:
            return
        if begins:
            self._supervisor.reloading(time.monotonic_ns())
        else:
            self._supervisor.ready(standing(self._engine).mode.value)

    async def run(self) -> None:
        """See Heart."""
        await asyncio.Event().wait()

    async def end(self, leftovers: Leftovers, *, anew: bool) -> None:  # noqa: ARG002 - Heart's
        """See Heart."""
        if anew:
            # The service goes on: systemd would kill it when it had said that it stops.
            self._supervisor.pet({})
            self._supervisor.status("beginning anew")
        elif self._told is not Mode.DRAINING:
            # A quick stop is over before the next beat.
            self._tell(Mode.DRAINING)

    def _tell(self, mode: Mode) -> None:
        self._told = mode
        if mode is Mode.DRAINING:
            self._supervisor.stopping("taking orders off")
        else:
            self._supervisor.status(mode.value)


class GuardedHeart(SupervisedHeart):
    """Heart that a guard process and a watchdog thread listen to as well."""

    def __init__(
        self,
        engine: Engine,
        epoch: int,
        heartbeat: Heartbeat,
        supervisor: Supervisor,
        watchdog: Watchdog,
    ) -> None:
        super().__init__(engine, supervisor)
        self._epoch = epoch
        self._heartbeat = heartbeat
        self._watchdog = watchdog

    def beat(self, now_ns: int, signs: Signs) -> None:
        """See Heart."""
        self._watchdog.beat()
        said = KEYLESS if keyless(self._engine) else standing(self._engine).mode.value
        self._heartbeat.beat(said, orders_alive(self._engine), self._epoch)
        super().beat(now_ns, signs)

    async def run(self) -> None:
        """See Heart."""
        self._watchdog.start()
        try:
            await self._heartbeat.run()
        finally:
            self._watchdog.stop()

    async def end(self, leftovers: Leftovers, *, anew: bool) -> None:
        """See Heart."""
        await super().end(leftovers, anew=anew)
        await self._heartbeat.goodbye(len(leftovers.orders) if leftovers.proven else 1)


class HeartTerms(NamedTuple):
    """What a heart is for: whose orders, by which session, and whom to tell of a rescue."""

    config: Config
    engine: Engine
    epoch: int
    session: StoredSession
    account_id: int
    clock: Callable[[], int]
    warn: Callable[[str], None]


def guarded_heart(terms: HeartTerms, env: Mapping[str, str]) -> GuardedHeart:
    """Put a heart together whose watchdog cancels by itself when the loop is blocked."""
    config = terms.config
    landing_s = config.venue.action_lifetime_s
    socket = guard_socket(config.guard, config.instance.name, env)
    heartbeat = Heartbeat(socket, terms.clock, os.getpid(), landing_s)
    watchdog = Watchdog(_rescue(terms, landing_s), os.abort)
    supervisor = Supervisor(env, os.getpid())
    return GuardedHeart(terms.engine, terms.epoch, heartbeat, supervisor, watchdog)


def supervised_heart(engine: Engine, env: Mapping[str, str]) -> SupervisedHeart:
    """Put a heart together for a run that has no orders anywhere but here."""
    return SupervisedHeart(engine, Supervisor(env, os.getpid()))


def _rescue(terms: HeartTerms, landing_s: int) -> Callable[[str], None]:
    """Return what cancels without the loop, over connections of its own; one at a time."""
    stored, warn = terms.session, terms.warn
    origin = terms.config.venue.http_origin
    secret = base58.encode(stored.keypair.reveal())
    session = Session(origin, stored.user, stored.session_id, stored.expiry_s, secret)
    wanted = Wanted(
        instance=terms.config.instance.id, landing_s=landing_s, timeout_s=TRIP_TIMEOUT_S
    )
    busy = threading.Lock()

    def rescue(reason: str) -> None:
        if not busy.acquire(blocking=False):
            return
        try:
            warn(f"watchdog: {reason}; cancelling without it")
            swept = cancel_all(session, wanted, terms.account_id, Observer(warn))
            how = "none is left" if swept.proven else swept.reason
            warn(f"watchdog: {swept.cancelled} orders cancelled, {how}")
        finally:
            busy.release()

    return rescue
