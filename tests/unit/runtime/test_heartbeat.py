"""The bot's end of the line to a guard, which the test plays."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from mmbot.rescue.watch import Beat, read_beat
from mmbot.runtime.guard_params import GuardParams, guard_socket
from mmbot.runtime.heartbeat import Heartbeat

NS_PER_MS = 1_000_000


class Scene:
    """A heartbeat on a clock of the test's, and the lines that its guard gets."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = 0
        self.path = folder / "guard.sock"
        self.heartbeat = Heartbeat(self.path, lambda: self.now_ns, 42, landing_s=5)
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.writer: asyncio.StreamWriter | None = None
        self.takers: list[asyncio.Task[None] | None] = []

    async def guard(self) -> asyncio.Server:
        """Begin to listen."""
        return await asyncio.start_unix_server(self._take, self.path)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.takers.append(asyncio.current_task())
        while line := await reader.readline():
            self.lines.put_nowait(line)
        writer.close()
        await writer.wait_closed()

    async def end(self, task: asyncio.Task[None], server: asyncio.Server) -> None:
        """Let nothing open behind."""
        task.cancel()
        await asyncio.wait((task,))
        await self.heartbeat.goodbye(0)
        server.close()
        await asyncio.gather(
            task, *(each for each in self.takers if each is not None), return_exceptions=True
        )

    async def line(self) -> Any:
        """Return the next line as it was said."""
        return json.loads(await asyncio.wait_for(self.lines.get(), 10))

    async def until_guarded(self, guarded: bool) -> None:
        """Wait for the connection to be there, or not."""
        async with asyncio.timeout(10):
            while self.heartbeat.guarded is not guarded:  # noqa: ASYNC110 - knows no events
                await asyncio.sleep(0.01)


def _run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


def test_a_guard_hears_changes_at_once_and_the_rest_twice_a_second(tmp_path: Path) -> None:
    async def work() -> None:
        scene = Scene(tmp_path)
        server = await scene.guard()
        task = asyncio.create_task(scene.heartbeat.run())
        await scene.until_guarded(True)
        for _ in range(101):
            scene.heartbeat.beat("quoting", 6, 3)
            scene.now_ns += 10 * NS_PER_MS
        scene.heartbeat.beat("halted", 0, 3)
        # All that a bot does has ended before the goodbye is said.
        task.cancel()
        await asyncio.wait((task,))
        await scene.heartbeat.goodbye(0)
        said = [await scene.line() for _ in range(5)]
        assert [each["mode"] for each in said] == [*["quoting"] * 3, "halted", "goodbye"]
        assert said[0] == {"mode": "quoting", "orders": 6, "pid": 42, "epoch": 3, "landing_s": 5}
        assert read_beat(json.dumps(said[0]).encode()) == Beat("quoting", 6, 42, 3, 5)
        assert scene.lines.empty()
        await scene.end(task, server)

    _run(work())


def test_a_guard_may_come_later_and_come_back(tmp_path: Path) -> None:
    async def work() -> None:
        scene = Scene(tmp_path)
        task = asyncio.create_task(scene.heartbeat.run())
        scene.heartbeat.beat("quoting", 1, 3)
        await scene.heartbeat.goodbye(0)
        assert not scene.heartbeat.guarded
        server = await scene.guard()
        # The last word is said to whoever comes.
        assert (await scene.line())["orders"] == 1
        server.close()
        assert scene.writer is not None
        scene.writer.close()
        await scene.until_guarded(False)
        scene.heartbeat.beat("warming", 2, 3)
        scene.path.unlink(missing_ok=True)
        server = await scene.guard()
        assert (await scene.line())["mode"] == "warming"
        await scene.end(task, server)

    _run(work())


def test_where_bot_and_guard_meet() -> None:
    assert guard_socket(GuardParams(socket="/run/x.sock"), "a", {}) == Path("/run/x.sock")
    service = {"STATE_DIRECTORY": "/var/lib/mmbot/a:/other"}
    assert guard_socket(GuardParams(), "a", service) == Path("/var/lib/mmbot/a/guard-a.sock")
    user = {"XDG_STATE_HOME": "/home/u/.state"}
    assert guard_socket(GuardParams(), "a", user) == Path("/home/u/.state/mmbot/guard-a.sock")
