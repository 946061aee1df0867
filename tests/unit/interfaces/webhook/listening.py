"""A place outside, on this machine: what it is sent, and what it answers to that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

SECRET = "T0KEN-of-the-hook"


class Place:
    """`answers` are the statuses to give, then 200; `bodies` what was taken with 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.bodies: list[Any] = []
        self.asked = 0
        self.url = ""
        self.hangs = False
        self._news = asyncio.Event()

    async def taken(self, count: int) -> None:
        """Wait until so many were taken."""
        async with asyncio.timeout(20):
            while len(self.bodies) < count:
                self._news.clear()
                await self._news.wait()

    async def tried(self, count: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(20):
            while self.asked < count:
                self._news.clear()
                await self._news.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take a request, or refuse it."""
        body = await request.json() if request.method == "POST" else request.method
        self.asked += 1
        self._news.set()
        if self.hangs:
            await asyncio.sleep(3600)
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.bodies.append(body)
        headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
        return web.Response(status=status, headers=headers)


@asynccontextmanager
async def listening() -> AsyncIterator[Place]:
    """Serve a place."""
    place = Place()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", place.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    place.url = f"http://127.0.0.1:{port}/services/{SECRET}"
    try:
        yield place
    finally:
        await runner.cleanup()
