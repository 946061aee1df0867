"""The line to Telegram: python-telegram-bot without its loops. It never tells the token.

Errors of the line are LineError with a word for the kind and no text of the other side.
"""

import asyncio
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from telegram import (
    BotCommand,
    BotCommandScopeChat,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    ReplyKeyboardMarkup,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from mmbot.interfaces.telegram.outlet import Fault, Heeded, LineError, Sending
from mmbot.interfaces.telegram.updates import read, split

# Without this every answer of "too many requests" comes with a warning about a coming version.
os.environ.setdefault("PTB_TIMEDELTA", "true")

LISTEN_S = 25
CONNECT_S = 5.0
ANSWER_S = 10.0
CONNECTIONS = 8
_LISTENED = ("message", "callback_query")
_RAW = "raw"
# They write addresses, and the token is part of them.
_TALKATIVE = ("httpx", "httpcore", "telegram")


class _Listening(HTTPXRequest):
    """Requests for updates: each is handed on as it came, so that none can stop the others."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Leave the reading to `updates`; answers that are no updates are read as always."""
        found = split(payload)
        if found is None:
            return HTTPXRequest.parse_json_payload(payload)
        result = [{"update_id": number, _RAW: raw} for number, raw in found]
        return {"ok": True, "result": result}


class _Bot(ExtBot[int]):
    def __repr__(self) -> str:
        return "Bot[token withheld]"


class Line:
    """See outlet.Outlet and outlet.Inlet. Use it on one loop and close it."""

    def __init__(self, token: str, base_url: str) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        given: dict[str, Any] = {
            "connect_timeout": CONNECT_S,
            "read_timeout": ANSWER_S,
            "write_timeout": ANSWER_S,
            "pool_timeout": ANSWER_S,
            # Proxies are not taken from the environment: nothing goes where nobody looks.
            "httpx_kwargs": {"trust_env": False},
        }
        self._requests = (
            _Listening(connection_pool_size=1, **given),
            HTTPXRequest(connection_pool_size=CONNECTIONS, **given),
        )
        self._bot = _Bot(
            token,
            base_url=f"{base_url.rstrip('/')}/bot",
            get_updates_request=self._requests[0],
            request=self._requests[1],
            rate_limiter=AIORateLimiter(max_retries=2),
        )

    async def open(self) -> str:
        """See Inlet."""
        with _as_line_error():
            return (await self._bot.get_me()).username or ""

    async def hook(self) -> str:
        """See Inlet."""
        with _as_line_error():
            return (await self._bot.get_webhook_info()).url

    async def listen(self, after: int | None) -> list[Heeded]:
        """See Inlet."""
        offset = None if after is None else after + 1
        with _as_line_error():
            updates = await self._bot.get_updates(
                offset=offset, timeout=LISTEN_S, allowed_updates=_LISTENED
            )
        found = []
        for update in updates:
            raw = (update.api_kwargs or {}).get(_RAW, b"")
            found.append(Heeded(update.update_id, read(update.update_id, raw)))
        return sorted(found, key=lambda each: each.number)

    async def send(self, sending: Sending) -> int:
        """See Outlet."""
        with _as_line_error():
            if sending.file is not None:
                return await self._send_file(sending)
            sent = await self._bot.send_message(
                sending.chat_id,
                sending.text,
                parse_mode=ParseMode.HTML,
                disable_notification=sending.silent,
                message_thread_id=sending.thread_id,
                reply_markup=_markup(sending),
                reply_parameters=_reply(sending),
            )
            return sent.message_id

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: Sequence[tuple[str, str]] = ()
    ) -> None:
        """See Outlet."""
        with _as_line_error():
            await self._bot.edit_message_text(
                text,
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_buttons(buttons),
            )

    async def pressed(self, query_id: str, text: str = "") -> None:
        """See Outlet."""
        with _as_line_error():
            await self._bot.answer_callback_query(query_id, text=text or None)

    async def offer(self, chat_id: int, commands: Sequence[tuple[str, str]]) -> None:
        """See Inlet."""
        menu = [BotCommand(name, words) for name, words in commands]
        with _as_line_error():
            await self._bot.set_my_commands(menu, scope=BotCommandScopeChat(chat_id))

    async def close(self) -> None:
        """Hang up."""
        await asyncio.gather(*(request.shutdown() for request in self._requests))

    async def _send_file(self, sending: Sending) -> int:
        name, content = sending.file or ("", b"")
        picture = name.endswith(".png")
        send = self._bot.send_photo if picture else self._bot.send_document
        sent = await send(
            sending.chat_id,
            InputFile(content, filename=name),
            caption=sending.text or None,
            parse_mode=ParseMode.HTML,
            disable_notification=sending.silent,
            message_thread_id=sending.thread_id,
        )
        return sent.message_id


def _markup(
    sending: Sending,
) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | ForceReply | None:
    if sending.typed:
        return ForceReply(selective=True)
    if sending.keyboard:
        return ReplyKeyboardMarkup(sending.keyboard, resize_keyboard=True, selective=True)
    return _buttons(sending.buttons)


def _buttons(buttons: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(words, callback_data=answer) for words, answer in buttons]]
    )


def _reply(sending: Sending) -> ReplyParameters | None:
    if sending.reply_to is None:
        return None
    return ReplyParameters(sending.reply_to, allow_sending_without_reply=True)


@contextmanager
def _as_line_error() -> Iterator[None]:
    # Texts of these errors may have the token in them, so none is handed on.
    try:
        yield
    except RetryAfter:
        raise LineError(Fault.BUSY) from None
    except Conflict:
        raise LineError(Fault.CONFLICT) from None
    except InvalidToken:
        raise LineError(Fault.UNAUTHORISED) from None
    except Forbidden:
        raise LineError(Fault.REFUSED) from None
    except BadRequest as error:
        # An edit that changes nothing is refused, and nothing is wrong.
        if "not modified" in error.message.lower():
            return
        raise LineError(Fault.REFUSED) from None
    except NetworkError:
        raise LineError(Fault.NETWORK) from None
    except TelegramError:
        raise LineError(Fault.OTHER) from None
