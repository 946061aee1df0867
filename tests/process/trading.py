"""The bot as a process, trading on an exchange in another: where it stands, and how it ends."""

import asyncio
import signal
import sys
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import Role, SessionFolder, StoredSession
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.codec import parse_action
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.execution.order_ids import OrderIds
from tests.contract.people import Person, created
from tests.contract.process import Running, running
from tests.process.served import ROOT, Ended

INSTANCE = 7
# What a busy machine may take for what takes a second or two.
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.02
HANGS_S = 180.0
# Restored exchanges speak of the wallets of the time before: one for each test.
_SEEDS = count(11)

SETTINGS = """\
version: 1
instance: {{id: 7, name: proc}}
venue: {{http_url: "{url}", action_lifetime_s: 5}}
markets: {{BTCUSD: {{enabled: true}}, ETHUSD: {{enabled: true}}}}
defaults:
  spread: {{min_bps: 2, max_bps: 8}}
  levels: {{count: 2}}
  sizing: {{mode: fixed, fixed_usd: 200}}
  market_risk: {{max_position_usd: 2000}}
risk: {{loss: {{daily_limit_usd: 500}}}}
"""


class Executed(NamedTuple):
    """An action that the exchange has executed, by its own log."""

    action_id: int
    time_s: float
    places: int
    cancels: int


class Child:
    """A process of the product; what it says goes to files, so that nothing holds it up."""

    def __init__(self, process: asyncio.subprocess.Process, out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def err(self) -> str:
        """What it has said on standard error."""
        return self._err.read_text()

    @property
    def out(self) -> str:
        """What it has said on standard output."""
        return self._out.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def ended(self, within_s: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        try:
            await asyncio.wait_for(self.process.wait(), within_s)
        except TimeoutError:
            raise AssertionError(f"still runs: {self.err}") from None
        return Ended(self.process.returncode or 0, self._out.read_text(), self.err)

    async def says(self, words: str) -> None:
        """Wait until standard error has these words."""
        until = time.monotonic() + PATIENCE_S
        while words not in self.err:
            assert time.monotonic() < until, self.err
            await asyncio.sleep(LOOK_EVERY_S)


class Place:
    """A folder with settings and sessions, and an exchange where they are good for something."""

    def __init__(self, venue: Running, folder: Path, account_id: int) -> None:
        self.venue = venue
        self.folder = folder
        self.account_id = account_id
        self.config = folder / "c.yaml"
        self._numbers = count(1)

    @property
    def sessions(self) -> Path:
        """Where sessions are kept."""
        return self.folder / "sessions"

    def session_file(self, role: Role = Role.BOT) -> Path:
        """Return the one session of a role."""
        (found,) = SessionFolder(self.sessions, role).of_venue(self.venue.url)
        return SessionFolder(self.sessions, role).path(found.venue, found.user)

    async def mmbot(self, *words: str, env: dict[str, str] | None = None) -> Child:
        """Start a verb."""
        return await self.module("mmbot", *words, env=env)

    async def module(self, *words: str, env: dict[str, str] | None = None) -> Child:
        """Start a module."""
        name = f"{next(self._numbers)}-{words[1]}"
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *words),
                **_streams(to_out, to_err),
                cwd=self.folder,
                env={
                    "PYTHONPATH": str(ROOT),
                    "PATH": "/usr/bin:/bin",
                    "STATE_DIRECTORY": str(self.folder),
                    **(env or {}),
                },
            )
        return Child(process, out, err)

    @asynccontextmanager
    async def child(self, *words: str, env: dict[str, str] | None = None) -> AsyncIterator[Child]:
        """Run a verb; whatever is left of it is killed at the end of the block."""
        child = await self.mmbot(*words, env=env)
        try:
            yield child
        finally:
            await put_down(child)

    @asynccontextmanager
    async def bot(self, *flags: str, env: dict[str, str] | None = None) -> AsyncIterator[Child]:
        """Run the bot for real."""
        words = ("run", "--mode", "live", "-c", str(self.config), *flags)
        async with self.child(*words, env=env) as child:
            yield child

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[Child]:
        """Run its guard."""
        async with self.child("guard", "-c", str(self.config), "--json") as child:
            until = time.monotonic() + PATIENCE_S
            while not list(self.folder.glob("guard-*.sock")):
                assert time.monotonic() < until, child.err
                await asyncio.sleep(LOOK_EVERY_S)
            yield child

    async def truth(self) -> Any:
        """Return what the exchange knows of the account."""
        found = await self.venue.get("/_ctl/truth?newest=1")
        return found["accounts"][str(self.account_id)]

    async def held(self) -> dict[str, int]:
        """Return the lots held, by market, as the exchange knows it."""
        positions = (await self.truth())["positions"]
        return {market: each["lots"] for market, each in positions.items() if each["lots"]}

    async def epochs(self) -> list[int]:
        """Return the runs whose orders rest, one entry for each order."""
        orders = (await self.truth())["orders"].values()
        ids = OrderIds(INSTANCE, 0)
        found = [ids.epoch_of(each["client_order_id"] or 0) for each in orders]
        return [-1 if each is None else each for each in found]

    async def quoting(self, child: Child, least: int = 4) -> None:
        """Wait until the bot has so many orders at the exchange."""
        until = time.monotonic() + PATIENCE_S
        while len(await self.epochs()) < least:
            assert child.process.returncode is None, child.err
            assert time.monotonic() < until, child.err
            await asyncio.sleep(LOOK_EVERY_S)

    async def gone(self, within_s: float, newest_epoch: int = 1 << 13) -> float:
        """Wait until no order of runs up to this one rests; returns how long it took."""
        began = time.monotonic()
        while any(each <= newest_epoch for each in await self.epochs()):
            took_s = time.monotonic() - began
            assert took_s < within_s, await self.epochs()
            await asyncio.sleep(LOOK_EVERY_S)
        return time.monotonic() - began

    async def last_action(self) -> int:
        """Return the id of the last action the exchange has executed."""
        return int(await self.venue.get("/action/last-executed-id"))

    async def executed(self, after: int) -> Sequence[Executed]:
        """Return what was executed after an action."""
        rows: list[Any] = []
        last = await self.last_action()
        for first in range(after, last, 100):
            rows += await self.venue.get(f"/action?from={first}&to={min(last, first + 100)}")
        return [_executed(row) for row in rows]


