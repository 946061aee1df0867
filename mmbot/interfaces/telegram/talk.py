"""One exchange of words: who spoke where, and answers that go back there; a lost one is counted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mmbot.domain.control import Role, Who
from mmbot.domain.notices import Notice
from mmbot.interfaces.telegram.books import Books
from mmbot.interfaces.telegram.outlet import LineError, Outlet, Sending
from mmbot.interfaces.telegram.params import AlertParams, TelegramParams
from mmbot.interfaces.telegram.updates import Heard, Message
from mmbot.ports import Control

FACE = "telegram"
Buttons = tuple[tuple[str, str], ...]


class InForce:
    """Settings as they are in force; `follow` takes on others."""

    def __init__(self, chat: TelegramParams, alerts: AlertParams) -> None:
        self.chat = chat
        self.alerts = alerts

    def follow(self, chat: TelegramParams, alerts: AlertParams) -> None:
        """Go by these from now on."""
        self.chat, self.alerts = chat, alerts


class Fees(NamedTuple):
    """What a trade costs, millionths of its worth; None where nobody knows."""

    maker_ppm: int | None = None
    taker_ppm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the chat stands on.

    clock: Unix nanoseconds. tell: has notices told to everybody and written down. remember: has the
    number of an update on the disk before anything comes of it; False when it is not there.
    """

    control: Control
    outlet: Outlet
    params: InForce
    clock: Callable[[], int]
    tell: Callable[[Sequence[Notice]], None]
    remember: Callable[[int], Awaitable[bool]]
    fees: Fees
    books: Books


class Talk:
    """Answers to one who has spoken."""

    def __init__(self, outlet: Outlet, heard: Heard, role: Role) -> None:
        self.heard = heard
        self.role = role
        self.lost = 0
        self._outlet = outlet

    @property
    def who(self) -> Who:
        """The speaker by id; names can be had by anybody."""
        heard = self.heard
        place = "" if heard.private else f"@{heard.chat_id}"
        return Who(FACE, f"{heard.user_id}{place}", self.role)

    @property
    def thread_id(self) -> int | None:
        """The topic that was spoken in."""
        return self.heard.thread_id if isinstance(self.heard, Message) else None

    async def say(
        self,
        text: str,
        buttons: Buttons = (),
        *,
        keyboard: tuple[tuple[str, ...], ...] = (),
        typed: bool = False,
        file: tuple[str, bytes] | None = None,
    ) -> int | None:
        """Answer; returns the number of the message, None when it was not sent."""
        heard = self.heard
        sending = Sending(
            heard.chat_id,
            text,
            thread_id=self.thread_id,
            buttons=buttons,
            keyboard=keyboard,
            typed=typed,
            file=file,
            reply_to=heard.message_id if isinstance(heard, Message) and not heard.private else None,
        )
        try:
            return await self._outlet.send(sending)
        except LineError:
            self.lost += 1
            return None

    async def correct(self, message_id: int | None, text: str, buttons: Buttons = ()) -> None:
        """Put a text in the place of an earlier one, or send it where there is none."""
        if message_id is not None:
            try:
                await self._outlet.edit(self.heard.chat_id, message_id, text, buttons)
                return
            except LineError as error:
                if error.passing:
                    self.lost += 1
        await self.say(text, buttons)

    async def notice_press(self, query_id: str, text: str = "") -> None:
        """Let the button of the one who pressed come up again."""
        try:
            await self._outlet.pressed(query_id, text)
        except LineError:
            self.lost += 1
