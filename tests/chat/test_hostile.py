"""Strangers, odd updates and floods change nothing and are answered nothing (T01, T02)."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from mmbot.domain.status import Mode
from mmbot.ledger.reader import LedgerReader, Window
from tests.chat.place import ADMIN, GROUP, OPERATOR, QUIET_GROUP, STRANGER, VIEWER, place, run
from tests.fakes.bot_api import BotApi

HOSTILE = 10_000
WISHES = (
    "/pause",
    "/cancelall",
    "/stop",
    "/resume",
    "/flatten",
    "/set risk.loss.daily_limit_usd 1",
    "/reload",
    "/reset_pnl x",
    "/status",
    "chatty",
)


def variants(api: BotApi, text: str, chance: random.Random) -> list[dict[str, Any]]:
    """Updates that are no plain message of somebody known (T01, T02)."""
    by_admin = api.message(text, ADMIN)
    stranger = {"id": STRANGER, "is_bot": False, "first_name": "S"}
    group = {"id": GROUP, "type": "supergroup", "title": "g"}
    place = {"message_id": chance.randrange(100, 200), "date": 1, "chat": group}
    return [
        {"message": api.message(text, STRANGER)},
        {"message": api.message(text, STRANGER, GROUP)},
        {"message": api.message(text, ADMIN, -100_999)},
        {"message": api.message(text, VIEWER + chance.randrange(1, 9_999))},
        {"edited_message": {**by_admin, "edit_date": by_admin["date"]}},
        {"message": {**by_admin, "edit_date": by_admin["date"]}},
        {"channel_post": {**by_admin, "chat": {"id": GROUP, "type": "channel"}}},
        {"message": {**by_admin, "chat": {"id": GROUP, "type": "channel"}}},
        {"message": {**by_admin, "forward_origin": {"type": "user", "sender_user": stranger}}},
        {"message": {**by_admin, "forward_from": stranger, "forward_date": 1}},
        {"message": {**by_admin, "via_bot": {"id": 5, "is_bot": True, "first_name": "b"}}},
        {"message": {**by_admin, "sender_chat": group, "chat": group}},
        {"message": {**by_admin, "from": {"id": ADMIN, "is_bot": True, "first_name": "b"}}},
        {"message": {**by_admin, "from": stranger}},
        {"message": {key: value for key, value in by_admin.items() if key != "from"}},
        {"message": {**by_admin, "from": {"id": str(ADMIN), "first_name": "t"}}},
        {"message": {**by_admin, "text": {"text": text}}},
        {"message": {**by_admin, "date": -1}},
        {"message": [by_admin]},
        {"message": by_admin, "callback_query": {"id": "1"}},
        {"business_message": by_admin},
        {"my_chat_member": {"chat": group, "from": stranger, "date": 1}},
        {"callback_query": {"id": "1", "from": stranger, "data": f"resume:{ADMIN}:"}},
        {
            "callback_query": {
                "id": "1",
                "from": stranger,
                "chat_instance": "1",
                "data": f"resume:{ADMIN}:",
                "message": place,
            }
        },
        {
            "callback_query": {
                "id": "2",
                "from": {"id": ADMIN, "is_bot": False, "first_name": "a"},
                "inline_message_id": "77",
                "chat_instance": "1",
                "data": f"yes:{chance.randbytes(8).hex()}",
            }
        },
        {
            "callback_query": {
                "id": "3",
                "from": {"id": VIEWER, "is_bot": False, "first_name": "v"},
                "chat_instance": "1",
                "data": f"yes:{chance.randbytes(8).hex()}",
                "message": {**place, "chat": {"id": ADMIN, "type": "private"}},
            }
        },
        {"inline_query": {"id": "1", "from": stranger, "query": text, "offset": ""}},
    ]


def test_ten_thousand_hostile_updates_do_nothing(tmp_path: Path) -> None:
    """T01 and T02: no effect, no answer, one warning."""

    async def work() -> None:
        chance = random.Random(7)
        async with place(tmp_path) as at, at.bot() as bot:
            await bot.quoting()
            sent = 0
            while sent < HOSTILE:
                for fields in variants(at.api, chance.choice(WISHES), chance):
                    number = at.api.number()
                    raw = json.dumps({"update_id": number, **fields}).encode()
                    if chance.random() < 0.1 and b'"message"' in raw:
                        # The end is missing, or something in the middle is another thing.
                        at_byte = chance.randrange(30, len(raw))
                        raw = raw[:at_byte].split(b",")[0] + b"}"
                    at.api.queue(number, raw)
                    sent += 1
            await at.api.read_up(60)
            assert bot.mode is Mode.QUOTING
            assert bot.resting() == 12
            assert at.api.messages == []
            assert at.api.popups == []
            # Whoever is known is answered at once, still.
            await at.api.say("/status", VIEWER)
            await at.api.seen("QUOTING")
            told = [(alert.code, alert.count) for alert in bot.bot.status().alerts]
            assert [each for each in told if each[0].startswith("telegram")] == [
                ("telegram_stranger", 1)
            ]
        with LedgerReader(tmp_path / "chatty.ledger") as reader:
            given = [e.text for e in reader.events(Window(), 100_000) if e.kind == "command"]
            # What this test itself ends the run with.
            assert given == ["stop: enough"]

    run(work)


def test_a_viewers_group_stays_for_reading(tmp_path: Path) -> None:
    """T01: a listed group authorises nobody by itself."""

    async def work() -> None:
        async with place(tmp_path) as at:
            at.edit("commands_per_minute: 600", "users: {44: operator}")
            async with at.bot() as bot:
                await bot.quoting()
                await at.api.say("/status", STRANGER, QUIET_GROUP)
                await at.api.say("/pause", OPERATOR, QUIET_GROUP)
                await at.api.seen("needs the role operator")
                assert bot.mode is Mode.QUOTING
                # Whoever is in `users` has that role everywhere; a chat must be listed, too.
                await at.api.say("/pause", 44)
                await at.api.read_up()
                await asyncio.sleep(0.1)
                assert bot.mode is Mode.QUOTING
                await at.api.say("/pause", 44, QUIET_GROUP)
                await at.api.seen("all markets paused")
                assert len(at.api.messages) == 2

    run(work)


def test_nobody_listed_nobody_answered(tmp_path: Path) -> None:
    """T01: an empty list denies; who they are is told in private as long as there is no admin."""

    async def work() -> None:
        async with place(tmp_path) as at:
            text = at.config.read_text()
            at.config.write_text(
                text[: text.index("  chats:")] + text[text.index("  commands_per_minute") :]
            )
            async with at.bot() as bot:
                await bot.quoting()
                for wish in WISHES:
                    await at.api.say(wish, ADMIN)
                await at.api.say("/whoami", ADMIN, GROUP)
                await at.api.say("/whoami", ADMIN)
                shown = await at.api.seen("")
                assert shown.text == "your id is 11"
                assert len(at.api.messages) == 1
                assert bot.mode is Mode.QUOTING

    run(work)


def test_commands_are_counted_but_not_those_that_reduce_risk(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.edit("commands_per_minute: 600", "commands_per_minute: 3")
            async with at.bot() as bot:
                await bot.quoting()
                for _ in range(10):
                    await at.api.say("/version", OPERATOR)
                await at.api.read_up()
                await at.api.say("/pause", OPERATOR)
                await at.api.seen("all markets paused")
                assert len([each for each in at.api.messages if "mmbot 0" in each.text]) == 3
                # Others are not held up by one who floods.
                await at.api.say("/version", VIEWER)
                await at.api.seen("mmbot 0", 4)

    run(work)
