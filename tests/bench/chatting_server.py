"""A Telegram with something wrong: `python -m tests.bench.chatting_server slow|flooding`."""

import asyncio
import sys

import msgspec

from tests.bench.live_notes import CHAT
from tests.fakes.bot_api import BotApi

SLOW_S = 5.0
EVERY_S = 0.01
# Somebody the bot knows asks that often among strangers; it answers no more than it may a minute.
KNOWN_EVERY = 10


async def _serve(trouble: str) -> None:
    async with BotApi().served() as api:
        if trouble == "slow":
            api.faults.delay_s = SLOW_S
        else:
            api.faults.floods = sys.maxsize
        sys.stdout.buffer.write(msgspec.json.encode(api.url) + b"\n")
        sys.stdout.flush()
        number = 0
        while trouble == "flooding":
            number += 1
            await api.say("/status", CHAT if number % KNOWN_EVERY == 0 else 10_000 + number)
            await asyncio.sleep(EVERY_S)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
