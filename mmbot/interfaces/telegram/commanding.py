"""Commands given in the chat: asked back about where they add risk, done by the one control."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from msgspec.structs import replace

from mmbot.domain.control import DEFAULT_FOR_S, NEEDS, REDUCING, OperatorCommand, Result, Verb
from mmbot.domain.status import StatusView
from mmbot.errors import UsageError
from mmbot.interfaces.answer_text import answer_lines
from mmbot.interfaces.telegram.params import ConfirmParams
from mmbot.interfaces.telegram.questions import NS_PER_S, Question, Questions, Verdict, state_of
from mmbot.interfaces.telegram.talk import Buttons, Parts, Talk
from mmbot.interfaces.telegram.updates import Message, Press
from mmbot.interfaces.telegram.wishes import Written, persisted, wish_of
from mmbot.interfaces.telegram.wording import cost_lines, head, plain, safe, table

NS_PER_MIN = 60 * NS_PER_S
_ASKED_BY_KEY: dict[Verb, Callable[[ConfirmParams], bool]] = {
    Verb.RESUME: lambda confirm: confirm.resume,
    Verb.SET: lambda confirm: confirm.set,
    Verb.FLATTEN: lambda confirm: confirm.flatten,
    Verb.STOP: lambda confirm: confirm.stop,
    Verb.CANCEL_ALL: lambda confirm: confirm.cancelall,
}
_ASKED_ALWAYS = frozenset({Verb.UNSET, Verb.RELOAD, Verb.RESET_HALT, Verb.RESET_PNL})
# What would change is looked at before anybody is asked.
_SHOWN_FIRST = frozenset({Verb.SET, Verb.UNSET, Verb.RELOAD})
_OF_MARKETS = frozenset({Verb.RESUME, Verb.FLATTEN, Verb.CANCEL_ALL})
_SAID = {
    Verdict.NO: "nothing was done",
    Verdict.GONE: "that question is over",
    Verdict.NOT_YOURS: "that was asked of somebody else",
}


class Commanding:
    """Has commands done."""

    def __init__(self, parts: Parts) -> None:
        self.questions = Questions()
        self._parts = parts

    async def give(self, talk: Talk, given: Written) -> None:
        """Do what was written, or ask back."""
        heard = talk.heard
        issued_ns = heard.sent_s * NS_PER_S if isinstance(heard, Message) else self._parts.clock()
        symbols = [each.symbol for each in self._parts.control.markets]
        kept = persisted(given)
        try:
            command = wish_of(kept or given, talk.who, issued_ns, symbols)
        except UsageError as error:
            await talk.say(plain(self._parts.control.status(), str(error)))
            return
        await self._wished(talk, command, persist=kept is not None)

    async def ask(
        self, talk: Talk, text: str, yes: str, act: Callable[[], Awaitable[None]]
    ) -> None:
        """Ask back with a button for yes, which says what it does, and one for no."""
        question = self._opened(talk, text, act, partial(self.ask, talk, text, yes, act))
        buttons = ((f"Yes, {yes}", f"yes:{question.token}"), ("No", f"no:{question.token}"))
        question.message_id = await talk.say(text, buttons)

    async def press(self, talk: Talk, press: Press) -> None:
        """Take a yes or a no."""
        who = (press.user_id, press.chat_id, press.message_id)
        state = state_of(self._parts.control.status())
        verdict, question = self.questions.press(press.data, who, state, self._parts.clock())
        await self._judged(talk, verdict, question, press.query_id)

    async def written(self, talk: Talk, message: Message) -> None:
        """Take what may be the word that a question waits for."""
        who = (message.user_id, message.chat_id)
        state = state_of(self._parts.control.status())
        verdict, question = self.questions.written(message.text, who, state, self._parts.clock())
        if question is not None:
            await self._judged(talk, verdict, question, None)

    async def clean_up(self) -> None:
        """Take the buttons from questions whose time is over."""
        for question in self.questions.over(self._parts.clock()):
            if question.message_id is not None:
                await self._closed(question, "time is over, nothing was done")

    async def _judged(
        self, talk: Talk, verdict: Verdict, question: Question | None, query_id: str | None
    ) -> None:
        if query_id is not None:
            await talk.notice_press(query_id, _SAID.get(verdict, ""))
        if question is None:
            return
        if verdict is Verdict.YES:
            await self._closed(question, "yes")
            await question.act()
        elif verdict is Verdict.CHANGED:
            await self._closed(question, "things have changed since: asked again")
            await question.again()
        else:
            await self._closed(question, _SAID[Verdict.NO])

    async def _closed(self, question: Question, remark: str) -> None:
        talk = Talk(self._parts.outlet, _place_of(question), NEEDS[Verb.STOP])
        await talk.correct(question.message_id, f"{question.text}\n<i>{safe(remark)}</i>")

    async def _wished(self, talk: Talk, command: OperatorCommand, *, persist: bool = False) -> None:
        verb = command.verb
        # Who may not is refused by the control, which writes that down.
        may = talk.role >= NEEDS[verb]
        if not may or not self._is_asked(verb):
            await self._done(talk, command, persist=persist)
            return
        view = self._parts.control.status()
        lines = [f"{verb} {command.market or command.key or ''}".rstrip() + "?"]
        lines += [f"reason: {command.reason}"] if command.reason else []
        if verb in _SHOWN_FIRST:
            shown = await self._parts.control.submit(replace(command, dry_run=True))
            lines = answer_lines(shown)
            if verb is Verb.SET and shown.result is Result.OK:
                lines[0] += " for good, in the file" if persist else f" for {_lasting(command)}"
            if shown.result is not Result.OK or (verb is Verb.RELOAD and not shown.changes):
                await talk.say(table(view, lines))
                return
        elif verb is Verb.FLATTEN:
            lines += cost_lines(view, command.market, self._parts.fees.taker_ppm)
        elif verb is Verb.RESUME:
            lines += [*view.reasons, *_stopped(view, command.market)]
            unseen = [each for each in view.alerts if each.acked_by is None]
            lines += [f"alert {each.id} {each.code}: {each.text}" for each in unseen]
        act = partial(self._done, talk, command, persist=persist)
        if verb is Verb.STOP:
            await self._asked_in_writing(talk, view.instance, act)
        else:
            everything = "all markets" if verb in _OF_MARKETS else ""
            yes = f"{verb} {command.market or command.key or everything}".rstrip()
            await self.ask(talk, table(view, lines), yes if len(yes) <= 50 else str(verb), act)

    def _is_asked(self, verb: Verb) -> bool:
        by_key = _ASKED_BY_KEY.get(verb)
        return verb in _ASKED_ALWAYS if by_key is None else by_key(self._parts.params.chat.confirm)

    async def _asked_in_writing(
        self, talk: Talk, name: str, act: Callable[[], Awaitable[None]]
    ) -> None:
        text = plain(self._parts.control.status(), f"to end the run answer with its name: {name}")
        question = self._opened(talk, text, act, partial(self._asked_in_writing, talk, name, act))
        question.typed = name
        question.message_id = await talk.say(text, typed=True)

    def _opened(
        self,
        talk: Talk,
        text: str,
        act: Callable[[], Awaitable[None]],
        again: Callable[[], Awaitable[None]],
    ) -> Question:
        heard = talk.heard
        question = Question(heard.user_id, heard.chat_id, talk.thread_id, text, act, again)
        until_ns = self._parts.clock() + round(self._parts.params.chat.confirm_timeout_s * NS_PER_S)
        return self.questions.ask(question, state_of(self._parts.control.status()), until_ns)

    async def _done(self, talk: Talk, command: OperatorCommand, *, persist: bool) -> None:
        control = self._parts.control
        view = control.status()
        late = _late(self._parts.clock() - command.issued_ns) if command.verb in REDUCING else ""
        if command.verb is Verb.CANCEL_ALL and talk.role >= NEEDS[Verb.CANCEL_ALL]:
            await self._cancelled(talk, command, late)
            return
        books = self._parts.books
        answer = await (books.persist(command) if persist else control.submit(command))
        buttons: Buttons = ()
        if command.verb is Verb.PAUSE and answer.result is Result.OK:
            buttons = (_resume_button(talk, command.market),)
        lines = answer_lines(answer)
        text = f"{head(view)} {safe(chr(10).join(lines) + late)}"
        await talk.say(text, buttons)

    async def _cancelled(self, talk: Talk, command: OperatorCommand, late: str) -> None:
        """Cancel first, talk then: two edits of one message."""
        control = self._parts.control
        view = control.status()
        done = asyncio.ensure_future(control.submit(command))
        await asyncio.sleep(0)
        number = await talk.say(plain(view, f"cancelling {view.orders} ..."))
        answer = await done
        lines = answer_lines(answer)
        text = f"{head(view)} {safe(chr(10).join(lines) + late)}"
        await talk.correct(number, text, (_resume_button(talk, command.market),))


def _resume_button(talk: Talk, market: str | None) -> tuple[str, str]:
    return ("Resume", f"resume:{talk.heard.user_id}:{market or ''}")


def _stopped(view: StatusView, market: str | None) -> list[str]:
    """Return why markets that would be quoted again are not."""
    chosen = [each for each in view.markets if market in (None, each.symbol)]
    return [
        f"{each.symbol}: {each.reason}"
        for each in chosen
        if each.reason is not None and each.reason not in view.reasons
    ]


def _lasting(command: OperatorCommand) -> str:
    seconds = round(DEFAULT_FOR_S if command.for_s is None else command.for_s)
    return f"{seconds} s" if seconds % 60 else f"{seconds // 60} min"


def _late(age_ns: int) -> str:
    if age_ns < 10 * NS_PER_S:
        return ""
    minutes = age_ns // NS_PER_MIN
    ago = f"{minutes} min" if minutes else f"{age_ns // NS_PER_S} s"
    return f"\nsent {ago} ago, done now"


def _place_of(question: Question) -> Message:
    return Message(
        0,
        question.chat_id,
        question.chat_id > 0,
        question.user_id,
        0,
        question.message_id or 0,
        question.thread_id,
        "",
    )
