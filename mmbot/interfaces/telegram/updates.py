"""What of an update is looked at: new plain messages and presses of buttons, by people. Pure.

Everything else (edits, forwards, channels, anonymous admins, bots, what is no update at all) is
nothing to us: it has a number at most, which is acknowledged.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

MOST_TEXT = 4_096
MOST_DATA = 64
_Number = Annotated[int, Meta(ge=0, lt=1 << 53)]
_UserId = Annotated[int, Meta(ge=1, lt=1 << 53)]
_ChatId = Annotated[int, Meta(gt=-(1 << 53), lt=1 << 53)]
_Date = Annotated[int, Meta(ge=0, lt=1 << 33)]
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOTHING = Raw()


class Message(Struct, frozen=True):
    """Somebody wrote something; `sent_s` is Telegram's time, Unix seconds."""

    update_id: int
    chat_id: int
    private: bool
    user_id: int
    sent_s: int
    message_id: int
    thread_id: int | None
    text: str


class Press(Struct, frozen=True):
    """Somebody pressed a button of a message of ours."""

    update_id: int
    query_id: str
    chat_id: int
    private: bool
    user_id: int
    message_id: int
    data: str


Heard = Message | Press


class _Person(Struct):
    id: _UserId
    is_bot: bool = False


class _Chat(Struct):
    id: _ChatId
    type: str


class _Message(Struct, rename={"from_": "from"}):
    message_id: _Number
    date: _Date
    chat: _Chat
    from_: _Person
    text: Annotated[str, Meta(max_length=MOST_TEXT)]
    message_thread_id: _Number | None = None
    sender_chat: Raw = _NOTHING
    forward_origin: Raw = _NOTHING
    forward_from: Raw = _NOTHING
    forward_from_chat: Raw = _NOTHING
    forward_sender_name: Raw = _NOTHING
    forward_date: Raw = _NOTHING
    is_automatic_forward: Raw = _NOTHING
    via_bot: Raw = _NOTHING
    edit_date: Raw = _NOTHING

    @property
    def plain(self) -> bool:
        """Written by the one who sends it, here and now."""
        marks = (
            self.sender_chat,
            self.forward_origin,
            self.forward_from,
            self.forward_from_chat,
            self.forward_sender_name,
            self.forward_date,
            self.is_automatic_forward,
            self.via_bot,
            self.edit_date,
        )
        return not any(map(bytes, marks))


class _Place(Struct):
    message_id: _Number
    chat: _Chat


class _Press(Struct, rename={"from_": "from"}):
    id: Annotated[str, Meta(max_length=MOST_DATA)]
    from_: _Person
    message: _Place
    data: Annotated[str, Meta(max_length=MOST_DATA)]


class _Update(Struct):
    message: _Message | None = None
    callback_query: _Press | None = None


class _Numbered(Struct):
    update_id: _Number


class _Answer(Struct):
    ok: bool
    result: list[Raw]


def split(payload: bytes) -> list[tuple[int, bytes]] | None:
    """Return the updates of an answer by number, each as it came; None when it is no such answer.

    What has no number is left out: nobody could acknowledge it.
    """
    try:
        raws = msgspec.json.decode(payload, type=_Answer).result
    except _UNREADABLE:
        return None
    found = []
    for raw in raws:
        try:
            found.append((msgspec.json.decode(raw, type=_Numbered).update_id, bytes(raw)))
        except _UNREADABLE:
            continue
    return found


def read(update_id: int, raw: bytes) -> Heard | None:
    """Return what a person has said, None for everything else."""
    try:
        update = msgspec.json.decode(raw, type=_Update)
    except _UNREADABLE:
        return None
    message, press = update.message, update.callback_query
    if message is not None and press is None:
        return _message(update_id, message)
    if press is not None and message is None:
        return _press(update_id, press)
    return None


def _message(update_id: int, found: _Message) -> Message | None:
    chat, person = found.chat, found.from_
    if person.is_bot or not found.plain or not _is_a_conversation(chat, person):
        return None
    return Message(
        update_id,
        chat.id,
        chat.type == "private",
        person.id,
        found.date,
        found.message_id,
        found.message_thread_id,
        found.text,
    )


def _press(update_id: int, found: _Press) -> Press | None:
    chat, person = found.message.chat, found.from_
    if person.is_bot or not _is_a_conversation(chat, person):
        return None
    return Press(
        update_id,
        found.id,
        chat.id,
        chat.type == "private",
        person.id,
        found.message.message_id,
        found.data,
    )


def _is_a_conversation(chat: _Chat, person: _Person) -> bool:
    """A private chat is that of the one who speaks; in a channel nobody does."""
    if chat.type == "private":
        return chat.id == person.id
    return chat.type in ("group", "supergroup") and chat.id < 0
