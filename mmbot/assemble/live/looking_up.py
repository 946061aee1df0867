"""Books of the chat: verbs of this program, each in a process of its own: trading waits for none.

Folding a long ledger or drawing takes seconds of computing, which the loop has not to give.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mmbot.config.edit import set_value
from mmbot.config.keys import values
from mmbot.config.live_keys import is_live
from mmbot.config.loader import ConfigSources
from mmbot.config.market import MarketConfig
from mmbot.config.schema import Config
from mmbot.config.show import scalar
from mmbot.domain.control import Answer, OperatorCommand, Result, Verb, refused
from mmbot.errors import ConfigError, DataError, Unavailable, UsageError
from mmbot.interfaces.telegram.books import Earned
from mmbot.ledger.rows import Kind
from mmbot.ports import Control
from mmbot.runtime.audit import journal_words
from mmbot.secrets.redaction import redacted

LONGEST_S = 60.0
# Columns of a row of trades that are words; the others are figures.
WORDS = 3
ADVERSE_NS = 5_000_000_000
NS_PER_S = 1_000_000_000
BUNDLE_SINCE = "2h"
# On a machine with one core the computing would be at the cost of the trading.
_POLITELY = ("nice", "-n", "19") if which("nice") else ()
_LINES = {
    "spread": ("maker_capture", "taker_capture"),
    "inventory": ("inventory",),
    "fees": ("fees",),
    "funding": ("funding",),
    "hedge": ("hedge_execution", "hedge_inventory", "hedge_fees"),
    "adjustments": ("adjustments",),
}


class _Split(Struct):
    horizon_ns: int
    adverse_usd: Decimal


class _Attribution(Struct):
    pnl_usd: Decimal = Decimal(0)
    volume_usd: Decimal = Decimal(0)
    fills_count: int = 0
    lines_usd: dict[str, Decimal] = {}
    splits: list[_Split] = []


class _Fill(Struct):
    time: str
    market: str
    side: str
    price: Decimal
    size: Decimal
    liquidity: str


class _Event(Struct):
    time: str
    kind: str
    market: str | None
    text: str


class _Fills(Struct):
    items: list[_Fill]


class _Events(Struct):
    items: list[_Event]


class Place(NamedTuple):
    """Where things are looked up. config: as it is in force now."""

    ledger: Path
    sources: ConfigSources | None
    config: Callable[[], Config]
    control: Control
    env: Mapping[str, str]


class LookedUp:
    """See Books."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # One at a time: they are for people, and the machine is for trading.
        self._turn = asyncio.Lock()

    async def earned(self, since_ns: int, until_ns: int) -> Earned:
        """See Books."""
        out = await self._of_ledger("attribution", *_window(since_ns, until_ns), "--json")
        found = msgspec.json.decode(out, type=_Attribution, strict=False)
        return Earned(
            found.pnl_usd,
            found.volume_usd,
            found.fills_count,
            {
                name: sum((found.lines_usd.get(part, Decimal(0)) for part in parts), Decimal(0))
                for name, parts in _LINES.items()
            },
            next((s.adverse_usd for s in found.splits if s.horizon_ns == ADVERSE_NS), Decimal(0)),
        )

    async def curve(self, since_ns: int, until_ns: int) -> bytes | None:
        """See Books."""
        if find_spec("matplotlib") is None:
            return None
        with TemporaryDirectory(prefix="mmbot-") as folder:
            path = Path(folder) / "equity.png"
            await self._of_ledger("pnl", *_window(since_ns, until_ns), "--png", str(path))
            return path.read_bytes() if path.exists() else None

    async def fills(self, count: int) -> list[str]:
        """See Books."""
        out = await self._of_ledger("fills", "--last", str(count), "--json")
        items = msgspec.json.decode(out, type=_Fills).items
        rows = [
            (each.time[11:19], each.market, each.side, str(each.size), str(each.price))
            for each in sorted(items, key=lambda each: each.time)
        ]
        taken = ["" if each.liquidity == "maker" else " T" for each in items]
        return [*aligned(rows, taken), *(["T: taker, all others maker"] if any(taken) else [])]

    async def journal(self, count: int, critical: bool) -> list[str]:
        """See Books."""
        out = await self._of_ledger("events", "--last", str(count), "--json")
        items = msgspec.json.decode(out, type=_Events).items
        return [
            redacted(" ".join(filter(None, (each.time[11:19], each.kind, each.market, told(each)))))
            for each in sorted(items, key=lambda each: each.time)
            if each.kind == "notice" or not critical
        ]

    async def bundle(self) -> tuple[str, bytes]:
        """See Books."""
        sources = self._place.sources
        if sources is None:
            raise Unavailable("the settings of this run are not from files")
        with TemporaryDirectory(prefix="mmbot-") as folder:
            path = Path(folder) / f"{self._place.config().instance.name}.tar.gz"
            flags = [word for each in sources.paths for word in ("-c", str(each))]
            flags += [word for each in sources.overrides for word in ("--set", each)]
            await self._verb("bundle", *flags, "--since", BUNDLE_SINCE, "--out", str(path))
            return path.name, path.read_bytes()

    def settings(self, key: str) -> list[str]:
        """See Books."""
        overridden = {each.key for each in self._place.control.status().overrides}
        lines = []
        for path, value in values(self._place.config()):
            name, short = ".".join(path), _short(path)
            if not any(f"{each}.".startswith(f"{key}." if key else "") for each in (name, short)):
                continue
            marks = " [live]" if is_live(path) else ""
            marks += " [overridden]" if {name, short} & overridden else ""
            lines.append(redacted(f"{name}: {scalar(value)}{marks}"))
        if not lines:
            raise UsageError(f"there is no setting {key[:60]}")
        return lines

    async def persist(self, command: OperatorCommand) -> Answer:
        """See Books: what could not be set for a while is not written either."""
        sources = self._place.sources
        if sources is None or not sources.paths:
            return refused("nothing changed: the settings of this run are not from files")
        control = self._place.control
        tried = await control.submit(replace(command, dry_run=True))
        if tried.result is not Result.OK:
            return tried
        key = command.key or ""
        key = f"defaults.{key}" if key.partition(".")[0] in MarketConfig.model_fields else key
        try:
            change = await asyncio.to_thread(set_value, sources.paths[-1], key, command.value or "")
        except ConfigError as error:
            return refused(f"nothing changed: {'; '.join(error.problems)}")
        if not change:
            return refused(f"nothing changed: {key} stands there already")
        read = OperatorCommand(Verb.RELOAD, command.who, command.issued_ns)
        return await control.submit(read)

    async def _of_ledger(self, *words: str) -> bytes:
        return await self._verb(words[0], "--ledger", str(self._place.ledger), *words[1:])

    async def _verb(self, *words: str) -> bytes:
        """Run a verb to its end; DataError when it fails, in its own words."""
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                *_POLITELY,
                sys.executable,
                "-m",
                "mmbot",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(self._place.env),
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(LONGEST_S):
                    out, err = await process.communicate()
            except TimeoutError:
                raise Unavailable(f"{words[0]} took too long") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            last = redacted(err.decode(errors="replace")).strip().splitlines()[-1:]
            raise DataError(last[0] if last else f"{words[0]} failed")
        return out


def aligned(rows: Sequence[Sequence[str]], ends: Sequence[str]) -> list[str]:
    """Return rows of words and figures as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        " ".join(
            text.ljust(width) if number < WORDS else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [f"{line}{end}" for line, end in zip(lines, ends, strict=True)]


def told(event: _Event) -> str:
    """Return what an event says; a command in words."""
    return journal_words(event.text) if event.kind == Kind.COMMAND else event.text


def _short(path: Sequence[str]) -> str:
    """Return the name of a setting as it may be set for all markets."""
    above = {"defaults": 1, "markets": 2}.get(path[0], 0)
    return ".".join(path[above:])


def _window(since_ns: int, until_ns: int) -> tuple[str, ...]:
    return "--since", _iso(since_ns), "--until", _iso(until_ns)


def _iso(ts_ns: int) -> str:
    moment = datetime.fromtimestamp(ts_ns // NS_PER_S, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts_ns % NS_PER_S // 1000:06d}Z"
