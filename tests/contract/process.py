"""An exchange in a process of its own, as a user starts it, gone when the block ends."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import aiohttp

READY_S = 20.0
Json = Any


class Running:
    """The process, where it listens, and its /_ctl/."""

    def __init__(
        self, process: asyncio.subprocess.Process, ready: Json, http: aiohttp.ClientSession
    ) -> None:
        self.process = process
        self.http = http
        self.url: str = ready["http"]
        self.ws: str = ready["ws"]

    async def get(self, path: str) -> Json:
        """GET a path that must be answered with 200; numbers exact."""
        async with self.http.get(self.url + path) as answer:
            assert answer.status == 200, (path, answer.status)
            return json.loads(await answer.read(), parse_float=Decimal)

    async def pages(self, path: str, page_size: int = 50) -> list[Json]:
        """Return all items of a paged GET."""
        items: list[Json] = []
        start = ""
        for _ in range(10_000):
            page = await self.get(f"{path}?pageSize={page_size}{start}")
            items += page["items"]
            if page["nextStartInclusive"] is None:
                return items
            start = f"&startInclusive={page['nextStartInclusive']}"
        raise AssertionError(f"{path} has no last page")

    async def post(self, path: str, body: Json) -> Json:
        """POST JSON that must be answered with 200."""
        async with self.http.post(self.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def step(self, ms: int) -> None:
        """Let engine time pass."""
        await self.post("/_ctl/step", {"ms": ms})

    async def faults(self, *faults: Json) -> None:
        """Set faults in the place of those that are set."""
        await self.post("/_ctl/faults", {"clear": True, "set": list(faults)})

    async def violations(self) -> Json:
        """Return what the exchange's audit of itself finds."""
        return (await self.get("/_ctl/violations"))["violations"]

    def kill(self) -> None:
        """End it without a word of warning."""
        self.process.send_signal(signal.SIGKILL)

    def resources(self) -> tuple[int, int]:
        """Return open files and resident kilobytes."""
        proc = Path(f"/proc/{self.process.pid}")
        status = dict(
            line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
        )
        return len(list((proc / "fd").iterdir())), int(status["VmRSS"].split()[0])


@asynccontextmanager
async def running(*arguments: str, stepped: bool = True) -> AsyncIterator[Running]:
    """Start `mmbot exchange` with control, and stepped time or real; end it whatever happens.

    AssertionError with its last words when it has ended by itself.
    """
    with TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mmbot", "exchange", "--port", "0"),
            *(("--virtual-time",) if stepped else ()),
            *("--control", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), READY_S)
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as http:
                yield Running(process, json.loads(line), http)
        finally:
            await _end(process)
            errors.seek(0)
            said = errors.read().decode()
            assert process.returncode in (0, -signal.SIGKILL), said


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()
