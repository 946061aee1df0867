"""Which bot of a pair trades: the lease taken at the start, waited for on a standby, and kept."""

import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from random import Random
from typing import NamedTuple

from mmbot.adapters.lease.keeper import NS_PER_MS, LeaseKeeper, LeaseTerms
from mmbot.adapters.lease.standing import Candidate, Landing, Standing
from mmbot.adapters.lease.store import LeaseStore
from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.config.schema import Config
from mmbot.domain.status import LeaseStatus
from mmbot.errors import ConfigError
from mmbot.ledger.ledger import Ledger
from mmbot.runtime.supervision import ExitReport
from mmbot.runtime.systemd import Supervisor
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import is_set, resolve

# Renewals that may fail before the quotes go off, and then some.
SPARE_RENEWALS = 5


class Pair(NamedTuple):
    """What a bot of a pair needs of the world: the store of leases, and whom to tell of a wait."""

    store: Callable[[Config, str], LeaseStore]
    waiting: Callable[[str], None]


class Rival(NamedTuple):
    """Who asks for the lease of which account; `engine_s` reads the venue's time."""

    config: Config
    account: str
    ledger: Ledger
    newest_order: int
    clock: Clock
    rng: Random
    engine_s: Callable[[], Awaitable[int]]


class Lead:
    """The lease of the bot that trades. `keeper` is a feed of it."""

    def __init__(self, keeper: LeaseKeeper, ledger: Ledger) -> None:
        self.keeper = keeper
        self._ledger = ledger

    @property
    def epoch(self) -> int:
        """The run that was granted."""
        return self.keeper.granted.epoch

    @property
    def waited(self) -> bool:
        """Whether nothing signed before it can land any more."""
        return self.keeper.granted.waited

    def previous_run_clean(self) -> bool:
        """Whether nothing signed before the start can land any more, by what is known here."""
        last = self._ledger.last_run()
        ours = last is not None and last.start.epoch == self.epoch - 1 and last.clean
        return self.waited or ours

    def status(self, now_ns: int) -> LeaseStatus:
        """Say how it stands."""
        keeper = self.keeper
        return LeaseStatus(self.epoch, keeper.age_ms(now_ns), keeper.barred(now_ns))

    async def end(self, report: ExitReport) -> None:
        """Give it back at the end of a run: at once when nothing is left, to nobody when halted.

        With orders left it runs out, and whoever comes next cancels them.
        """
        halted = self._ledger.halted() is not None
        if halted or report.leftovers.clean:
            await self.keeper.release(halted=halted)


@asynccontextmanager
async def leading(pair: Pair, rival: Rival) -> AsyncIterator[Lead]:
    """Take the lease, or on a standby wait for it.

    InUse when it is another's and this is no standby, Unavailable when nobody answers.
    """
    config = rival.config
    params = config.coordination
    lifetime_s = config.venue.action_lifetime_s
    _refuse_short(config)
    store = pair.store(config, rival.account)
    try:
        own = rival.ledger.epochs.get(config.instance.id, 0)
        holder = f"{config.instance.id}.{_host()}.{rival.rng.getrandbits(48):012x}"
        candidate = Candidate(holder, own, max(own, rival.newest_order))
        standing = Standing(store, candidate, rival.clock, pair.waiting)
        every_s = params.renew_every_ms / 1000
        if params.standby:
            granted = await standing.wait(Landing(rival.engine_s, lifetime_s), every_s)
        else:
            granted = await standing.take()
        terms = LeaseTerms(params.lease_ttl_ms * NS_PER_MS, lifetime_s * NS_PER_S, every_s)
        yield Lead(LeaseKeeper(store, granted, terms, rival.clock), rival.ledger)
    finally:
        await store.close()


def real_pair(env: MutableMapping[str, str], warn: Callable[[str], None]) -> Pair:
    """Return what a bot of a pair needs on this machine; the service manager hears of a wait."""
    supervisor = Supervisor(env, os.getpid())
    told: list[str] = []

    def store(config: Config, account: str) -> LeaseStore:
        if find_spec("redis") is None:
            raise ConfigError(['coordination.backend: redis needs: pip install "mmbot[redis]"'])
        from mmbot.adapters.lease.redis_store import RedisLeases

        name, password = SecretName.REDIS_PASSWORD, None
        if is_set(config.secrets, name, env):
            password = resolve(config.secrets, name, env, warn)
        return RedisLeases(config.coordination, account, password)

    def waiting(line: str) -> None:
        if not told:
            # A standby is all that a unit has to wait for.
            supervisor.ready(line)
        supervisor.status(line)
        supervisor.pet({})
        # Figures in it change all the time.
        words = re.sub(r", for [0-9.]+ s more", "", line)
        if words not in told[-1:]:
            told[:] = [words]
            warn(words)

    return Pair(store, waiting)


def _refuse_short(config: Config) -> None:
    params = config.coordination
    least_ms = config.venue.action_lifetime_s * 1000 + SPARE_RENEWALS * params.renew_every_ms
    if params.lease_ttl_ms < least_ms:
        raise ConfigError(
            [
                f"coordination.lease_ttl_ms: {params.lease_ttl_ms} is less than {least_ms}, five "
                f"renewals and the {config.venue.action_lifetime_s} s that an action lives: "
                "lengthen it or shorten venue.action_lifetime_s"
            ]
        )


def _host() -> str:
    return re.sub(r"[^a-zA-Z0-9-]", "-", socket.gethostname())
