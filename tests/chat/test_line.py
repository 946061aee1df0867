"""The line is broken in every way there is: trading goes on, and nothing is done twice or leaks."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mmbot.domain.control import OperatorCommand, Result, Role, Verb, Who
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode
from mmbot.interfaces.telegram.face import FAREWELL_S
from tests.chat.place import ADMIN, OPERATOR, VIEWER, Bot, place, run
from tests.chat.test_commands import answer, changes
from tests.chat.test_telling import LOUD, tell
from tests.fakes.bot_api import TOKEN
from tests.unit.interfaces.webhook.listening import listening

SECRET_PART = TOKEN.split(":")[1]


async def alerted(bot: Bot, code: str) -> str:
    """Wait for an alert of the bot; returns its id."""
    async with asyncio.timeout(15):
        while True:
            for alert in bot.bot.status().alerts:
                if alert.code == code:
                    return alert.id
            await asyncio.sleep(0.02)


def counted(bot: Bot, result: str) -> float:
    """How often an alert was sent to a chat, with this result."""
    alerts = bot.bot.control.watching.meters.readings().counts["alerts"]
    return sum(n for (_, *how), n in alerts.items() if how == ["telegram", result])


async def reached(bot: Bot) -> None:
    """Wait until the bot says no more that it is not."""
    async with asyncio.timeout(5):
        # The status is what people watch, too.
        while any(each.code == "telegram_down" for each in bot.bot.status().alerts):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_a_second_listener_turns_commands_off_until_somebody_here_says_so(tmp_path: Path) -> None:
    """T05: 409."""

    async def work() -> None:
        async with place(tmp_path) as at, at.bot() as bot:
            await bot.quoting()
            at.api.faults.conflicts = 2
            await at.api.say("/status", VIEWER)
            name = await alerted(bot, "telegram_conflict")
            assert bot.resting() == 12
            # Told through the chat as well, which its owner reads too.
            await at.api.seen("TELEGRAM CONFLICT")
            await at.api.seen("QUOTING")
            await answer(at, "/reset_pnl x", ADMIN, "commands are off: see alert")
            await answer(at, f"/ack {name}", ADMIN, "commands are off: see alert")
            await answer(at, "/pause", OPERATOR, "all markets paused")
            assert bot.mode is Mode.PAUSED
            here = Who("cli", "me", Role.ADMIN)
            seen = OperatorCommand(Verb.ACK, here, 0, key=name)
            assert (await bot.bot.control.submit(seen)).result is Result.OK
            await answer(at, "/resume", OPERATOR, "resume?")

    run(work)


def test_a_webhook_hears_what_the_chat_cannot_tell(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, listening() as hook:
            url = f'webhook_url: "{hook.url}"'
            at.settings(alerts=f"alerts: {{{url}, escalate_after_s: 1}}")
            async with at.bot() as bot:
                await bot.quoting()
                at.api.faults.conflicts = 1
                name = await alerted(bot, "telegram_conflict")
                # From now on the chat is dead.
                at.api.faults.errors = 10_000
                await hook.taken(3)
                first, *others = [b for b in hook.bodies if b["code"] == "telegram_conflict"]
                assert (first["severity"], first["id"], first["open_min"]) == (
                    "critical",
                    name,
                    None,
                )
                assert [each["open_min"] for each in others] == [0] * len(others)
                assert f"still open after 0 min: mmbot ack {name}" in others[0]["text"]
                await alerted(bot, "telegram_down")
                here = Who("cli", "me", Role.ADMIN)
                await bot.bot.control.submit(OperatorCommand(Verb.ACK, here, 0, key=name))
                await asyncio.sleep(1.2)
                count = len(hook.bodies)
                await asyncio.sleep(2.2)
                assert not [b for b in hook.bodies[count:] if b["code"] == "telegram_conflict"]
                assert {b["code"] for b in hook.bodies} >= {"telegram_conflict", "telegram_down"}
                assert bot.mode is Mode.QUOTING

    run(work)


def test_a_token_that_is_refused_ends_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.api.faults.token = "another"
            async with at.bot() as bot:
                await bot.quoting()
                await alerted(bot, "telegram_refuses")
                assert bot.mode is Mode.QUOTING

    run(work)


def test_alerts_are_counted_as_they_are_delivered(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.settings("startup: none")
            at.api.faults.errors = 10_000
            async with at.bot() as bot:
                await bot.quoting()
                here = Who("cli", "me", Role.ADMIN)
                await bot.bot.control.submit(OperatorCommand(Verb.PAUSE, here, 0))
                async with asyncio.timeout(10):
                    while counted(bot, "failed") < 3:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                assert counted(bot, "delivered") == 0
                at.api.faults.errors = 0
                await at.api.seen("pause")
                async with asyncio.timeout(10):
                    # Every chat of the five has it.
                    while counted(bot, "delivered") < 5:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)

    run(work)


def test_an_outage_delays_words_and_nothing_else(tmp_path: Path) -> None:
    """T06: down from the start, then slow, then flooded."""

    async def work() -> None:
        async with place(tmp_path) as at:
            at.api.faults.errors = 10_000
            async with at.bot() as bot:
                await bot.quoting()
                await alerted(bot, "telegram_down")
                assert counted(bot, "delivered") == 0
                await at.api.say("/pause", OPERATOR)
                await asyncio.sleep(0.3)
                assert bot.mode is Mode.QUOTING
                at.api.faults.errors = 0
                await changes(bot, Mode.PAUSED)
                await reached(bot)
                at.api.faults.floods = 2
                await answer(at, "/version", VIEWER, "mmbot 0")
                # An answer that hangs holds up neither what is done nor the next who asks.
                at.api.faults.delay_s = 1.5
                cancelled = Who("cli", "me", Role.ADMIN)
                await at.api.say("/cancelall", OPERATOR)
                done = await bot.bot.control.submit(OperatorCommand(Verb.CANCEL_ALL, cancelled, 0))
                assert int(done.facts["took_ms"]) <= 1_000
                at.api.faults.delay_s = 0.0
                await at.api.seen("0 left")

    run(work)


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """A server that takes every request, and never says a word."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def test_trading_never_waits_for_a_telegram_that_says_nothing(tmp_path: Path) -> None:
    """T06: with more to tell than will ever be told."""

    async def work() -> None:
        async with place(tmp_path) as at, silence() as nowhere:
            at.settings(LOUD)
            at.edit(at.api.url, nowhere)
            async with at.bot() as bot:
                await bot.quoting()
                for number in range(2_000):
                    tell(bot, Severity.CRITICAL, f"code_{number}", "x" * 300)
                    if number % 100 == 0:
                        await asyncio.sleep(0.01)
                placed = bot.bot.status().placed
                here = Who("cli", "me", Role.ADMIN)
                done = await bot.bot.control.submit(OperatorCommand(Verb.CANCEL_ALL, here, 0))
                assert int(done.facts["took_ms"]) <= 1_000
                assert bot.resting() == 0
                await bot.bot.control.submit(OperatorCommand(Verb.RESUME, here, 0))
                await bot.quoting()
                assert bot.bot.status().placed >= placed + 12
                began_s = time.monotonic()
                bot.bot.live.stop("enough")
                await bot.running
                assert bot.resting() == 0
                ended_s = time.monotonic()
            # The orders were off before; the last words have their time, and no more.
            assert ended_s - began_s < 5.0
            assert time.monotonic() - ended_s < FAREWELL_S + 2.0

    run(work)


