"""The chat of a running bot. Its parts are started again when they fail; trading never waits."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mmbot.domain.notices import Notice, Severity
from mmbot.interfaces.telegram.desk import Desk
from mmbot.interfaces.telegram.listening import Listening
from mmbot.interfaces.telegram.memory import Memory
from mmbot.interfaces.telegram.news import News
from mmbot.interfaces.telegram.outlet import Inlet
from mmbot.interfaces.telegram.reading import Reading
from mmbot.interfaces.telegram.reporting import Reporting
from mmbot.interfaces.telegram.talk import Parts

CLEAN_EVERY_S = 0.5
AGAIN_S = 5.0
# What the last words may take; the orders are off by then.
FAREWELL_S = 3.0
Work = Callable[[], Awaitable[None]]


class TelegramFace:
    """Everything of it; `run` until cancelled, then say `farewell`."""

    def __init__(self, inlet: Inlet, parts: Parts, memory: Memory) -> None:
        self._parts = parts
        self._news = News(parts)
        self._desk = Desk(parts, Reading(parts, self._news.alerting))
        self._listening = Listening(inlet, self._desk, memory, parts)

    async def run(self) -> None:
        """Listen and speak."""
        works: dict[str, Work] = {
            "listening": self._listening.run,
            "questions": self._clean_up,
            "news": self._news.hear,
            "outbox": self._news.outbox.run,
            "alerts": self._news.look,
            "reports": Reporting(self._parts, self._news).run,
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, work in works.items():
                    group.create_task(self._kept_up(name, work), name=f"telegram {name}")
        finally:
            for task in tuple(self._desk.tasks):
                task.cancel()

    async def farewell(self, why: str) -> None:
        """Say what is left to be said, as long as that takes no time."""
        self._news.end(why)
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._news.outbox.drain()

    async def _clean_up(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_EVERY_S)
            await self._desk.commanding.clean_up()

    async def _kept_up(self, name: str, work: Work) -> None:
        """Start a part again when it fails: a mistake in words must not end the trading."""
        while True:
            task = asyncio.ensure_future(work())
            try:
                await asyncio.wait((task,))
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait((task,))
            error = task.exception()
            text = f"{type(error).__name__} in {name}: begun again"
            notice = Notice(self._parts.clock(), Severity.WARNING, "telegram_failed", None, text)
            self._parts.tell([notice])
            await asyncio.sleep(AGAIN_S)
