"""BotControl: the one way to command a running bot. Every command is judged, done and audited.

Whatever its face, a command comes in by `submit`; see ports.Control.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from mmbot.domain.control import SIGNAL_FACE, Answer, OperatorCommand, Result, Verb
from mmbot.domain.explained import Explanation
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.engine.explaining import explain
from mmbot.engine.view import standing
from mmbot.ports import Subscription
from mmbot.runtime.audit import Audited, audited, without_secrets
from mmbot.runtime.commands import Commands, Doing
from mmbot.runtime.watching import Watching

LOOK_EVERY_S = 1.0
# Of those that a command has changed, so many are told.
MOST_CHANGES = 5
SETTINGS = frozenset({Verb.RELOAD, Verb.SET, Verb.UNSET})


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlParts:
    """What a control stands on. Both return at once: `audit` writes a row down, at a time (ns),
    `tell` has people told.
    """

    doing: Doing
    watching: Watching
    audit: Callable[[Audited, int], None]
    tell: Callable[[Sequence[Notice]], None]


class BotControl:
    """See ports.Control."""

    def __init__(self, parts: ControlParts) -> None:
        self.watching = parts.watching
        self.markets = parts.watching.markets
        self._works = parts.doing.live.works
        self._settings = parts.doing.settings
        self._audit = parts.audit
        self._tell = parts.tell
        self._commands = Commands(parts.doing)
        self._soon: asyncio.Queue[OperatorCommand] = asyncio.Queue()

    async def submit(self, command: OperatorCommand) -> Answer:
        """See Control."""
        command = without_secrets(command)
        before = self._stand()
        reloads = command.verb is Verb.RELOAD and not command.dry_run
        if reloads:
            self._works.heart.reloading(begins=True)
        answer = await self._commands.do(command)
        if reloads:
            self._works.heart.reloading(begins=False)
        answer = replace(answer, before=before, after=self._stand())
        self._audit(audited(command, answer), self._works.clock())
        self.watching.meters.happened.commanded(command, answer)
        if command.verb in SETTINGS and not command.dry_run:
            self._tell_of(command, answer)
        return answer

    def _tell_of(self, command: OperatorCommand, answer: Answer) -> None:
        """Tell what has changed; a refusal only when nobody waits for the answer."""
        text = f"{answer.message} ({command.who})"
        if answer.result is Result.OK:
            changes = "".join(f"\n{each}" for each in answer.changes[:MOST_CHANGES])
            more = len(answer.changes) - MOST_CHANGES
            changes += f"\nand {more} more" if more > 0 else ""
            self._say(Severity.INFO, f"{command.verb}", text + changes)
        elif command.who.face == SIGNAL_FACE:
            self._say(Severity.WARNING, f"{command.verb}_refused", text)

    def soon(self, command: OperatorCommand) -> None:
        """Have a command done without waiting for its answer: from where nobody can wait."""
        self._soon.put_nowait(command)

    async def run(self) -> None:
        """Do what was asked for by `soon`, and end overrides in time, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    command = await self._soon.get()
            except TimeoutError:
                for each in await self._settings.expire(self._works.clock()):
                    self._say(Severity.INFO, "override_ended", f"{each.key} is {each.old} again")
            else:
                await self.submit(command)

    def status(self) -> StatusView:
        """See Control."""
        return self.watching.view()

    def explain(self, market: str | None = None) -> tuple[Explanation, ...]:
        """See Control."""
        return tuple(
            explain(self._works.engine, each.index, self._works.clock())
            for each in self.markets
            if market in (None, each.symbol)
        )

    def subscribe(self, most: int = 1000) -> Subscription:
        """See Control."""
        return self.watching.telling.subscribe(most)

    def delivered(self, severity: Severity, channel: str, *, taken: bool) -> None:
        """See Control."""
        self.watching.meters.happened.alerted(severity, channel, taken=taken)

    def _say(self, severity: Severity, code: str, text: str) -> None:
        self._tell([Notice(self._works.clock(), severity, code, None, text)])

    def _stand(self) -> str:
        mode, reasons = standing(self._works.engine)
        return f"{mode} ({'; '.join(reasons)})" if reasons else str(mode)
