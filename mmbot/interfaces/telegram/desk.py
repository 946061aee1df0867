"""Takes what people say: lets in whom it knows, once, in time, and not too often.

What reduces risk is done however late or often it was said, and whatever else is wrong.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial

from mmbot.domain.control import REDUCING, Role
from mmbot.domain.notices import Notice, Severity
from mmbot.interfaces.telegram.access import Flood, has_admin, role_of
from mmbot.interfaces.telegram.commanding import Commanding
from mmbot.interfaces.telegram.menu import MENU
from mmbot.interfaces.telegram.reading import REFRESH, Reading
from mmbot.interfaces.telegram.talk import Parts, Talk
from mmbot.interfaces.telegram.updates import Heard, Message, Press
from mmbot.interfaces.telegram.wishes import Written, written
from mmbot.interfaces.telegram.wording import plain

STRANGER = "telegram_stranger"
CONFLICT = "telegram_conflict"
NS_PER_S = 1_000_000_000
HOUR_NS = 3_600 * NS_PER_S
MOST_AT_ONCE = 32
# What reduces risk waits no longer than this for the disk.
REMEMBER_S = 0.25
_REDUCING = frozenset(name for name, item in MENU.items() if item.verb in REDUCING)
_ANSWERS = frozenset({"yes", "no"})


class Desk:
    """`take` returns at once; what is asked for is done in tasks of its own."""

    def __init__(self, parts: Parts, reading: Reading) -> None:
        self.commanding = Commanding(parts)
        self.reading = reading
        self.own_name = ""
        self.tasks: set[asyncio.Task[None]] = set()
        self._parts = parts
        self._flood = Flood()
        self._strangers = 0
        self._told_ns: int | None = None
        self._conflict = False

    def take(self, heard: Heard) -> None:
        """Take something in; strangers are counted, and never answered."""
        role = role_of(self._parts.params.chat, heard)
        if role is None:
            self._stranger(heard)
            return
        talk = Talk(self._parts.outlet, heard, role)
        if isinstance(heard, Press):
            self._spawn(talk, self._press(talk, heard))
            return
        given = written(heard.text, self.own_name)
        if given is None:
            self._spawn(talk, self._word(talk, heard))
        else:
            work = self._command(talk, heard, given)
            self._spawn(talk, work, spare=given.name in _REDUCING)

    def distrust(self) -> None:
        """Somebody else listens with our token: commands wait until it is seen to here."""
        self._conflict = True
        text = (
            "another program listens with this token: commands are off, but pause and cancelall,"
            " until this is acknowledged on the machine (mmbot ack)"
        )
        self._say(Severity.CRITICAL, CONFLICT, text)

    def _spawn(self, talk: Talk, work: Coroutine[None, None, None], *, spare: bool = False) -> None:
        if len(self.tasks) >= MOST_AT_ONCE and not spare:
            work.close()
            return
        task = asyncio.create_task(work, name="telegram command")
        self.tasks.add(task)
        task.add_done_callback(partial(self._ended, talk))

    def _ended(self, talk: Talk, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            text = f"a mistake of this program: {type(error).__name__}"
            self._say(Severity.WARNING, "telegram_failed", text)
            self._spawn(talk, self._answer(talk, text))

    def _stranger(self, heard: Heard) -> None:
        self._strangers += 1
        params, now_ns = self._parts.params.chat, self._parts.clock()
        asks = isinstance(heard, Message) and heard.private and heard.text.strip() == "/whoami"
        if asks and params.enabled and not has_admin(params):
            if self._flood.take(heard.user_id, now_ns, 2):
                talk = Talk(self._parts.outlet, heard, Role.VIEWER)
                self._spawn(talk, _who(talk))
            return
        if self._told_ns is None or now_ns - self._told_ns >= HOUR_NS:
            self._told_ns = now_ns
            many = f"{self._strangers} updates of strangers were not answered, the latest by"
            by = "a stranger was not answered:" if self._strangers == 1 else many
            text = f"{by} user {heard.user_id} in chat {heard.chat_id}"
            self._strangers = 0
            self._say(Severity.WARNING, STRANGER, text)

    async def _press(self, talk: Talk, press: Press) -> None:
        kind, _, rest = press.data.partition(":")
        user, _, market = rest.partition(":")
        if kind in _ANSWERS:
            if await self._may_change(talk, press.update_id):
                await self.commanding.press(talk, press)
        elif user != str(press.user_id):
            await talk.notice_press(press.query_id, "that button is somebody else's")
        elif kind == REFRESH:
            await talk.notice_press(press.query_id)
            await self.reading.refresh(talk, press.message_id, market)
        elif kind == "resume" and await self._may_change(talk, press.update_id):
            await talk.notice_press(press.query_id)
            await self.commanding.give(talk, Written("resume", market))

    async def _word(self, talk: Talk, message: Message) -> None:
        if not self.commanding.questions.waits_for((message.user_id, message.chat_id)):
            return
        age_s = self._parts.clock() / NS_PER_S - message.sent_s
        if age_s <= self._parts.params.chat.command_max_age_s and await self._may_change(
            talk, message.update_id
        ):
            await self.commanding.written(talk, message)

    async def _command(self, talk: Talk, message: Message, given: Written) -> None:
        params, now_ns = self._parts.params.chat, self._parts.clock()
        name = "help" if given.name == "start" else given.name
        item, reducing = MENU.get(name), name in _REDUCING
        if not reducing:
            if not self._flood.take(message.user_id, now_ns, params.commands_per_minute):
                return
            age_s = now_ns / NS_PER_S - message.sent_s
            if age_s > params.command_max_age_s:
                self._refuse(talk, given, f"sent {age_s:.0f} s ago")
                await self._answer(talk, f"/{name} was sent {age_s:.0f} s ago: not done")
                return
        if item is None:
            await self._answer(talk, f"/{name[:32]} is not known; /help lists what is")
        elif item.verb is None:
            await self._asked(talk, name, given)
        elif reducing:
            noting = asyncio.ensure_future(self._parts.remember(message.update_id))
            await asyncio.wait((noting,), timeout=REMEMBER_S)
            await self.commanding.give(talk, given)
        elif await self._may_change(talk, message.update_id):
            await self.commanding.give(talk, given)

    async def _asked(self, talk: Talk, name: str, given: Written) -> None:
        item = MENU[name]
        if talk.role < item.role:
            self._refuse(talk, given, "the role is too low")
            await self._answer(talk, f"/{name} needs the role {item.role.name.lower()}")
        elif name == "bundle":
            text = plain(self._parts.control.status(), "bundle? It holds two hours of the books")
            await self.commanding.ask(
                talk, text, "bundle", partial(self.reading.looking.bundle, talk)
            )
        else:
            await self.reading.answer(talk, name, given.rest)

    async def _may_change(self, talk: Talk, update_id: int) -> bool:
        """Whether something may be changed now: once only, and not by whoever has our token."""
        if self._conflict and not self._conflict_is_seen_to():
            await self._answer(talk, f"commands are off: see alert {CONFLICT}")
            return False
        if not await self._parts.remember(update_id):
            await self._answer(talk, "not done: the disk does not take notes, so it might repeat")
            return False
        return True

    def _conflict_is_seen_to(self) -> bool:
        for alert in self._parts.control.status().alerts:
            if alert.code == CONFLICT and alert.acked_by is not None:
                self._conflict = False
        return not self._conflict

    async def _answer(self, talk: Talk, text: str) -> None:
        await talk.say(plain(self._parts.control.status(), text))

    def _refuse(self, talk: Talk, given: Written, why: str) -> None:
        self._say(Severity.INFO, "telegram_refused", f"/{given.name} of {talk.who}: {why}")

    def _say(self, severity: Severity, code: str, text: str) -> None:
        self._parts.tell([Notice(self._parts.clock(), severity, code, None, text)])


async def _who(talk: Talk) -> None:
    await talk.say(f"your id is {talk.heard.user_id}")
