"""Both ends of the line: messages, edits and files leave, updates come, and it may be broken."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from mmbot.errors import MmbotError
from mmbot.interfaces.telegram.updates import Heard


class Fault(StrEnum):
    """What kind of thing went wrong; texts of the other side may hold the token."""

    BUSY = "too many requests"
    CONFLICT = "another program listens with this token"
    UNAUTHORISED = "the token is refused"
    REFUSED = "the request is refused"
    NETWORK = "Telegram is not reached"
    OTHER = "an answer that is not understood"


class LineError(MmbotError):
    """Something was not sent, or nobody knows whether it was."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault

    @property
    def passing(self) -> bool:
        """Whether the same may succeed a little later."""
        return self.fault in (Fault.BUSY, Fault.NETWORK, Fault.OTHER)


class Sending(Struct, frozen=True):
    """A message: its text as HTML, what hangs on it. `file` is a name and its content.

    typed: an answer in writing is waited for. keyboard: rows of what is often said.
    """

    chat_id: int
    text: str
    thread_id: int | None = None
    silent: bool = False
    buttons: tuple[tuple[str, str], ...] = ()
    keyboard: tuple[tuple[str, ...], ...] = ()
    typed: bool = False
    reply_to: int | None = None
    file: tuple[str, bytes] | None = None


class Outlet(Protocol):
    """Where messages go; all raise LineError."""

    async def send(self, sending: Sending) -> int:
        """Send a message; returns its number in the chat."""
        ...

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Put another text in the place of a message's, and these buttons only."""
        ...

    async def pressed(self, query_id: str, text: str = "") -> None:
        """Answer a press, with a passing remark if there is one."""
        ...


class Heeded(NamedTuple):
    """An update: its number, and what a person has said, if anybody has."""

    number: int
    heard: Heard | None


class Inlet(Protocol):
    """Where people are heard; all raise LineError."""

    async def open(self) -> str:
        """Ask who we are; returns the name of the bot."""
        ...

    async def hook(self) -> str:
        """Return the address that somebody has the updates sent to, empty for nobody."""
        ...

    async def listen(self, after: int | None) -> list[Heeded]:
        """Wait for updates after a number and return them in order; none after a while."""
        ...

    async def offer(self, chat_id: int, commands: Sequence[tuple[str, str]]) -> None:
        """Show these commands in the menu of a chat."""
        ...
