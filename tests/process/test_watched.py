"""The bot and those around it: a supervisor it tells how it is, a guard with a key of its own."""

import asyncio
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.process.trading import PATIENCE_S, Child, Place, place, run

SLACK_S = 10.0
# V11: through the guard, from the venue's first refusal on.
REFUSED_S = 1.5
PETTED_US = 1_000_000


class Supervisor:
    """What systemd would hear."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    async def hears(self, word: str, times: int = 1) -> None:
        """Wait until a word has come so often."""
        loop = asyncio.get_running_loop()
        until = time.monotonic() + PATIENCE_S
        while sum(word in each for each in self.heard) < times:
            async with asyncio.timeout(until - time.monotonic()):
                self.heard.append((await loop.sock_recv(self._socket, 4096)).decode())

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


def test_the_supervisor_hears_how_it_is(tmp_path: Path) -> None:
    async def work() -> None:
        above = Supervisor(tmp_path / "notify.sock")
        env = {"NOTIFY_SOCKET": str(above.path), "WATCHDOG_USEC": str(PETTED_US)}
        async with place(tmp_path) as at, at.bot(env=env) as bot:
            await above.hears("READY=1")
            await above.hears("STATUS=quoting")
            await above.hears("WATCHDOG=1", 4)
            bot.send(signal.SIGTERM)
            await above.hears("STOPPING=1")
            assert (await bot.ended()).code == 0, bot.err
        assert sum("STOPPING=1" in each for each in above.heard) == 1
        above.close()

    run(work())


def test_a_bot_that_stops_says_goodbye_and_alarms_nobody(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.guard() as guard, at.bot() as bot:
            await at.quoting(bot)
            bot.send(signal.SIGTERM)
            assert (await bot.ended()).code == 0, bot.err
            until = time.monotonic() + PATIENCE_S
            while "says goodbye, 0 orders" not in guard.out:
                assert time.monotonic() < until, guard.out
                await asyncio.sleep(0.02)
            # Longer than the guard looks away.
            await asyncio.sleep(0.5)
            assert "without a goodbye" not in guard.out

    run(work())


def test_the_guard_cancels_for_a_bot_whose_session_is_over(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.guard() as guard, at.bot() as bot:
            await at.quoting(bot)
            # The first session of the wallet is the bot's.
            await at.venue.faults({"knob": "eng.session_expire", "session": 1})
            await at.gone(REFUSED_S + SLACK_S)
            await bot.says("session")
            # Nothing comes back while nobody can sign.
            await asyncio.sleep(1.0)
            assert await at.epochs() == []
            assert "no session any more" in guard.out
            bot.send(signal.SIGTERM)
            ended = await bot.ended()
            assert ended.code == 0, ended.err

    run(work())


@pytest.mark.parametrize("rule", ["dynamic", "exact", "post_only", "only_without_orders"])
def test_positions_are_given_back_when_asked_for(tmp_path: Path, rule: str) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.bot("--close-on-exit") as bot:
            await at.venue.faults({"knob": "eng.reduce_rule", "rule": rule})
            await filled(at, bot)
            bot.send(signal.SIGTERM)
            ended = await bot.ended()
            assert ended.code == 0, ended.err
            assert await at.held() == {}
            assert await at.epochs() == []
            assert await at.venue.violations() == []

    run(work())


async def filled(at: Place, bot: Child) -> None:
    """Wait until the bot has traded."""
    until = time.monotonic() + PATIENCE_S
    while not await at.held():
        assert time.monotonic() < until, bot.err
        await asyncio.sleep(0.02)
