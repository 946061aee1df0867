"""Every command by every role, on a bot that trades, through real updates."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mmbot.domain.control import Role
from mmbot.domain.status import Mode
from tests.chat.place import ADMIN, GROUP, OPERATOR, QUIET, VIEWER, Bot, Place, place, run

PEOPLE = {Role.VIEWER: VIEWER, Role.OPERATOR: OPERATOR, Role.ADMIN: ADMIN}
# What is asked, by whom at least, and what the answer has in it (operations 4.2).
ASKED = {
    "/status": (Role.VIEWER, "equity"),
    "/status BTCUSD": (Role.VIEWER, "BTCUSD"),
    "/positions": (Role.VIEWER, "ETHUSD"),
    "/orders": (Role.VIEWER, "orders"),
    "/balance": (Role.VIEWER, "fees maker"),
    "/risk": (Role.VIEWER, "exposure"),
    "/explain": (Role.VIEWER, "half width"),
    "/health": (Role.VIEWER, "loop lag"),
    "/alerts": (Role.VIEWER, ""),
    "/version": (Role.VIEWER, "mmbot 0."),
    "/help": (Role.VIEWER, "/status"),
}
COMMANDED = {
    "/pause": (Role.OPERATOR, "all markets paused"),
    "/cancelall": (Role.OPERATOR, "0 left"),
    "/resume": (Role.OPERATOR, "resume?"),
    "/flatten": (Role.OPERATOR, "flatten?"),
    "/ack": (Role.OPERATOR, "acknowledged"),
    "/set spread.min_bps 61 for 30m": (Role.ADMIN, "2 settings would change"),
    "/unset spread.min_bps": (Role.ADMIN, "is not overridden"),
    "/reload": (Role.ADMIN, "no change"),
    "/reset_halt why": (Role.ADMIN, "reset-halt?"),
    "/reset_pnl why": (Role.ADMIN, "reset-pnl?"),
    "/stop": (Role.ADMIN, "answer with its name: chatty"),
}
LOUD = QUIET.replace("config: none", "config: loud")
Script = Callable[[Place, Bot], Awaitable[None]]


def talked(folder: Path, script: Script, notify: str = QUIET) -> None:
    """Run a script on a bot that quotes; whatever it says is well-formed."""

    async def work() -> None:
        async with place(folder) as at:
            at.settings(notify)
            async with at.bot() as bot:
                await bot.quoting()
                await script(at, bot)
                assert at.api.bad == []

    run(work)


async def answer(at: Place, text: str, user: int, words: str = "", within_s: float = 10.0) -> str:
    """Say something and return the answer."""
    before = len(at.api.messages)
    await at.api.say(text, user)
    return (await at.api.seen(words, before, within_s, chat=user)).text


async def changes(bot: Bot, mode: Mode) -> None:
    """Wait until the bot is in a mode."""
    async with asyncio.timeout(10):
        while bot.mode is not mode:  # noqa: ASYNC110 - what people see
            await asyncio.sleep(0.01)


def test_cancelall_leaves_nothing_within_a_second(tmp_path: Path) -> None:
    async def script(at: Place, bot: Bot) -> None:
        assert bot.resting() == 12
        began_s = time.monotonic()
        await at.api.say("/cancelall strange prices", OPERATOR)
        shown = await at.api.seen("0 left")
        assert time.monotonic() - began_s <= 1.0
        assert bot.resting() == 0
        assert bot.mode is Mode.PAUSED
        first, last = shown.texts
        assert first == "[chatty · LIVE] cancelling 12 ..."
        assert re.search(r"0 left, [34] batches, \d+ ms, all markets paused", last)
        assert "strange prices (telegram:22" in bot.bot.status().reasons[0]
        await asyncio.sleep(0.5)
        assert bot.resting() == 0
        # The button asks, and a yes begins anew.
        await at.api.press(shown, "Resume", OPERATOR)
        question = await at.api.seen("resume?")
        await at.api.press(question, "Yes", OPERATOR)
        await at.api.seen("all markets resumed")
        await bot.quoting()

    talked(tmp_path, script)


def test_each_role_may_what_it_may_and_no_more(tmp_path: Path) -> None:
    async def script(at: Place, bot: Bot) -> None:
        for role, user in PEOPLE.items():
            for text, (needed, words) in ASKED.items():
                said = await answer(at, text, user)
                assert (words if role >= needed else "needs the role") in said
            for text, (needed, words) in COMMANDED.items():
                said = await answer(at, text, user, words if role >= needed else "")
                assert said.startswith("[chatty · LIVE]")
                if role < needed:
                    name = needed.name.lower()
                    assert f"needs the role {name}" in said
                    assert bot.mode is (Mode.QUOTING if role is Role.VIEWER else Mode.PAUSED)
        listed = {role: await answer(at, "/help", user) for role, user in PEOPLE.items()}
        assert "/pause" not in listed[Role.VIEWER]
        assert "/stop" not in listed[Role.OPERATOR]
        assert "/stop" in listed[Role.ADMIN]
        assert bot.bot.status().overrides == ()

    talked(tmp_path, script)


def test_what_raises_risk_is_confirmed(tmp_path: Path) -> None:
    async def script(at: Place, bot: Bot) -> None:
        assert "0 left" in await answer(at, "/cancelall", ADMIN, "0 left")
        await at.api.say("/resume", ADMIN)
        question = await at.api.seen("resume?")
        # Neither somebody else, nor another message, nor words that were never offered.
        yes = next(data for label, data in question.buttons if label.startswith("Yes"))
        await at.api.press_data(question, yes, OPERATOR)
        other = await at.api.seen("0 left")
        await at.api.press_data(other, yes, ADMIN)
        await at.api.press_data(question, "yes:0123456789abcdef", ADMIN)
        await at.api.press_data(question, "maybe", ADMIN)
        await at.api.read_up()
        await asyncio.sleep(0.1)
        assert bot.mode is Mode.PAUSED
        await at.api.press(question, "No", ADMIN)
        await at.api.seen("nothing was done")
        assert question.buttons == []
        await at.api.press_data(question, yes, ADMIN)
        await at.api.say("/resume", ADMIN)
        second = await at.api.seen("resume?", at.api.messages.index(question) + 1)
        await at.api.press(second, "Yes", ADMIN)
        await changes(bot, Mode.QUOTING)
        # Pressed once more it does nothing.
        await answer(at, "/pause", ADMIN)
        await at.api.press_data(second, yes, ADMIN)
        await at.api.read_up()
        await asyncio.sleep(0.1)
        assert bot.mode is Mode.PAUSED

    talked(tmp_path, script)


def test_a_question_is_about_the_state_it_was_asked_in(tmp_path: Path) -> None:
    async def script(at: Place, bot: Bot) -> None:
        await at.api.say("/set spread.min_bps 60.5 for 30m", ADMIN)
        question = await at.api.seen("would change")
        assert "60.0 -> 60.5" in question.text
        await answer(at, "/pause", OPERATOR)
        await at.api.press(question, "Yes", ADMIN)
        again = await at.api.seen("would change", at.api.messages.index(question) + 1)
        assert "asked again" in question.text
        assert bot.bot.status().overrides == ()
        await at.api.press(again, "Yes", ADMIN)
        await at.api.seen("2 settings changed")
        (override,) = bot.bot.status().overrides
        assert (override.key, override.by) == ("spread.min_bps", "telegram:11")
        assert 1700 < (override.until_ns - bot.bot.status().ts_ns) / 1e9 <= 1800
        assert "spread.min_bps" in await answer(at, "/status", VIEWER)

    talked(tmp_path, script)


def test_settings_are_read_again_on_demand(tmp_path: Path) -> None:
    async def script(at: Place, _: Bot) -> None:
        at.edit("min_bps: 60", "min_bps: 60.25")
        await at.api.say("/reload", ADMIN)
        question = await at.api.seen("would change")
        assert "60.0 -> 60.25" in question.text
        await at.api.press(question, "Yes", ADMIN)
        await at.api.seen("1 setting changed")
        # Limits, and who may do what, are raised on the machine only.
        at.edit("daily_limit_usd: 500", "daily_limit_usd: 5000")
        assert "would be raised" in await answer(at, "/reload", ADMIN)
        at.edit("daily_limit_usd: 5000", "daily_limit_usd: 500")
        at.edit("{id: 33, role: viewer}", "{id: 33, role: admin}")
        assert "would be raised" in await answer(at, "/reload", ADMIN)
        assert "allow more" in await answer(at, "/set telegram.users {33: admin}", ADMIN)
        assert "needs the role" in await answer(at, "/reload", VIEWER)

    talked(tmp_path, script)


def test_words_are_for_people_on_a_telephone(tmp_path: Path) -> None:
    async def script(at: Place, _: Bot) -> None:
        assert await answer(at, "/mute", OPERATOR) == (
            "[chatty \u00b7 LIVE] a time is needed, such as /mute 30m"
        )
        assert "(--set)" not in await answer(at, "/set spread.minbps 8", ADMIN, "unknown key")
        assert "2 settings would change for 30 min" in await answer(
            at, "/set spread.min_bps 60.5 for 30m", ADMIN, "would change"
        )
        assert "2 settings would change for good, in the file" in await answer(
            at, "/set spread.min_bps 60.5 persist", ADMIN, "would change"
        )
        question = await at.api.seen("for good")
        assert [label for label, _ in question.buttons] == ["Yes, set spread.min_bps", "No"]

    talked(tmp_path, script)


def test_whoever_did_not_give_a_command_learns_each_of_them_and_why(tmp_path: Path) -> None:
    async def script(at: Place, _: Bot) -> None:
        before = len(at.api.messages)
        await answer(at, "/pause ETHUSD thin", OPERATOR, "ETHUSD paused")
        await answer(at, "/resume ETHUSD", OPERATOR, "ETHUSD: paused: thin (telegram:22, ")
        await answer(at, "/pause ETHUSD", OPERATOR, "ETHUSD paused")
        for words in ("thin (telegram:22, ", "by telegram:22, "):
            await at.api.seen(f"pause ETHUSD: {words}", before, chat=ADMIN)
        await at.api.say("/set spread.min_bps 60.5", ADMIN)
        question = await at.api.seen("would change")
        await at.api.press(question, "Yes", ADMIN)
        told = await at.api.seen("set: 2 settings changed until", before, chat=OPERATOR)
        assert "(telegram:11)" in told.text
        assert "markets.BTCUSD.spread.min_bps: 60.0 -> 60.5" in told.text
        assert [each for each in at.api.messages if "set: 2" in each.text and each.chat == 11] == []

    talked(tmp_path, script, LOUD)


def test_the_keys_below_the_chat_are_those_that_the_person_may_use(tmp_path: Path) -> None:
    async def script(at: Place, _: Bot) -> None:
        rows = {}
        for user in (VIEWER, OPERATOR):
            await answer(at, "/help", user, "/status")
            markup = json.loads(at.api.messages[-1].fields["reply_markup"])
            rows[user] = [[key["text"] for key in row] for row in markup["keyboard"]]
        assert rows[VIEWER] == [["/status", "/pnl", "/risk"], ["/help"]]
        assert rows[OPERATOR] == [
            ["/status", "/pnl", "/risk"],
            ["/pause", "/cancelall"],
            ["/resume", "/help"],
        ]

    talked(tmp_path, script)


def test_the_name_ends_the_run(tmp_path: Path) -> None:
    async def script(at: Place, bot: Bot) -> None:
        await answer(at, "/stop", ADMIN)
        await at.api.say("chatty", OPERATOR)
        await at.api.say("chatter", ADMIN)
        await at.api.seen("nothing was done")
        await at.api.say("chatty", ADMIN)
        await at.api.read_up()
        await asyncio.sleep(0.1)
        assert bot.mode is Mode.QUOTING
        await answer(at, "/stop", ADMIN)
        await at.api.say("chatty", ADMIN)
        await at.api.seen("stopping")
        report = await bot.running
        assert (report.code, report.leftovers.clean) == (0, True)
        assert bot.resting() == 0

    talked(tmp_path, script)


@pytest.mark.parametrize("command", ["/pause", "/cancelall"])
def test_what_reduces_risk_is_done_however_late(tmp_path: Path, command: str) -> None:
    async def script(at: Place, bot: Bot) -> None:
        then = int(time.time()) - 250
        await at.api.say("/resume", ADMIN, date=then)
        assert "not done" in (await at.api.seen("was sent 25")).text
        await at.api.say(command, OPERATOR, date=then)
        await at.api.seen("sent 4 min ago, done now")
        assert bot.mode is Mode.PAUSED
        assert bot.resting() == 0

    talked(tmp_path, script)


def test_a_group_limits_its_members(tmp_path: Path) -> None:
    async def script(at: Place, bot: Bot) -> None:
        # An operator's group: an admin's private chat gives no more than that there.
        await at.api.say("/reload", ADMIN, GROUP)
        await at.api.seen("needs the role admin")
        await at.api.say("/pause@mm_bot BTCUSD news", OPERATOR, GROUP)
        await at.api.seen("BTCUSD paused")
        assert bot.bot.status().markets[0].reason is not None
        assert "telegram:22@-100001" in (bot.bot.status().markets[0].reason or "")
        assert bot.bot.status().markets[1].reason is None
        # What is said to another bot is none of ours.
        before = len(at.api.messages)
        await at.api.say("/pause@other_bot", OPERATOR, GROUP)
        await at.api.say("hello everybody", OPERATOR, GROUP)
        await at.api.read_up()
        assert "equity" in await answer(at, "/status", VIEWER)
        assert len(at.api.messages) == before + 1

    talked(tmp_path, script)
