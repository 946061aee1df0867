"""What happens to one account, over a connection of its own, kept right by REST snapshots."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import NamedTuple

from msgspec import Struct

from mmbot.adapters.web.backoff import Backoff, BackoffParams
from mmbot.adapters.web.clock import Clock
from mmbot.adapters.web.connection import Connection, ConnectionParams
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import AccountView, Catalog
from mmbot.adapters.zo.streams import subscriptions
from mmbot.adapters.zo.streams.account_sync import AccountParams, AccountSink, AccountSync
from mmbot.adapters.zo.streams.frames import AccountFrame, read_frame
from mmbot.adapters.zo.streams.snapshots import Snapshots

FetchAccount = Callable[[int, Catalog], Awaitable[AccountView | None]]
"""Read an account; VenueError when that fails. `ZoHttp.account` is one."""


class AccountFeedParams(Struct, frozen=True, kw_only=True):
    """How an account stream is kept. `fetch` paces the snapshots."""

    connection: ConnectionParams = ConnectionParams()
    account: AccountParams = AccountParams()
    fetch: BackoffParams = BackoffParams(most_s=2.0, attempts=120)
    tick_ms: int = 50


class AccountOutside(NamedTuple):
    """What an account stream needs of the world."""

    fetch_account: FetchAccount
    catalog: Catalog
    clock: Clock
    rng: Random


class AccountFeed:
    """The stream of one account. `run` ends only by cancellation."""

    def __init__(
        self,
        origin: Origin,
        account_id: int,
        sink: AccountSink,
        outside: AccountOutside,
        params: AccountFeedParams,
    ) -> None:
        """ValueError for an account id below 1."""
        stream = subscriptions.account(account_id)
        self.sync = AccountSync(account_id, sink, params.account)
        self.connection = Connection(
            subscriptions.stream_url(str(origin), [stream]),
            self,
            params.connection,
            outside.clock,
            outside.rng,
        )
        self._snapshots = Snapshots(
            partial(outside.fetch_account, account_id, outside.catalog),
            self.sync,
            outside.clock,
            Backoff(params.fetch, outside.rng),
        )
        self._outside = outside
        self._tick_s = params.tick_ms / 1000

    async def run(self) -> None:
        """Keep the account known for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.connection.run(), name="account stream")
            group.create_task(self._watch(), name="account stream watch")
            group.create_task(self._snapshots.run(), name="account snapshots")

    def ask_proof(self) -> None:
        """Have REST asked whether it agrees; the sink hears of it when it does."""
        self.sync.ask_proof()
        self._snapshots.call()

    def opened(self, now_ns: int) -> None:
        """See Listener."""
        self.sync.opened(now_ns)
        self._snapshots.call()

    def closed(self, reason: str, now_ns: int) -> None:
        """See Listener."""
        self.sync.closed(reason, now_ns)

    def frame(self, frame: bytes, now_ns: int) -> None:
        """See Listener. A frame that makes no sense may have told of a fill: a gap."""
        try:
            found = read_frame(frame, self._outside.catalog)
            if isinstance(found, AccountFrame):
                self.sync.frame(found, now_ns)
        except ValueError:
            self.sync.doubt("a frame that makes no sense", now_ns)
            self._snapshots.call()
            raise
        self._snapshots.call()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            dead = self.sync.tick(self._outside.clock())
            if dead is not None:
                self.connection.give_up(dead)
            self._snapshots.call()
