"""The control socket: what it answers, to whom, and that nobody holds it up."""

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from mmbot.domain.control import OperatorCommand, Result, Verb, Who
from mmbot.domain.notices import Notice, Severity
from mmbot.errors import InUse, NotRunning, UsageError
from mmbot.interfaces.control_client import ControlClient
from mmbot.interfaces.control_socket import MOST_CLIENTS, ControlSocket
from mmbot.interfaces.control_wire import MOST_BYTES, Ask, Request, Wish
from tests.unit.interfaces.seat import Seat

Script = Callable[["Served"], Awaitable[None]]


class Served:
    """A control behind its socket, and callers that talk to it in plain bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seat = Seat()

    async def say(self, line: bytes) -> Any:
        """Send a line, return the reply, None when it hangs up."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(line)
        answer = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        return json.loads(answer) if answer else None


def served(folder: Path, script: Script) -> None:
    async def whole() -> None:
        found = Served(folder / "control.sock")
        listening = ControlSocket(found.path)
        serving = asyncio.create_task(listening.run(found.seat.control))
        try:
            await script(found)
        finally:
            serving.cancel()
            await asyncio.wait((serving,))
            listening.close()
        assert not found.path.exists()

    asyncio.run(whole())


def test_a_wish_is_a_command_without_the_one_who_gives_it() -> None:
    wished = {each.name: each.type for each in fields(Wish)}
    whole = {each.name: each.type for each in fields(OperatorCommand)}
    assert whole.pop("who") is Who
    assert wished == whole


def test_only_the_owner_may_connect(tmp_path: Path) -> None:
    async def script(found: Served) -> None:
        assert stat.S_IMODE(found.path.stat().st_mode) == 0o600

    served(tmp_path, script)


def test_the_client_asks_and_commands(tmp_path: Path) -> None:
    async def script(found: Served) -> None:
        def talk() -> None:
            with ControlClient(found.path) as bot:
                view = bot.ask(Request(1, Ask.STATUS)).status
                assert view == found.seat.control.status()
                told = bot.ask(Request(1, Ask.EXPLAIN, market="BTCUSD")).explained
                assert told == found.seat.control.explain("BTCUSD")
                wish = Wish(Verb.PAUSE, 5, reason="news", market="BTCUSD")
                answer = bot.ask(Request(1, Ask.SUBMIT, wish=wish)).answer
                assert answer is not None
                assert answer.result is Result.OK

        await asyncio.to_thread(talk)
        (command,) = found.seat.control.asked
        assert (command.verb, command.reason, command.market) == (Verb.PAUSE, "news", "BTCUSD")
        # Who it was is the kernel's word.
        assert command.who.face == "cli"
        assert command.who.user in ("root", f"uid{os.getuid()}", os.environ.get("USER", ""))

    served(tmp_path, script)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"hello\n", "not a request"),
        (b"\xff\xfe\n", "not a request"),
        (b"[" * 5000 + b"\n", "not a request"),
        (b'{"ask": "status"}\n', "not a request"),
        (b'{"v": 2, "ask": "something new"}\n', "version 2 is not spoken here"),
        (b'{"v": 1, "ask": "shell"}\n', "not a request"),
        (b'{"v": 1, "ask": "submit"}\n', "submit needs a wish"),
        (b'{"v": 1, "ask": "status", "role": 2}\n', "not a request"),
        (
            b'{"v": 1, "ask": "submit", "wish": {"verb": "pause", "issued_ns": 1, "who": "x"}}\n',
            "not a request",
        ),
        (b'{"v": 1, "ask": "submit", "wish": {"verb": "buy", "issued_ns": 1}}\n', "not a request"),
    ],
)
def test_nonsense_is_told_so_and_does_nothing(tmp_path: Path, line: bytes, words: str) -> None:
    async def script(found: Served) -> None:
        assert words in (await found.say(line))["error"]
        assert found.seat.control.asked == []
        assert (await found.say(b'{"v": 1, "ask": "status"}\n'))["status"]["instance"] == "demo"

    served(tmp_path, script)


def test_too_long_a_line_is_hung_up_on(tmp_path: Path) -> None:
    async def script(found: Served) -> None:
        assert await found.say(b'{"v": 1, "market": "' + b"A" * (MOST_BYTES + 1) + b'"}\n') is None
        assert "status" in await found.say(b'{"v": 1, "ask": "status"}\n')

    served(tmp_path, script)


def test_clients_are_bounded_and_silent_ones_hold_nobody_up(tmp_path: Path) -> None:
    async def script(found: Served) -> None:
        silent = [await asyncio.open_unix_connection(str(found.path)) for _ in range(MOST_CLIENTS)]
        await asyncio.sleep(0.05)
        assert (await found.say(b'{"v": 1, "ask": "status"}\n'))["error"] == "too many clients"
        silent[0][1].close()
        await asyncio.sleep(0.05)
        assert "status" in await found.say(b'{"v": 1, "ask": "status"}\n')
        for _, writer in silent[1:]:
            writer.close()

    served(tmp_path, script)


def test_one_who_follows_and_never_reads_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbot.interfaces.control_socket.WRITE_S", 0.1)

    async def script(found: Served) -> None:
        deaf = socket.socket(socket.AF_UNIX)
        deaf.setblocking(False)
        await asyncio.get_running_loop().sock_connect(deaf, str(found.path))
        deaf.send(b'{"v": 1, "ask": "follow"}\n')
        async with asyncio.timeout(5):
            while not found.seat.telling.readers:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while found.seat.telling.readers:
                notice = Notice(1, Severity.INFO, "x", None, "y" * 10_000)
                found.seat.telling.notices([notice] * 50)
                # Others are answered all the while.
                assert "status" in await found.say(b'{"v": 1, "ask": "status"}\n')
        deaf.close()

    served(tmp_path, script)


def test_following_hears_notices(tmp_path: Path) -> None:
    async def script(found: Served) -> None:
        heard: list[str] = []

        def follow() -> None:
            with ControlClient(found.path) as bot:
                told: Iterator[Any] = bot.follow(Request(1, Ask.FOLLOW))
                heard.extend(next(told).notice.code for _ in range(2))

        reader = threading.Thread(target=follow)
        reader.start()
        async with asyncio.timeout(5):
            while not found.seat.telling.readers:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        found.seat.telling.notices([Notice(1, Severity.INFO, name, None, "") for name in "ab"])
        await asyncio.to_thread(reader.join, 5)
        assert heard == ["a", "b"]

    served(tmp_path, script)


def test_what_a_dead_bot_left_is_taken_over_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    assert path.exists()

    async def script(found: Served) -> None:
        assert "status" in await found.say(b'{"v": 1, "ask": "status"}\n')
        with pytest.raises(InUse, match="another bot of this instance"):
            ControlSocket(path)
        assert "status" in await found.say(b'{"v": 1, "ask": "status"}\n')

    served(tmp_path, script)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("mine")
    with pytest.raises(OSError, match="is no socket"):
        ControlSocket(path)
    assert path.read_text() == "mine"


def test_without_a_bot_the_client_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no bot answers"):
        ControlClient(tmp_path / "control.sock")


def test_a_reply_of_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def answer() -> None:
        met, _ = listening.accept()
        met.recv(1000)
        met.sendall(b'{"v": 1, "status": {"odd": 1}}\n')
        met.close()

    other = threading.Thread(target=answer)
    other.start()
    with ControlClient(path) as bot, pytest.raises(UsageError, match="not understood"):
        bot.ask(Request(1, Ask.STATUS))
    other.join()
    listening.close()
