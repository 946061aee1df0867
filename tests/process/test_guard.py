"""The guard against bots that are killed, stopped, halted, restarted; orders at a real exchange."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.process.served import INSTANCE, Scene, run, scene, start

# The figure for resting orders after kill -9, and what a stopped process may take.
KILLED_S = 6.0
SILENT_S = 3.0
PATIENCE_S = 20.0


class Events:
    """What a guard tells with --json, in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen: list[Any] = []

    async def until(self, event: str, words: str = "") -> Any:
        """Wait for an event whose line has these words."""
        assert self.process.stdout is not None
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
            assert line, self.seen
            self.seen.append(json.loads(line))
            if self.seen[-1]["event"] == event and words in self.seen[-1]["text"]:
                return self.seen[-1]


class Bot:
    """A process that beats."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, word: str) -> None:
        """Wait for a word of it."""
        assert self.process.stdout is not None
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
            assert line, "the bot has ended"
            if line.decode().strip() == word:
                return

    def tell(self, line: str) -> None:
        """Give it a mode, or its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())


@asynccontextmanager
async def guarding(at: Scene, folder: Path) -> AsyncIterator[Events]:
    """Run a guard; unless it is killed, it ends with 0 and takes its socket along."""
    path = folder / "guard.sock"
    flags = ("--socket", str(path), "--landing-s", "1", "--json")
    process = await start("mmbot", "guard", *at.flags, *flags, cwd=folder)
    try:
        events = Events(process)
        await events.until("listening")
        yield events
    finally:
        if process.returncode is None:
            process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode in (0, -signal.SIGKILL), err
    assert path.exists() == (process.returncode != 0)


@asynccontextmanager
async def beating(folder: Path, epoch: int, orders: int = 6) -> AsyncIterator[Bot]:
    """Run a bot that the guard hears."""
    words = (str(folder / "guard.sock"), str(epoch), str(orders))
    process = await start("tests.process.bot", *words, cwd=folder)
    try:
        bot = Bot(process)
        await bot.says("guarded")
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_orders_of_a_killed_bot_are_gone_in_time(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at, guarding(at, tmp_path) as events:
            async with beating(tmp_path, 3) as bot:
                await at.place(6, epoch=3)
                await at.place(2, epoch=2)
                await at.place(1, epoch=4)
                await at.place(1, instance=INSTANCE + 1)
                await at.place_nameless()
                bot.process.send_signal(signal.SIGKILL)
                await at.gone_within(KILLED_S, down_to=3)
            await events.until("alarm", "gone without a goodbye")
            await events.until("proven", "8 cancelled")
            # A later run, another instance, and somebody's own are not its business.
            assert len(await at.resting()) == 3

    run(work())


def test_a_stopped_bot_is_noticed_and_may_come_back(tmp_path: Path) -> None:
    async def work() -> None:
        async with (
            scene(tmp_path) as at,
            guarding(at, tmp_path) as events,
            beating(tmp_path, 1) as bot,
        ):
            await at.place(6)
            bot.process.send_signal(signal.SIGSTOP)
            took_s = await at.gone_within(KILLED_S + SILENT_S)
            assert took_s > SILENT_S - 1
            await events.until("alarm", "silent")
            await events.until("proven")
            bot.process.send_signal(signal.SIGCONT)
            await events.until("bot", "quoting")
            await at.place(4)
            await asyncio.sleep(SILENT_S + 1)
            assert len(await at.resting()) == 4

    run(work())


def test_a_halted_bot_must_not_have_orders(tmp_path: Path) -> None:
    async def work() -> None:
        async with (
            scene(tmp_path) as at,
            guarding(at, tmp_path) as events,
            beating(tmp_path, 1) as bot,
        ):
            await at.place(3)
            bot.tell("halted")
            await events.until("alarm", "halted")
            await events.until("proven", "3 cancelled")
            assert await at.resting() == []

    run(work())


def test_a_goodbye_is_believed_and_what_is_left_is_cancelled(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at, guarding(at, tmp_path) as events:
            await at.place(2)
            async with beating(tmp_path, 1) as bot:
                bot.tell("bye 0")
                await bot.process.wait()
                await events.until("bot", "goodbye")
                await asyncio.sleep(SILENT_S + 1)
                assert len(await at.resting()) == 2
            async with beating(tmp_path, 2) as bot:
                bot.tell("bye 2")
                await events.until("alarm", "left 2 orders")
                await events.until("proven", "2 cancelled")
                assert await at.resting() == []

    run(work())


def test_a_guard_that_comes_back_hears_the_bot_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at, AsyncExitStack() as stack:
            async with guarding(at, tmp_path) as events:
                bot = await stack.enter_async_context(beating(tmp_path, 1))
                await at.place(4)
                events.process.kill()
                await bot.says("alone")
            async with guarding(at, tmp_path):
                await bot.says("guarded")
                await asyncio.sleep(SILENT_S + 1)
                assert len(await at.resting()) == 4
                bot.process.kill()
                await at.gone_within(KILLED_S)

    run(work())


def test_without_any_bot_nothing_stays(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(5)
            await at.venue.faults({"knob": "act.http_status", "status": 503, "p": 0.5})
            async with guarding(at, tmp_path) as events:
                second = await start(
                    "mmbot",
                    "guard",
                    *at.flags,
                    "--socket",
                    str(tmp_path / "guard.sock"),
                    cwd=tmp_path,
                )
                _, err = await asyncio.wait_for(second.communicate(), PATIENCE_S)
                assert (second.returncode, b"another guard" in err) == (7, True)
                await events.until("alarm", "no bot")
                await events.until("proven")
                assert await at.resting() == []

    run(work())
