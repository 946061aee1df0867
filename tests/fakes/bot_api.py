"""A Bot API server on loopback: real updates in, messages out, and the ways it can be broken.

It keeps to what Telegram's reference says: long polling with confirmed offsets, one poller at a
time, HTML that must be well-formed, at most 4,096 letters, buttons of at most 64 bytes.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import count
from typing import Any

from aiohttp import web

TOKEN = "987654321:CANARY-sTrAnGe_Token-0123456789abcdef"
WAIT_S = 10.0
MOST_LETTERS = 4_096
_TAGS = frozenset({"b", "i", "u", "s", "code", "pre", "a"})
Reply = tuple[int, dict[str, Any] | bytes]


class Shown:
    """A message as people see it; `texts` has what stood there before, too."""

    def __init__(self, number: int, chat: int, fields: dict[str, Any]) -> None:
        self.number = number
        self.chat = chat
        self.fields = fields
        self.texts = [_letters(str(fields.get("text") or fields.get("caption") or ""))]
        self.buttons = _buttons(fields)
        self.at_s = time.monotonic()
        self.silent = str(fields.get("disable_notification", "")).lower() == "true"

    @property
    def text(self) -> str:
        """What stands there now, lines that were wrapped for a telephone in one piece."""
        return self.texts[-1].replace("\n  ", " ")


class People:
    """What people do: it waits as updates until the bot asks."""

    def __init__(self) -> None:
        self._numbers = count(100)
        self._updates = count(1_000)
        self._waiting: list[tuple[int, bytes]] = []
        self._some = asyncio.Condition()

    async def update(self, **fields: Any) -> int:
        """Deliver an update; returns its number."""
        number = next(self._updates)
        await self.raw(number, json.dumps({"update_id": number, **fields}).encode())
        return number

    def number(self) -> int:
        """Return the number of the next update."""
        return next(self._updates)

    def queue(self, number: int, text: bytes) -> None:
        """Have an update ready, byte by byte, for the next time somebody asks."""
        self._waiting.append((number, text))

    async def raw(self, number: int, text: bytes) -> None:
        """Deliver an update byte by byte."""
        async with self._some:
            self._waiting.append((number, text))
            self._some.notify_all()

    async def say(self, text: str, user: int, chat: int | None = None, **more: Any) -> int:
        """Have a person write something, in private unless a chat is named."""
        return await self.update(message=self.message(text, user, chat, **more))

    def message(self, text: str, user: int, chat: int | None = None, **more: Any) -> dict[str, Any]:
        """Return a message as Telegram tells it."""
        place = {"id": user, "type": "private"}
        if chat is not None and chat != user:
            place = {"id": chat, "type": "supergroup"}
        person = {"id": user, "is_bot": False, "first_name": "P", "username": f"u{user}"}
        command = text.split(maxsplit=1)[0] if text.startswith("/") else ""
        entities = [{"type": "bot_command", "offset": 0, "length": len(command)}] if command else []
        return {
            "message_id": next(self._numbers),
            "date": int(time.time()),
            "chat": place,
            "from": person,
            "text": text,
            "entities": entities,
            **more,
        }

    async def press(self, shown: Shown, words: str, user: int, **more: Any) -> int:
        """Have a person press the button that has these words on it."""
        (data,) = (data for label, data in shown.buttons if words in label)
        return await self.press_data(shown, data, user, **more)

    async def press_data(self, shown: Shown, data: str, user: int, **more: Any) -> int:
        """Have a person send what a button would, there or not."""
        place = {"id": shown.chat, "type": "private" if shown.chat > 0 else "supergroup"}
        query: dict[str, Any] = {
            "id": str(next(self._numbers)),
            "from": {"id": user, "is_bot": False, "first_name": "P"},
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": shown.number, "date": int(time.time()), "chat": place},
            **more,
        }
        return await self.update(callback_query=query)

    def waiting(self) -> list[tuple[int, bytes]]:
        """Return the updates that nobody has confirmed."""
        return list(self._waiting)

    async def read_up(self, within_s: float = WAIT_S) -> None:
        """Wait until every update was taken and confirmed."""
        async with asyncio.timeout(within_s):
            while self._waiting:  # noqa: ASYNC110 - what people wait for, too
                await asyncio.sleep(0.005)


@dataclass
class Faults:
    """What is wrong; counts are of requests that fail. `webhook`: updates go elsewhere."""

    token: str = TOKEN
    conflicts: int = 0
    floods: int = 0
    errors: int = 0
    delay_s: float = 0.0
    webhook: str = ""


class BotApi(People):
    """The server."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.messages: list[Shown] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.popups: list[str] = []
        self.bad: list[str] = []
        self.faults = Faults()
        self._methods: dict[str, Callable[[dict[str, Any]], Awaitable[Reply]]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "getWebhookInfo": self._webhook_info,
            "sendMessage": self._send,
            "sendPhoto": self._send,
            "sendDocument": self._send,
            "editMessageText": self._edit,
            "answerCallbackQuery": self._popup,
            "setMyCommands": self._fine,
        }

    @asynccontextmanager
    async def served(self) -> AsyncIterator["BotApi"]:
        """Listen on a free port."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def seen(
        self, words: str, after: int = 0, within_s: float = WAIT_S, chat: int | None = None
    ) -> Shown:
        """Wait for a message with these words, among those after the first so many."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for shown in self.messages[after:]:
                        if words in shown.text and chat in (None, shown.chat):
                            return shown
                    await asyncio.sleep(0.005)
        except TimeoutError:
            told = [shown.texts for shown in self.messages[after:]]
            raise AssertionError(f"nobody said {words!r}, but {told}") from None

    async def _serve(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        fields = {name: _plain(value) for name, value in (await request.post()).items()}
        self.calls.append((method, fields))
        if self.faults.delay_s:
            await asyncio.sleep(self.faults.delay_s)
        status, body = await self._answer(request.match_info["token"], method, fields)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=content, status=status, content_type="application/json")

    async def _answer(self, token: str, method: str, fields: dict[str, Any]) -> Reply:
        if token != self.faults.token:
            return _no(401, "Unauthorized")
        if self.faults.errors > 0:
            self.faults.errors -= 1
            return _no(502, "Bad Gateway")
        if self.faults.conflicts > 0 and method == "getUpdates":
            self.faults.conflicts -= 1
            return _no(409, "Conflict: terminated by other getUpdates request")
        if self.faults.floods > 0 and method.startswith(("send", "edit")):
            self.faults.floods -= 1
            return 429, {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1},
            }
        if method not in self._methods:
            return _no(404, "Not Found")
        return await self._methods[method](fields)

    async def _get_me(self, _fields: dict[str, Any]) -> Reply:
        return _yes({"id": 1, "is_bot": True, "first_name": "mm", "username": "mm_bot"})

    async def _webhook_info(self, _fields: dict[str, Any]) -> Reply:
        return _yes(
            {"url": self.faults.webhook, "has_custom_certificate": False, "pending_update_count": 0}
        )

    async def _get_updates(self, fields: dict[str, Any]) -> Reply:
        offset = int(fields.get("offset", 0))
        wait_s = min(float(fields.get("timeout", 0)), 2.0)
        async with self._some:
            self._waiting = [each for each in self._waiting if each[0] >= offset]
            try:
                async with asyncio.timeout(wait_s):
                    while not self._waiting:
                        await self._some.wait()
            except TimeoutError:
                return _yes([])
            batch = self._waiting[: int(fields.get("limit", 100))]
        # As they are: not everything that arrives is well-formed.
        return 200, b'{"ok": true, "result": [' + b",".join(text for _, text in batch) + b"]}"

    async def _send(self, fields: dict[str, Any]) -> Reply:
        text = str(fields.get("text") or fields.get("caption") or "")
        wrong = _wrong(text, fields)
        if wrong:
            self.bad.append(f"{wrong}: {text[:200]}")
            return _no(400, f"Bad Request: {wrong}")
        shown = Shown(next(self._numbers), int(fields["chat_id"]), fields)
        self.messages.append(shown)
        return _yes(self._told(shown))

    async def _edit(self, fields: dict[str, Any]) -> Reply:
        text = str(fields.get("text", ""))
        wrong = _wrong(text, fields)
        if wrong:
            self.bad.append(f"{wrong}: {text[:200]}")
            return _no(400, f"Bad Request: {wrong}")
        for shown in self.messages:
            if (shown.number, shown.chat) == (int(fields["message_id"]), int(fields["chat_id"])):
                buttons = _buttons(fields)
                if (_letters(text), buttons) == (shown.texts[-1], shown.buttons):
                    return _no(400, "Bad Request: message is not modified")
                shown.texts.append(_letters(text))
                shown.buttons = buttons
                return _yes(self._told(shown))
        return _no(400, "Bad Request: message to edit not found")

    async def _popup(self, fields: dict[str, Any]) -> Reply:
        self.popups.append(str(fields.get("text", "")))
        return _yes(True)

    async def _fine(self, _fields: dict[str, Any]) -> Reply:
        return _yes(True)

    def _told(self, shown: Shown) -> dict[str, Any]:
        kind = "private" if shown.chat > 0 else "supergroup"
        return {
            "message_id": shown.number,
            "date": int(time.time()),
            "chat": {"id": shown.chat, "type": kind},
            "text": shown.text,
        }


