"""An exchange in a process and real time, a wallet on it with sessions in files, and its orders."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import StoredSession, write_session
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.actions import PlaceOrder
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.domain.order import FillMode, Side
from mmbot.execution.order_ids import OrderIds
from tests.contract.people import Person, order, rested
from tests.contract.process import Running, running

ROOT = Path(__file__).resolve().parents[2]
INSTANCE = 7
PATIENCE_S = 60.0


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed with --json."""
        return json.loads(self.out)


class Scene:
    """One trader's account; `session` is the file of the trading key."""

    def __init__(self, venue: Running, person: Person, session: Path) -> None:
        self.venue = venue
        self.person = person
        self.session = session
        self.flags = ("--session-file", str(session), "--instance", str(INSTANCE))

    async def place(self, number: int, epoch: int = 1, instance: int = INSTANCE) -> None:
        """Rest orders far below the market, by the ids of a run, two markets in turn."""
        ids = OrderIds(instance, epoch)
        batch: list[PlaceOrder] = []
        for at in range(number):
            batch.append(far(at % 2, ids.next()))
            if len(batch) == 4 or at == number - 1:
                rested(await self.person.batch(*batch))
                batch.clear()

    async def place_nameless(self) -> None:
        """Rest an order without a client order id."""
        await self.person.place(Side.BID, 400_000, 10, FillMode.POST_ONLY)

    async def resting(self) -> list[int | None]:
        """Return the client order ids of what rests, by the exchange's own truth."""
        orders = (await self.truth())["orders"].values()
        return [each["client_order_id"] for each in orders]

    async def truth(self) -> Any:
        """Return what the exchange knows of the account."""
        found = await self.venue.get("/_ctl/truth")
        return found["accounts"][str(self.person.account_id)]

    async def gone_within(self, seconds: float, down_to: int = 0) -> float:
        """Wait until that few orders rest; returns how long it took, fails when it is too long."""
        began = time.monotonic()
        while len(resting := await self.resting()) > down_to:
            assert time.monotonic() - began < seconds, resting
            await asyncio.sleep(0.02)
        return time.monotonic() - began


def far(market_id: int, client_order_id: int) -> PlaceOrder:
    """Return an order that nothing trades with."""
    ticks = (400_000, 40_000)[market_id]
    return order(
        Side.BID,
        ticks,
        10,
        FillMode.POST_ONLY,
        market_id=market_id,
        client_order_id=client_order_id,
    )


_SEEDS = count(71)


@asynccontextmanager
async def scene(tmp_path: Path, *arguments: str) -> AsyncIterator[Scene]:
    """Serve an exchange in real time without a market, and log a trader in."""
    async with (
        running("--flow", "none", *arguments, stepped=False) as venue,
        open_http(VenueParams(http_url=venue.url)) as http,
    ):
        person = await Person(http, next(_SEEDS)).open()
        yield Scene(venue, person, await session_file(person, venue.url, tmp_path / "session.json"))


async def session_file(person: Person, venue: str, path: Path) -> Path:
    """Store the person's session as the product does."""
    keypair = Keypair(bytes(person.key) + bytes(person.key.verify_key))
    now = await person.now()
    write_session(
        path,
        StoredSession(
            venue,
            base58.encode(person.pubkey),
            person.session_id,
            keypair,
            EngineSeconds(now + 86_400),
            now,
        ),
    )
    return path


async def mmbot(*words: str, cwd: Path) -> Ended:
    """Run a command in a process of its own."""
    process = await start("mmbot", *words, cwd=cwd)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def start(*words: str, cwd: Path) -> asyncio.subprocess.Process:
    """Start a module of the product or of the tests."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *words,
        cwd=cwd,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )


def run(work: Coroutine[None, None, None]) -> None:
    """Run a test."""
    asyncio.run(asyncio.wait_for(work, PATIENCE_S))
