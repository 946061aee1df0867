"""Keeps the lease of a bot that trades, and says at once when nothing may be placed any more.

A renewal counts from the moment before it was asked for, and an action must have died when the
lease does: so a bot that is cut off quotes until then less the life of an action, by its own clock
and without asking anybody. Trading waits for none of it.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from mmbot.adapters.lease.store import LeaseStore, Seen
from mmbot.domain.events import Hindrance
from mmbot.errors import InUse, Unavailable
from mmbot.ports import Emit, FeedFigures

LEASE = "lease"
FOREIGN_EPOCH = "foreign_epoch"
NS_PER_MS = 1_000_000
TICK_S = 0.05
# At the end of a run; the lease ends by itself when this fails.
RELEASE_ATTEMPTS = 2


class Granted(NamedTuple):
    """A lease that was taken. `asked_ns`: when; `waited`: older actions have died by then."""

    holder: str
    epoch: int
    asked_ns: int
    waited: bool


class LeaseTerms(NamedTuple):
    """How long a lease and an action live, and how often the one is renewed."""

    ttl_ns: int
    lifetime_ns: int
    renew_s: float


class LeaseKeeper:
    """A feed of a live bot: tells when its lease is in doubt and when it is good again."""

    def __init__(
        self, store: LeaseStore, granted: Granted, terms: LeaseTerms, clock: Callable[[], int]
    ) -> None:
        self.granted = granted
        self._store = store
        self._terms = terms
        self._clock = clock
        self._renewed_ns = granted.asked_ns
        # What was asked for before is not believed.
        self._doubted_ns = granted.asked_ns
        self._trouble = ""
        self._later: str | None = None
        self._told = False
        self._now = asyncio.Event()

    def barred(self, now_ns: int) -> str | None:
        """Say why nothing may be placed at this moment, if so; a stamp must be of the same one."""
        if self._later is not None:
            return self._later
        terms = self._terms
        if self._renewed_ns < self._doubted_ns:
            return "not checked again yet"
        if now_ns < self._renewed_ns + terms.ttl_ns - terms.lifetime_ns:
            return None
        return f"not renewed for {self.age_ms(now_ns) / 1000:.1f} s{self._trouble}"

    def age_ms(self, now_ns: int) -> float:
        """Return how long ago the lease was renewed last."""
        return (now_ns - self._renewed_ns) / NS_PER_MS

    async def run(self, emit: Emit) -> None:
        """See ports.Feed."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew(), name="lease renewed")
            group.create_task(self._watch(emit), name="lease watched")

    def revalidate(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 - LiveFeed's
        """Believe nothing that was asked for before now."""
        self._doubted_ns = now_ns
        self._now.set()

    def figures(self) -> FeedFigures:
        """See LiveFeed: every request may have a connection of its own."""
        return FeedFigures("lease")

    async def release(self, *, halted: bool) -> None:
        """Give the lease back, or when halted to nobody."""
        granted = self.granted
        for _ in range(RELEASE_ATTEMPTS):
            try:
                await self._store.release(granted.holder, granted.epoch, halted=halted)
            except (Unavailable, InUse):
                continue
            return

    async def _renew(self) -> None:
        while self._later is None:
            asked_ns = self._clock()
            try:
                seen = await self._store.extend(self.granted.holder, self.granted.epoch)
            except (Unavailable, InUse) as error:
                self._trouble = f": {error}"
            else:
                self._judge(seen, asked_ns)
            self._now.clear()
            if self._doubted_ns > asked_ns and not self._trouble:
                continue
            try:
                async with asyncio.timeout(self._terms.renew_s):
                    await self._now.wait()
            except TimeoutError:
                continue
        await asyncio.Event().wait()

    def _judge(self, seen: Seen, asked_ns: int) -> None:
        granted = self.granted
        if seen.held_by(granted.holder, granted.epoch):
            self._renewed_ns = asked_ns
            self._trouble = ""
        elif seen.newest > granted.epoch:
            self._later = f"run {seen.newest} of this account has begun elsewhere"
        else:
            self._trouble = f": {seen.holder} holds it"

    async def _watch(self, emit: Emit) -> None:
        while True:
            now_ns = self._clock()
            reason = self.barred(now_ns)
            if (reason is not None) is not self._told:
                self._told = reason is not None
                emit(Hindrance(now_ns, now_ns, LEASE, None, reason))
            if self._later is not None:
                emit(Hindrance(now_ns, now_ns, FOREIGN_EPOCH, None, self._later))
                await asyncio.Event().wait()
            await asyncio.sleep(TICK_S)
