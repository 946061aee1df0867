"""Questions asked back: single use, for one person in one place, for a while. Pure.

A question is about the state it was asked in; when that has changed it is asked again.
"""

import secrets
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from msgspec import Struct

from mmbot.domain.status import Mode, StatusView

MOST_OPEN = 100
NS_PER_S = 1_000_000_000
# What a yes has to know of; hindrances come and go by themselves.
_MARKED = frozenset({Mode.PAUSED, Mode.DRAINING, Mode.HALTED, Mode.EXIT})

Act = Callable[[], Awaitable[None]]
State = tuple[object, ...]


class Question(Struct):
    """Something to be confirmed. `act` does it, `again` asks once more.

    typed: the word that has to be written for a yes, instead of a button. message_id: of the
    message with the question, None as long as it is being sent.
    """

    user_id: int
    chat_id: int
    thread_id: int | None
    text: str
    act: Act
    again: Act
    typed: str = ""
    state: State = ()
    until_ns: int = 0
    token: str = ""
    message_id: int | None = None


class Verdict(Enum):
    """What a press means."""

    YES = auto()
    NO = auto()
    GONE = auto()
    NOT_YOURS = auto()
    CHANGED = auto()


def state_of(view: StatusView) -> State:
    """Return what a confirmation depends on: stops, and settings in force."""
    return (
        view.mode if view.mode in _MARKED else None,
        tuple((each.key, each.value) for each in view.overrides),
    )


class Questions:
    """Those that are open."""

    def __init__(self) -> None:
        self._open: dict[str, Question] = {}

    def ask(self, question: Question, state: State, until_ns: int) -> Question:
        """Open a question; it gets a token nobody can guess."""
        question.token = secrets.token_hex(8)
        question.state, question.until_ns = state, until_ns
        self._open[question.token] = question
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return question

    def press(
        self, data: str, who: tuple[int, int, int], state: State, now_ns: int
    ) -> tuple[Verdict, Question | None]:
        """Judge a press; `who` is the user, the chat and the message that was pressed on."""
        answer, _, token = data.partition(":")
        question = self._open.get(token)
        if question is None or question.typed or answer not in ("yes", "no"):
            return Verdict.GONE, None
        if who != (question.user_id, question.chat_id, question.message_id):
            return Verdict.NOT_YOURS, None
        if now_ns >= question.until_ns:
            # Stays open until it is cleaned up by `over`.
            return Verdict.GONE, None
        del self._open[token]
        if answer == "no":
            return Verdict.NO, question
        return (Verdict.YES if state == question.state else Verdict.CHANGED), question

    def written(
        self, text: str, who: tuple[int, int], state: State, now_ns: int
    ) -> tuple[Verdict, Question | None]:
        """Judge a message that may be the word a question waits for."""
        for token, question in list(self._open.items()):
            if not question.typed or who != (question.user_id, question.chat_id):
                continue
            if now_ns >= question.until_ns:
                continue
            del self._open[token]
            if text.strip() != question.typed:
                return Verdict.NO, question
            return (Verdict.YES if state == question.state else Verdict.CHANGED), question
        return Verdict.GONE, None

    def waits_for(self, who: tuple[int, int]) -> bool:
        """Whether a word of this user in this chat is waited for."""
        return any(
            each.typed and who == (each.user_id, each.chat_id) for each in self._open.values()
        )

    def over(self, now_ns: int) -> list[Question]:
        """Return those whose time is over; they are open no more."""
        found = [each for each in self._open.values() if now_ns >= each.until_ns]
        for each in found:
            del self._open[each.token]
        return found