def _yes(result: Any) -> Reply:
    return 200, {"ok": True, "result": result}


def _no(code: int, description: str) -> Reply:
    return code, {"ok": False, "error_code": code, "description": description}


def _plain(value: Any) -> Any:
    return value.file.read() if isinstance(value, web.FileField) else value


def _buttons(fields: dict[str, Any]) -> list[tuple[str, str]]:
    markup = json.loads(fields.get("reply_markup") or "{}")
    return [
        (button["text"], button["callback_data"])
        for row in markup.get("inline_keyboard", [])
        for button in row
    ]


def _wrong(text: str, fields: dict[str, Any]) -> str:
    if not text and not any(isinstance(value, bytes) for value in fields.values()):
        return "message text is empty"
    if any(len(data.encode()) > 64 for _, data in _buttons(fields)):
        return "BUTTON_DATA_INVALID"
    reading = _Reading()
    reading.feed(text)
    reading.close()
    if reading.open or reading.wrong:
        return "can't parse entities"
    if len(reading.letters) > MOST_LETTERS:
        return "message is too long"
    return ""


def _letters(text: str) -> str:
    reading = _Reading()
    reading.feed(text)
    reading.close()
    return reading.letters


class _Reading(HTMLParser):
    """HTML as Telegram takes it: a few tags, every one closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong = False
        self.letters = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.wrong |= tag not in _TAGS
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.wrong |= not self.open or self.open.pop() != tag

    def handle_data(self, data: str) -> None:
        self.letters += data