def test_no_update_is_done_twice(tmp_path: Path) -> None:
    """T03: also not by the next run, and also not when Telegram tells it again."""

    async def work() -> None:
        async with place(tmp_path) as at:
            number = 0
            async with at.bot() as bot:
                await bot.quoting()
                number = await at.api.say("/pause", OPERATOR)
                await at.api.seen("all markets paused")
            told = {"update_id": number, "message": at.api.message("/pause", OPERATOR)}
            async with at.bot() as bot:
                here = Who("cli", "me", Role.ADMIN)
                assert bot.resting() == 0
                await bot.bot.control.submit(OperatorCommand(Verb.RESUME, here, 0))
                await bot.quoting()
                at.api.queue(number, json.dumps(told).encode())
                at.api.queue(number - 1, json.dumps({**told, "update_id": number - 1}).encode())
                await at.api.say("/version", VIEWER)
                await at.api.seen("mmbot 0")
                await asyncio.sleep(0.2)
                assert bot.mode is Mode.QUOTING

    run(work)


def test_the_token_is_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """T04: not in a log of anybody at any level, not in a file, a message, a notice or a repr."""
    notices: list[Notice] = []
    shown: list[str] = []

    async def work() -> None:
        async with place(tmp_path) as at:
            at.api.faults.errors = 3
            async with at.bot(notices=notices.extend) as bot:
                await bot.quoting()
                await at.api.say("/status", VIEWER)
                await at.api.seen("QUOTING")
                at.api.faults.conflicts = 1
                await at.api.say("/pause now", VIEWER)
                await at.api.seen("needs the role")
                at.api.faults.token = "another"
                await alerted(bot, "telegram_refuses")
                shown.extend(repr(work) for _, work in bot.bot.live.around)
                shown.append(repr(bot.bot))
                shown.append(repr(bot.bot.status()))
            shown.extend(text for each in at.api.messages for text in each.texts)
            shown.extend(at.warned)

    with caplog.at_level(logging.DEBUG):
        run(work)
    shown.extend(record.getMessage() for record in caplog.records)
    shown.extend(str(notice) for notice in notices)
    shown.extend(capfd.readouterr())
    assert shown
    assert not [text for text in shown if SECRET_PART in text]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert path.read_bytes().count(SECRET_PART.encode()) == 0, path
