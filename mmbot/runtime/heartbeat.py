"""Tells the guard every half second that the bot is alive and how many orders rest.

The guard may be absent, come later or come back: nothing here waits for it, and a guard that does
not read costs a bounded buffer. Without a goodbye a lost connection means death.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, json

EVERY_NS = 500_000_000
RETRY_S = 0.5
MOST_WAITING_BYTES = 65_536
GOODBYE = "goodbye"


class Beat(Struct, frozen=True):
    """One line: what the bot is doing and how many of its orders rest or may rest.

    `landing_s` is how long an action that the bot has sent may still take effect.
    """

    mode: str
    orders: int
    pid: int
    epoch: int
    landing_s: int


class Heartbeat:
    """One bot's end of the line; run `run` as a task, and `beat` at least twice a second."""

    def __init__(self, path: Path, clock: Callable[[], int], pid: int, landing_s: int) -> None:
        self._path = path
        self._clock = clock
        self._pid = pid
        self._landing_s = landing_s
        self._writer: asyncio.StreamWriter | None = None
        self._last: Beat | None = None
        self._told_ns: int | None = None

    @property
    def guarded(self) -> bool:
        """Is there a guard that listens?"""
        return self._writer is not None

    async def run(self) -> None:
        """Stay connected for as long as this runs."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                await asyncio.sleep(RETRY_S)
                continue
            self._writer = writer
            if self._last is not None:
                self._write(self._last)
            # Cancelled, the line stays open: the goodbye comes when all else has ended.
            await self._until_hung_up(reader)
            self._writer = None
            writer.close()
            await asyncio.sleep(RETRY_S)

    def beat(self, mode: str, orders: int, epoch: int) -> None:
        """Say what the bot is doing; sent when the mode changes or half a second has passed."""
        said = Beat(mode, orders, self._pid, epoch, self._landing_s)
        now_ns = self._clock()
        due = self._told_ns is None or now_ns - self._told_ns >= EVERY_NS
        if due or self._last is None or self._last.mode != mode:
            self._told_ns = now_ns
            self._write(said)
        self._last = said

    async def goodbye(self, orders: int) -> None:
        """Say that the end is meant, with the orders that are left; the guard looks after those.

        The line is closed then: nothing is said after it.
        """
        writer, last = self._writer, self._last
        if writer is None or last is None:
            return
        self._write(Beat(GOODBYE, orders, self._pid, last.epoch, self._landing_s))
        try:
            async with asyncio.timeout(RETRY_S):
                await writer.drain()
        except (OSError, TimeoutError):
            # A guard that does not take it cancels what is there: nothing, or what is left.
            return
        finally:
            self._writer = None
            writer.close()

    @staticmethod
    async def _until_hung_up(reader: asyncio.StreamReader) -> None:
        try:
            while await reader.read(1024):
                pass
        except OSError:
            return

    def _write(self, said: Beat) -> None:
        writer = self._writer
        if writer is None or writer.transport.get_write_buffer_size() > MOST_WAITING_BYTES:
            return
        writer.write(json.encode(said) + b"\n")
