"""Commands: who may give one, whether it makes sense now, and who does it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from mmbot.domain.alerts import Alerts
from mmbot.domain.control import (
    LOCAL_FACES,
    NEEDS,
    Answer,
    OperatorCommand,
    Override,
    Result,
    Verb,
    refused,
)
from mmbot.domain.status import Limits
from mmbot.engine.view import halt_reason
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.operating import Operating, Target

NS_PER_S = 1_000_000_000
EVERYTHING = "all markets"
EXIT_HALTED = 6
# As far as risk.flatten_max_slippage_bps may go.
WIDEST_BPS = 1_000
PPB_PER_BPS = 100_000
_NEED_REASON = frozenset({Verb.RESET_PNL, Verb.RESET_HALT})
_NEED_KEY = frozenset({Verb.SET, Verb.UNSET})
# What makes sense while the run ends already.
_WHILE_ENDING = frozenset({Verb.STOP, Verb.ACK, Verb.LOG_LEVEL, Verb.RESET_HALT})
# Settings send nothing, and what has halted the bot may be one that has to be taken back first.
_WHILE_HALTED = _WHILE_ENDING | {Verb.SET, Verb.UNSET, Verb.RELOAD}


class Settings(Protocol):
    """The settings in use; each answer has the changes, applied or (dry_run) only shown."""

    async def reload(self, *, dry_run: bool, may_raise: bool) -> Answer:
        """Read the files anew and apply what may change; all of it, or nothing.

        may_raise: whether it may raise a limit.
        """
        ...

    async def set(self, command: OperatorCommand, now_ns: int) -> Answer:
        """Override one key for a while."""
        ...

    async def unset(self, key: str, *, dry_run: bool) -> Answer:
        """End an override."""
        ...

    async def expire(self, now_ns: int) -> Sequence[Override]:
        """End the overrides whose time is over; returns them."""
        ...

    def overrides(self) -> tuple[Override, ...]:
        """What is overridden now."""
        ...

    def limits(self) -> Limits:
        """What the account is held to now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Who does what commands ask for.

    log_level sets a level and says what was wrong with it, None when it is in force now.
    clear_halt takes who and why, and says what kept the halt from being cleared.
    """

    live: MarketMakerLive
    operating: Operating
    settings: Settings
    alerts: Alerts
    log_level: Callable[[str], str | None]
    clear_halt: Callable[[str, str], Awaitable[str | None]]


class Commands:
    """Has a command done, or refuses it."""

    def __init__(self, doing: Doing) -> None:
        self._doing = doing
        operating = doing.operating
        self._waits: Mapping[Verb, Callable[[OperatorCommand, Target], Awaitable[Answer]]] = {
            Verb.CANCEL_ALL: lambda _, target: operating.cancel_all(target),
            Verb.FLATTEN: self._flatten,
            Verb.RELOAD: self._reload,
            Verb.SET: self._set,
            Verb.UNSET: self._unset,
            Verb.RESET_HALT: self._reset_halt,
        }
        self._at_once: Mapping[Verb, Callable[[OperatorCommand, Target], Answer]] = {
            Verb.PAUSE: lambda _, target: operating.pause(target),
            Verb.RESUME: lambda _, target: operating.resume(target),
            Verb.RESET_PNL: lambda _, target: operating.rebase(target),
            Verb.STOP: lambda _, target: operating.stop(target),
            Verb.ACK: self._acknowledge,
            Verb.LOG_LEVEL: self._log_level,
        }

    async def do(self, command: OperatorCommand) -> Answer:
        """Do it; what cannot be is refused."""
        found = self._target(command)
        no = self._forbidden(command) if isinstance(found, Target) else found
        if no is not None or not isinstance(found, Target):
            return refused("nothing was done") if no is None else no
        if command.verb in self._at_once:
            return self._at_once[command.verb](command, found)
        return await self._waits[command.verb](command, found)

    def _forbidden(self, command: OperatorCommand) -> Answer | None:
        verb, role = command.verb, command.who.role
        live = self._doing.live
        if role < NEEDS[verb]:
            return refused(f"{verb} needs the role {NEEDS[verb].name.lower()}")
        if verb in _NEED_REASON and not command.reason.strip():
            return refused(f"{verb} needs a reason", exit_code=2)
        if verb in _NEED_KEY and not command.key:
            return refused(f"{verb} needs a key", exit_code=2)
        if live.ending.stays:
            if verb in _WHILE_HALTED:
                return None
            text = f"halted ({live.ending.halted}), no orders rest: `reset-halt` or `stop`"
            return refused(text, exit_code=EXIT_HALTED)
        if live.ending.begun and verb not in _WHILE_ENDING:
            return refused(f"the run ends ({live.ending.reason}): orders are being taken off")
        return None

    def _target(self, command: OperatorCommand) -> Target | Answer:
        reason = _reason(command, self._doing.live.works.clock())
        if command.market is None:
            return Target(None, EVERYTHING, reason)
        desks = self._doing.live.works.engine.desks
        for desk in desks:
            market = desk.state.market
            if market.symbol == command.market:
                return Target(market.index, market.symbol, reason)
        traded = ", ".join(desk.state.market.symbol for desk in desks)
        return refused(f"{command.market} is not traded here, only {traded}", exit_code=2)

    async def _flatten(self, command: OperatorCommand, target: Target) -> Answer:
        if command.value is None:
            return await self._doing.operating.flatten(target)
        try:
            bps = float(command.value)
        except ValueError:
            bps = 0.0
        if not 0 < bps <= WIDEST_BPS:
            text = f"slippage is above 0 and at most {WIDEST_BPS} bps, not {command.value}"
            return refused(text, exit_code=2)
        if command.who.face not in LOCAL_FACES:
            return refused("another slippage than that of the settings: on the machine only")
        return await self._doing.operating.flatten(target, round(bps * PPB_PER_BPS))

    async def _reload(self, command: OperatorCommand, _target: Target) -> Answer:
        local = command.who.face in LOCAL_FACES
        return await self._doing.settings.reload(dry_run=command.dry_run, may_raise=local)

    async def _set(self, command: OperatorCommand, _target: Target) -> Answer:
        return await self._doing.settings.set(command, self._doing.live.works.clock())

    async def _unset(self, command: OperatorCommand, _target: Target) -> Answer:
        return await self._doing.settings.unset(command.key or "", dry_run=command.dry_run)

    def _acknowledge(self, command: OperatorCommand, _target: Target) -> Answer:
        count = self._doing.alerts.acknowledge(command.key, str(command.who))
        if count:
            word = "alert" if count == 1 else "alerts"
            return Answer(Result.OK, f"{count} {word} acknowledged", facts={"count": count})
        which = "" if command.key is None else f" {command.key}"
        return refused(f"no alert{which} is open and not acknowledged")

    async def _reset_halt(self, command: OperatorCommand, _target: Target) -> Answer:
        live = self._doing.live
        reason = halt_reason(live.works.engine)
        if reason is None:
            return refused("not halted: there is nothing to clear")
        if not live.ending.stays:
            text = f"halted ({reason}): wait until it has ended, or shows no orders; then again"
            return refused(text, exit_code=EXIT_HALTED)
        trouble = await self._doing.clear_halt(str(command.who), command.reason)
        if trouble is not None:
            return refused(f"still halted ({reason}): {trouble}", exit_code=EXIT_HALTED)
        live.ending.clear()
        return Answer(Result.OK, f"cleared: {reason}; it starts again, losses count from now on")

    def _log_level(self, command: OperatorCommand, _target: Target) -> Answer:
        level = (command.value or "").lower()
        trouble = self._doing.log_level(level)
        if trouble is not None:
            return refused(trouble, exit_code=2)
        return Answer(Result.OK, f"log level {level}")


def _reason(command: OperatorCommand, now_ns: int) -> str:
    """What a pause is shown with: why, who and when."""
    when = f"{datetime.fromtimestamp(now_ns // NS_PER_S, UTC):%H:%MZ}"
    why = " ".join(command.reason.split())
    return f"{why} ({command.who}, {when})" if why else f"by {command.who}, {when}"
