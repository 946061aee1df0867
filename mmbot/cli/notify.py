"""The verbs `notify test|whoami`: does the chat work, and which ids do people and chats have."""

import argparse
import asyncio
import os
from contextlib import suppress

from mmbot.cli.output import say, show
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import UsageError
from mmbot.interfaces.telegram.line import Line
from mmbot.interfaces.telegram.outlet import LineError, Sending
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import resolve

LOOK_EVERY_S = 0.5


def test(args: argparse.Namespace) -> int:
    """Send a message to every chat; exit 10 when one does not take it."""
    config = load(args.config, args.set, os.environ).config
    if not config.telegram.chats:
        raise UsageError("telegram.chats lists nobody; `mmbot notify whoami` tells ids")
    return asyncio.run(_tried(config, _line(config)))


def whoami(args: argparse.Namespace) -> int:
    """Print the ids of those who write to the bot, until the time is over or Ctrl-C."""
    config = load(args.config, args.set, os.environ).config
    say(f"write something to the bot within {args.seconds:g} s; a running bot must be stopped")
    return asyncio.run(_told(_line(config), args.seconds))


def _line(config: Config) -> Line:
    token = resolve(config.secrets, SecretName.TELEGRAM_TOKEN, os.environ, say)
    return Line(token.reveal(), config.telegram.api_base_url)


async def _tried(config: Config, line: Line) -> int:
    failed = 0
    try:
        name = await line.open()
        for chat in config.telegram.chats:
            text = f"[{config.instance.name}] this is a test"
            try:
                await line.send(Sending(chat.id, text, thread_id=chat.topic_id))
            except LineError as error:
                failed += 1
                show([f"{chat.id}  {chat.role:<8}  FAIL  {error}"])
            else:
                show([f"{chat.id}  {chat.role:<8}  sent by @{name}"])
    finally:
        await line.close()
    return 10 if failed else 0


async def _told(line: Line, seconds: float) -> int:
    told: set[tuple[int, int]] = set()
    try:
        show([f"bot @{await line.open()}"])
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    # What is read here is left for the bot: nothing is confirmed.
                    for each in await line.listen(None):
                        heard = each.heard
                        if heard is not None and (heard.user_id, heard.chat_id) not in told:
                            told.add((heard.user_id, heard.chat_id))
                            show([f"user {heard.user_id}  chat {heard.chat_id}"])
                    await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await line.close()
    return 0 if told else 10
