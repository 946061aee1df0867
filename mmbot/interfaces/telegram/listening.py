"""Listens for updates, through outages, and says when nobody can be heard."""

import asyncio

from mmbot.domain.notices import Notice, Severity
from mmbot.interfaces.telegram.desk import Desk
from mmbot.interfaces.telegram.memory import Memory
from mmbot.interfaces.telegram.menu import allowed
from mmbot.interfaces.telegram.outlet import Fault, Inlet, LineError
from mmbot.interfaces.telegram.params import ROLES
from mmbot.interfaces.telegram.talk import Parts

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
# A token that is refused is good again after a restart at the earliest.
UNAUTHORISED_WAIT_S = 300.0
# A server that answers at once, and with nothing, is not asked as fast as it answers.
IDLE_S = 0.05
DOWN, REFUSED, HOOK = "telegram_down", "telegram_refuses", "telegram_hook"


class Listening:
    """Brings updates to a desk, each once."""

    def __init__(self, inlet: Inlet, desk: Desk, memory: Memory, parts: Parts) -> None:
        self._inlet = inlet
        self._desk = desk
        self._memory = memory
        self._parts = parts
        self._open = False
        self._down: str | None = None
        self._in_conflict = False

    async def run(self) -> None:
        """Listen until cancelled."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                await self._hear()
            except LineError as error:
                self._troubled(error.fault)
                await asyncio.sleep(
                    UNAUTHORISED_WAIT_S if error.fault is Fault.UNAUTHORISED else wait_s
                )
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            else:
                wait_s = FIRST_WAIT_S
                self._well()

    async def _hear(self) -> None:
        if not self._open:
            self._desk.own_name = await self._inlet.open()
            await self._look_for_a_hook()
            await self._offer()
            self._open = True
        found = await self._inlet.listen(self._memory.after())
        new = [each for each in found if self._memory.take(each.number)]
        for each in new:
            if each.heard is not None:
                self._desk.take(each.heard)
        if not new:
            await asyncio.sleep(IDLE_S)

    async def _look_for_a_hook(self) -> None:
        try:
            url = await self._inlet.hook()
        except LineError:
            return
        if url:
            text = "somebody has the updates of this bot sent elsewhere: was its token stolen?"
            self._say(Severity.CRITICAL, HOOK, text)

    async def _offer(self) -> None:
        for chat in self._parts.params.chat.chats:
            role = ROLES[chat.role]
            menu = [(name, item.words) for name, item in allowed(role).items()]
            try:
                await self._inlet.offer(chat.id, menu)
            except LineError:
                # A menu is no more than a convenience.
                continue

    def _troubled(self, fault: Fault) -> None:
        if fault is Fault.CONFLICT:
            if not self._in_conflict:
                self._in_conflict = True
                self._desk.distrust()
            return
        code = REFUSED if fault is Fault.UNAUTHORISED else DOWN
        if self._down != code:
            self._down = code
            self._say(Severity.WARNING, code, f"{fault}; trading goes on")

    def _well(self) -> None:
        self._in_conflict = False
        if self._down is not None:
            self._say(Severity.INFO, f"{self._down}_over", "Telegram is reached again")
            self._down = None

    def _say(self, severity: Severity, code: str, text: str) -> None:
        self._parts.tell([Notice(self._parts.clock(), severity, code, None, text)])
