"""Those who watch live: one look a second for all of them, and fills and notices as they come.

Server-sent events. Nobody who is slow holds anything up: whoever falls behind is hung up on, and a
browser comes back by itself.
"""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from mmbot.domain.events import Fill
from mmbot.domain.notices import Notice
from mmbot.interfaces.api.gate import refusal
from mmbot.interfaces.api.rows import fill_row, notice_row
from mmbot.ports import Control, Instruments

MOST_WATCHERS = 16
MOST_BEHIND_BYTES = 1 << 20
LOOK_EVERY_S = 1.0
WRITE_S = 5.0
COME_BACK_MS = 2_000
LADDER_LEVELS = 12


class Watcher:
    """One who watches: what is on its way to them, and whether it is over with them."""

    def __init__(self) -> None:
        self.over = False
        self._waiting: list[bytes] = []
        self._behind_bytes = 0
        self._news = asyncio.Event()

    def take(self, event: bytes) -> None:
        """Send them an event; too many that were not read are the end."""
        self._behind_bytes += len(event)
        if self._behind_bytes > MOST_BEHIND_BYTES:
            self.over = True
        else:
            self._waiting.append(event)
        self._news.set()

    def end(self) -> None:
        """Hang up on them."""
        self.over = True
        self._news.set()

    async def next(self) -> bytes:
        """Wait for the next events; returns all there are."""
        await self._news.wait()
        self._news.clear()
        found = b"".join(self._waiting)
        self._waiting.clear()
        self._behind_bytes = 0
        return found


class Watchers:
    """All who watch a bot."""

    def __init__(self, control: Control, instruments: Instruments) -> None:
        self._control = control
        self._instruments = instruments
        self._all: set[Watcher] = set()

    async def run(self) -> None:
        """Tell them, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look(), name="api looks")
                group.create_task(self._hear(), name="api events")
        finally:
            for watcher in self._all:
                watcher.end()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Let somebody watch until they go."""
        if len(self._all) >= MOST_WATCHERS:
            return refusal(503, "too many watch already")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        watcher = Watcher()
        self._all.add(watcher)
        try:
            await response.write(f"retry: {COME_BACK_MS}\n\n".encode() + self._looked())
            await _send(response, watcher)
        except (ConnectionError, TimeoutError):
            # Gone, or reads nothing.
            _hang_up(request)
        finally:
            self._all.discard(watcher)
        return response

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._all:
                self._tell(self._looked())

    async def _hear(self) -> None:
        subscription = self._control.subscribe()
        try:
            while True:
                told = await subscription.next()
                if self._all:
                    self._tell(self._said(told))
                    # A flood of them lets the loop, and whoever reads, come in between.
                    await asyncio.sleep(0)
        finally:
            subscription.close()

    def _tell(self, event: bytes) -> None:
        for watcher in tuple(self._all):
            watcher.take(event)

    def _looked(self) -> bytes:
        return _event(
            "look",
            {
                "status": self._control.status(),
                "ladders": self._instruments.ladders(LADDER_LEVELS),
                "pnl": self._instruments.pnl(),
                "timings": self._instruments.timings(),
            },
        )

    def _said(self, told: Notice | Fill) -> bytes:
        if isinstance(told, Fill):
            return _event("fill", fill_row(told, self._control.markets[told.market]))
        return _event("notice", notice_row(told, self._control.markets))


async def _send(response: web.StreamResponse, watcher: Watcher) -> None:
    """Write what comes until it is over."""
    while True:
        events = await watcher.next()
        if watcher.over:
            raise TimeoutError
        async with asyncio.timeout(WRITE_S):
            await response.write(events)


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _event(name: str, content: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(content))
