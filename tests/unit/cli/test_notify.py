"""`notify test|whoami` and `report-failure` against a Telegram and a webhook on this machine."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mmbot.cli import main
from tests.fakes.bot_api import TOKEN, BotApi
from tests.unit.interfaces.webhook.listening import SECRET, Place, listening

Script = Callable[["Desk"], Awaitable[None]]


class Desk:
    """Somebody at a terminal, with a configuration."""

    def __init__(self, api: BotApi, hook: Place, config: Path) -> None:
        self.api = api
        self.hook = hook
        self.config = config

    def settings(self, *lines: str) -> None:
        """Write the file."""
        self.config.write_text("\n".join(("version: 1", "instance: {name: desk}", *lines)))

    def everybody(self) -> None:
        """Set two chats and the webhook."""
        self.settings(
            "telegram:",
            f"  api_base_url: {self.api.url}",
            "  chats: [{id: 11, role: admin}, {id: -8, role: viewer, topic_id: 3}]",
            f"alerts: {{webhook_url: '{self.hook.url}'}}",
        )

    async def run(self, *words: str) -> int:
        """Run a verb, as it would be in a process of its own."""
        return await asyncio.to_thread(main, [*words, "-c", str(self.config)])


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Script], str]:
    """Play a script; returns what was printed."""

    def play(script: Script) -> str:
        async def whole() -> None:
            async with BotApi().served() as api, listening() as hook:
                await script(Desk(api, hook, tmp_path / "c.yaml"))
                assert api.bad == []

        # The first verb takes it out of the environment.
        monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
        asyncio.run(whole())
        shown = capsys.readouterr()
        text = shown.out + shown.err
        assert TOKEN.split(":")[1] not in text
        assert SECRET not in text
        return text

    return play


def test_a_test_arrives_everywhere(told: Callable[[Script], str]) -> None:
    async def script(desk: Desk) -> None:
        desk.everybody()
        assert await desk.run("notify", "test") == 0
        for chat in (11, -8):
            shown = await desk.api.seen("this is a test", chat=chat)
            assert "[desk · TEST]" in shown.text
        assert desk.api.messages[-1].fields["message_thread_id"] == "3"
        (body,) = desk.hook.bodies
        assert (body["code"], body["severity"]) == ("test", "info")

    shown = told(script)
    assert "chat 11 (admin): sent" in shown
    assert "chat -8 (viewer): sent" in shown
    assert "webhook at 127.0.0.1: sent" in shown


def test_it_is_told_to_programs(told: Callable[[Script], str]) -> None:
    async def script(desk: Desk) -> None:
        desk.everybody()
        assert await desk.run("notify", "test", "--json") == 0

    found = json.loads(told(script).splitlines()[-1])
    assert found["schema"] == "mmbot.notify/1"
    assert [each["sent"] for each in found["items"]] == [True] * 3
    assert found["items"][0] == {"place": "chat 11 (admin)", "sent": True, "why": None}


def test_whoever_is_not_reached_is_named(told: Callable[[Script], str]) -> None:
    async def script(desk: Desk) -> None:
        desk.everybody()
        desk.api.faults.token = "another"
        desk.hook.answers = [404]
        assert await desk.run("notify", "test") == 10

    shown = told(script)
    assert "chat 11 (admin): FAIL, the token is refused" in shown
    assert "webhook at 127.0.0.1: FAIL, status 404" in shown


def test_nobody_is_set(told: Callable[[Script], str]) -> None:
    async def script(desk: Desk) -> None:
        desk.settings()
        assert await desk.run("notify", "test") == 2

    assert "neither telegram.chats" in told(script)


def test_ids_of_those_who_write(told: Callable[[Script], str]) -> None:
    async def script(desk: Desk) -> None:
        desk.settings(f"telegram: {{api_base_url: '{desk.api.url}'}}")
        await desk.api.say("hello", 42)
        await desk.api.say("hello", 43, chat=-100_777)
        assert await desk.run("notify", "whoami", "--for", "1.5") == 0
        # They are left for the bot.
        assert {number for number, _ in desk.api.waiting()} == {1_000, 1_001}

    shown = told(script)
    assert "@mm_bot" in shown
    assert "user 42  chat 42" in shown
    assert "user 43  chat -100777" in shown


def test_ids_for_programs(told: Callable[[Script], str]) -> None:
    async def script(desk: Desk) -> None:
        desk.settings(f"telegram: {{api_base_url: '{desk.api.url}'}}")
        await desk.api.say("hello", 43, chat=-100_777)
        assert await desk.run("notify", "whoami", "--for", "1.5", "--json") == 0

    content = {"schema": "mmbot.whoami/1", "user": 43, "chat": -100_777}
    (line,) = [each for each in told(script).splitlines() if each.startswith("{")]
    assert json.loads(line) == content


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [("token", 4, "the token is refused"), ("errors", 5, "not"), ("silence", 10, "nobody has")],
)
def test_nobody_is_heard(told: Callable[[Script], str], fault: str, code: int, words: str) -> None:
    async def script(desk: Desk) -> None:
        desk.settings(f"telegram: {{api_base_url: '{desk.api.url}'}}")
        if fault == "token":
            desk.api.faults.token = "another"
        if fault == "errors":
            desk.api.faults.errors = 10
        assert await desk.run("notify", "whoami", "--for", "0.5") == code

    assert words in told(script)


def test_a_unit_that_was_given_up_is_told_everywhere(
    told: Callable[[Script], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_UNIT", "mmbot@btc.service")
    monkeypatch.setenv("MONITOR_SERVICE_RESULT", "exit-code")
    monkeypatch.setenv("MONITOR_EXIT_STATUS", "6")

    async def script(desk: Desk) -> None:
        desk.everybody()
        assert await desk.run("report-failure") == 0
        shown = await desk.api.seen("mmbot@btc.service has failed: exit-code (6)", chat=11)
        assert not shown.silent
        assert desk.hook.bodies[0]["code"] == "unit_failed"
        desk.api.faults.token = "another"
        assert await desk.run("report-failure") == 5
        # One that is not reached keeps nothing from the other.
        assert len(desk.hook.bodies) == 2

    assert "not everybody was told" in told(script)