@asynccontextmanager
async def place(folder: Path, *flags: str, flow: str = "volatile") -> AsyncIterator[Place]:
    """Serve an exchange with a market that moves, and make sessions for a bot and its guard."""
    async with running("--flow", flow, *flags, stepped=False) as venue:
        yield await moved_in(venue, folder)


async def moved_in(venue: Running, folder: Path) -> Place:
    """Make a wallet with sessions, and settings for the exchange."""
    async with open_http(VenueParams(http_url=venue.url)) as http:
        person = await Person(http, next(_SEEDS)).open()
        now = await person.now()
        guard = Keypair.generate()
        number = created(
            await person.send(await person.session(key=guard.public, lasts_s=7 * 86_400))
        )
    found = Place(venue, folder, person.account_id)
    found.config.write_text(SETTINGS.format(url=venue.url))
    user = base58.encode(person.pubkey)
    key = Keypair(bytes(person.key) + bytes(person.key.verify_key))
    for role, keypair, session_id in (
        (Role.BOT, key, person.session_id),
        (Role.GUARD, guard, number),
    ):
        ends = EngineSeconds(now + 86_400)
        stored = StoredSession(venue.url, user, session_id, keypair, ends, now)
        SessionFolder(found.sessions, role).save(stored)
    return found


def _executed(row: Any) -> Executed:
    action: pb.Action = parse_action(b64decode(row["payload"])).action
    parts = [str(action.WhichOneof("kind"))]
    if parts == ["atomic"]:
        parts = [str(each.WhichOneof("inner")) for each in action.atomic.actions]
    places = sum(each in ("place_order", "trade_or_place") for each in parts)
    cancels = sum(each.startswith("cancel") for each in parts)
    at = datetime.fromisoformat(row["physicalTime"])
    return Executed(int(row["actionId"]), at.timestamp(), places, cancels)


def run(work: Coroutine[None, None, None]) -> None:
    """Run a test; the limit is for one that hangs."""
    asyncio.run(asyncio.wait_for(work, HANGS_S))


async def put_down(child: Child) -> None:
    """Kill a process that still runs."""
    if child.process.returncode is None:
        child.process.kill()
    await child.process.wait()


def _streams(out: IO[bytes], err: IO[bytes]) -> dict[str, Any]:
    return {"stdin": asyncio.subprocess.DEVNULL, "stdout": out, "stderr": err}


def told(ended: Ended) -> Iterator[Any]:
    """Yield what it printed with --json, line by line."""
    for line in ended.out.splitlines():
        yield msgspec.json.decode(line)
