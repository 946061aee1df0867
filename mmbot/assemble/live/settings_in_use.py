"""The settings of a running bot: read anew from their files, and overridden for a while.

All or nothing: what cannot be applied changes nothing. An override never allows more than the
files do, outlives a restart, and ends by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from mmbot.assemble.live.adopting import adopt, limits_of
from mmbot.config.keys import values
from mmbot.config.live_keys import (
    FILE_ONLY,
    IDLE,
    NOT_THERE,
    Difference,
    differences,
    is_live,
    loosened,
    spelled_out,
)
from mmbot.config.loader import ConfigSources
from mmbot.config.schema import Config
from mmbot.config.show import scalar
from mmbot.domain.control import (
    DEFAULT_FOR_S,
    Answer,
    Change,
    OperatorCommand,
    Override,
    Result,
    refused,
)
from mmbot.domain.status import Limits
from mmbot.engine import Engine
from mmbot.errors import ConfigError

OVERRIDES = "overrides"
SHORTEST_S, LONGEST_S = 1.0, 7 * 86_400.0
# An override is read like `--set`; nobody has written that.
_FROM_COMMAND_LINE = " (--set)"
NS_PER_S = 1_000_000_000
DAY_S = 86_400.0
EXIT_CONFIG = 3
LONGEST_VALUE = 200
FIXED = "nothing changed: the settings of this run are not from files"


class Filed(NamedTuple):
    """Settings by the files, and the files as they were read."""

    config: Config
    texts: Mapping[Path, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTo:
    """What settings are applied to. `refuse` raises ConfigError for settings not to trade with.

    keep: has bytes remembered for the next start. followers: told of settings that were applied.
    """

    engine: Engine
    sources: ConfigSources
    refuse: Callable[[Config], None]
    keep: Callable[[bytes], Awaitable[object]]
    followers: Sequence[Callable[[Config], None]] = ()


class FixedSettings:
    """See runtime.commands.Settings: settings that came from nowhere they can be read again."""

    def __init__(self, config: Config) -> None:
        self.in_force = config

    def overrides(self) -> tuple[Override, ...]:
        """See Settings."""
        return ()

    def limits(self) -> Limits:
        """See Settings."""
        return limits_of(self.in_force)

    async def reload(self, *, dry_run: bool, may_raise: bool) -> Answer:  # noqa: ARG002
        """See Settings."""
        return refused(FIXED)

    async def set(self, command: OperatorCommand, now_ns: int) -> Answer:  # noqa: ARG002
        """See Settings."""
        return refused(FIXED)

    async def unset(self, key: str, *, dry_run: bool) -> Answer:  # noqa: ARG002
        """See Settings."""
        return refused(FIXED)

    async def expire(self, now_ns: int) -> Sequence[Override]:  # noqa: ARG002
        """See Settings."""
        return ()


class SettingsInUse:
    """See runtime.commands.Settings. `filed`: by the files, `in_force`: with the overrides."""

    def __init__(
        self, used: AppliedTo, filed: Filed, in_force: Config, overrides: Sequence[Override]
    ) -> None:
        self.in_force = in_force
        self._used = used
        self._filed = filed
        self._overrides = {each.key: each for each in overrides}
        self._traded = [desk.state.market.symbol for desk in used.engine.desks]
        self._turn = asyncio.Lock()

    def overrides(self) -> tuple[Override, ...]:
        """See Settings."""
        return tuple(self._overrides.values())

    def limits(self) -> Limits:
        """See Settings."""
        return limits_of(self.in_force)

    async def reload(self, *, dry_run: bool, may_raise: bool) -> Answer:
        """See Settings."""
        async with self._turn:
            try:
                loaded = await asyncio.to_thread(self._used.sources.load)
                filed = Filed(loaded.config, loaded.texts)
                return await self._reloaded(filed, dry_run=dry_run, may_raise=may_raise)
            except ConfigError as error:
                text = f"nothing changed: {'; '.join(error.problems)}"
                return refused(text, exit_code=EXIT_CONFIG)

    async def set(self, command: OperatorCommand, now_ns: int) -> Answer:
        """See Settings."""
        key, value = command.key or "", command.value or ""
        for_s = DEFAULT_FOR_S if command.for_s is None else command.for_s
        if not SHORTEST_S <= for_s <= LONGEST_S:
            lasts = f"{for_s / DAY_S:g} days" if for_s >= DAY_S else f"{for_s:g} s"
            return refused(f"an override lasts 1 s to 7 days, not {lasts}", exit_code=2)
        if not value or len(value) > LONGEST_VALUE:
            return refused(f"{key} needs a value of at most {LONGEST_VALUE} letters", exit_code=2)
        if key in FILE_ONLY:
            return refused(f"{key} is changed in the file only, then `reload`")
        until_ns = now_ns + round(for_s * NS_PER_S)
        live = all(is_live(tuple(each.split("."))) for each in spelled_out(key, self._traded))
        async with self._turn:
            wanted = Override(key, value, self._filed_value(key), until_ns, str(command.who))
            kept = {**self._overrides, key: wanted}
            # A key that does not exist, or a value that will not do, is told before anything else.
            answer = await self._overridden(kept, dry_run=command.dry_run or not live)
        if answer.result is not Result.OK:
            return answer
        if not live:
            return refused(f"{key} needs a restart: it cannot be set while the bot runs")
        if command.dry_run:
            return answer
        until = f"{datetime.fromtimestamp(until_ns // NS_PER_S, UTC):%Y-%m-%d %H:%MZ}"
        return replace(answer, message=f"{answer.message} until {until}")

    async def unset(self, key: str, *, dry_run: bool) -> Answer:
        """See Settings."""
        async with self._turn:
            if key not in self._overrides:
                return refused(f"{key} is not overridden")
            kept = {name: each for name, each in self._overrides.items() if name != key}
            return await self._overridden(kept, dry_run=dry_run)

    async def expire(self, now_ns: int) -> Sequence[Override]:
        """See Settings."""
        over = [each for each in self._overrides.values() if each.until_ns <= now_ns]
        if not over:
            return ()
        async with self._turn:
            kept = {key: each for key, each in self._overrides.items() if each not in over}
            await self._overridden(kept, dry_run=False)
        return over

    async def _reloaded(self, filed: Filed, *, dry_run: bool, may_raise: bool) -> Answer:
        used = self._used
        used.refuse(filed.config)
        changes = differences(self._filed.config, filed.config, self._traded)
        shown = tuple(_change(each) for each in changes)
        fixed = [each.key for each in changes if not each.live]
        if fixed:
            text = f"nothing changed: {', '.join(fixed)} {_need(fixed)} a restart"
            return Answer(Result.REFUSED, text, changes=shown, exit_code=EXIT_CONFIG)
        raised = loosened(self._filed.config, filed.config, self._traded)
        if raised and not may_raise:
            text = f"nothing changed: {', '.join(raised)} would be raised; reload on the machine"
            return Answer(Result.REFUSED, text, changes=shown)
        kept, dropped = await asyncio.to_thread(self._still_good, filed)
        in_force = await asyncio.to_thread(self._with, kept, filed)
        if not dry_run:
            await self._take_on(filed, in_force, kept)
        text = _count_changes(changes, dry_run)
        text += f"; overrides ended: {', '.join(dropped)}" if dropped else ""
        return Answer(Result.OK, text, changes=shown, facts={"changes": len(changes)})

    async def _overridden(self, kept: Mapping[str, Override], *, dry_run: bool) -> Answer:
        used = self._used
        try:
            in_force = await asyncio.to_thread(self._with, kept, self._filed)
            used.refuse(in_force)
        except ConfigError as error:
            return refused(f"nothing changed: {self._in_words(error)}", exit_code=EXIT_CONFIG)
        raised = loosened(self._filed.config, in_force, self._traded)
        if raised:
            text = f"nothing changed: {', '.join(raised)} would allow more than the files do"
            return refused(text)
        changes = differences(self.in_force, in_force, self._traded)
        if not dry_run:
            await self._take_on(self._filed, in_force, kept)
        shown = tuple(_change(each) for each in changes)
        return Answer(Result.OK, _count_changes(changes, dry_run), changes=shown)

    def _in_words(self, error: ConfigError) -> str:
        """What is wrong with an override, once for all markets that it is of."""
        found = [each.replace(_FROM_COMMAND_LINE, "") for each in error.problems]
        for symbol in self._traded:
            found = [each.replace(f"markets.{symbol}.", "") for each in found]
        return "; ".join(dict.fromkeys(found))

    async def _take_on(self, filed: Filed, in_force: Config, kept: Mapping[str, Override]) -> None:
        used = self._used
        adopt(used.engine, in_force)
        self._filed, self.in_force = filed, in_force
        if kept != self._overrides:
            self._overrides = dict(kept)
            await used.keep(msgspec.json.encode(list(kept.values())))
        for follow in used.followers:
            follow(in_force)

    def _still_good(self, filed: Filed) -> tuple[dict[str, Override], list[str]]:
        """Overrides that allow no more than other files do, and the keys of those that would."""
        kept, dropped = {}, []
        for key, each in self._overrides.items():
            if loosened(filed.config, self._with({key: each}, filed), self._traded):
                dropped.append(key)
            else:
                kept[key] = each
        return kept, dropped

    def _with(self, kept: Mapping[str, Override], filed: Filed) -> Config:
        texts = override_texts(kept.values(), self._traded)
        return self._used.sources.load(texts, filed.texts).config

    def _filed_value(self, key: str) -> str:
        return _value_of(self._filed.config, spelled_out(key, self._traded)[0])


def override_texts(overrides: Iterable[Override], traded: Sequence[str]) -> list[str]:
    """Return overrides as settings of the command line are written."""
    return [f"{key}={each.value}" for each in overrides for key in spelled_out(each.key, traded)]


def restored(
    kept: bytes | None, now_ns: int, sources: ConfigSources, filed: Filed, traded: Sequence[str]
) -> tuple[list[Override], Config]:
    """Return the overrides that outlived a restart, and the settings with them.

    Those whose time is over, or that the files do not allow any more, are left out.
    """
    found = [] if kept is None else msgspec.json.decode(kept, type=list[Override])
    good: list[Override] = []
    in_force = filed.config
    for each in found:
        if each.until_ns <= now_ns:
            continue
        try:
            tried = sources.load(override_texts([*good, each], traded), filed.texts).config
        except ConfigError:
            continue
        if not loosened(filed.config, tried, traded):
            good.append(each)
            in_force = tried
    return good, in_force


def _value_of(config: Config, key: str) -> str:
    path = tuple(key.split("."))
    for at, value in values(config):
        if at == path:
            return scalar(value)
    if path[0] == "markets":
        return _value_of(config, ".".join(("defaults", *path[2:])))
    return "-"


def _change(found: Difference) -> Change:
    return Change(found.key, _shown(found.old), _shown(found.new), found.live)


def _shown(value: object) -> str | None:
    return None if value is NOT_THERE else scalar(value)


def _count_changes(changes: Sequence[Difference], dry_run: bool) -> str:
    idle = sum(each.key.partition(".")[0] in IDLE for each in changes)
    count = len(changes) - idle
    verb = "would change" if dry_run else "changed"
    text = f"{count} {'setting' if count == 1 else 'settings'} {verb}" if count else "no change"
    return f"{text}; {idle} of backtest and simulate not used here" if idle else text


def _need(keys: Sequence[str]) -> str:
    return "needs" if len(keys) == 1 else "need"
