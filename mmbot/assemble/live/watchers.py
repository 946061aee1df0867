"""Those who write down what a live bot does: its books and the folder of its run."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from mmbot.assemble.live.bookkeeping import Bookkeeping
from mmbot.assemble.live.leading import Lead
from mmbot.assemble.live.run_folder import RunFolder
from mmbot.domain.actions import Batch
from mmbot.domain.events import Event
from mmbot.domain.notices import Notice
from mmbot.runtime.supervision import ExitReport

FLUSH_EVERY_S = 1.0


class Listener(Protocol):
    """Is told what happens after everybody else; neither waits nor raises."""

    def event(self, event: Event) -> None:
        """Something has happened and been dealt with."""
        ...

    def batch(self, batch: Batch) -> None:
        """This was sent."""
        ...


class Keepers:
    """Keeper: the ledger, the folder of the run and the lease if there are, and who listens."""

    def __init__(
        self, books: Bookkeeping, folder: RunFolder | None, lead: Lead | None = None
    ) -> None:
        self.listeners: list[Listener] = [] if folder is None else [folder]
        self._books = books
        self._folder = folder
        self._lead = lead

    async def run(self) -> None:
        """See Keeper."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._books.run(), name="books of the run")
            if self._folder is not None:
                group.create_task(self._flush(self._folder), name="folder of the run")

    def event(self, event: Event) -> None:
        """See Keeper."""
        self._books.event(event)
        for listener in self.listeners:
            listener.event(event)

    def batch(self, batch: Batch) -> None:
        """See Keeper."""
        self._books.batch(batch)
        for listener in self.listeners:
            listener.batch(batch)

    def notices(self, notices: Sequence[Notice]) -> None:
        """See Keeper."""
        self._books.notices(notices)

    def trouble(self) -> str | None:
        """See Keeper: a recording that fails stops nothing."""
        return self._books.trouble()

    async def halt(self, reason: str, now_ns: int) -> None:
        """See Keeper."""
        await self._books.halt(reason, now_ns)

    async def end(self, report: ExitReport, now_ns: int) -> None:
        """See Keeper."""
        await self._books.end(report, now_ns)
        if self._folder is not None:
            self._folder.close()
        if self._lead is not None:
            await self._lead.end(report)

    @staticmethod
    async def _flush(folder: RunFolder) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            folder.flush()
