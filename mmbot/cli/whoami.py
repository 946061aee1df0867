"""The verb `notify whoami`: which ids people and chats have that write to the bot."""

import argparse
import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

import msgspec

from mmbot.cli.output import EXIT_CHECK_FAILED, say, show
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import SecretError, Unavailable
from mmbot.interfaces.telegram.line import Line
from mmbot.interfaces.telegram.outlet import Fault, LineError
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import resolve

LOOK_EVERY_S = 0.5


def whoami(args: argparse.Namespace) -> int:
    """Print the ids of those who write to the bot, until the time is over or Ctrl-C."""
    config = load(args.config, args.set, os.environ).config
    return asyncio.run(_told(config, args.seconds, _as_json if args.json else _as_text))


def _as_text(user_id: int, chat_id: int) -> str:
    return f"user {user_id}  chat {chat_id}"


def _as_json(user_id: int, chat_id: int) -> str:
    content = {"schema": "mmbot.whoami/1", "user": user_id, "chat": chat_id}
    return msgspec.json.encode(content).decode()


async def _told(config: Config, seconds: float, form: Callable[[int, int], str]) -> int:
    token = resolve(config.secrets, SecretName.TELEGRAM_TOKEN, os.environ, say)
    line = Line(token.reveal(), config.telegram.api_base_url)
    told: set[tuple[int, int]] = set()
    try:
        name = await line.open()
        say(f"write something to @{name} within {seconds:g} s; a running bot must be stopped")
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    # What is read here is left for the bot: nothing is confirmed.
                    for each in await line.listen(None):
                        heard = each.heard
                        if heard is not None and (heard.user_id, heard.chat_id) not in told:
                            told.add((heard.user_id, heard.chat_id))
                            show([form(heard.user_id, heard.chat_id)])
                    await asyncio.sleep(LOOK_EVERY_S)
    except LineError as error:
        if error.fault is Fault.UNAUTHORISED:
            raise SecretError(str(error)) from None
        raise Unavailable(str(error)) from None
    finally:
        await line.close()
    if not told:
        say("nobody has written anything")
    return 0 if told else EXIT_CHECK_FAILED
