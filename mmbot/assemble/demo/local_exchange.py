"""A local exchange in a process of its own, gone when its block ends or we do.

It runs in a session of its own: a Ctrl-C on the terminal must reach the bot alone, which needs the
exchange to take its orders off.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from fractions import Fraction
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import aiohttp
import msgspec
from msgspec import Struct

from mmbot.errors import Unavailable

READY_S = 30.0
END_S = 10.0
REQUEST_S = 10.0
ATOMS_PER_USD = 10**12
_TAIL_BYTES = 2_000


class Ready(Struct, frozen=True):
    """Where it listens."""

    http: str
    ws: str
    reference: str


class Truth(NamedTuple):
    """An account by the exchange's own books, in 10^-12 USD: what rests, money, lots and cost."""

    orders: tuple[str, ...]
    balance_atoms: int
    held: Mapping[int, tuple[int, int]]

    def equity_usd(self, lot_values: Mapping[int, Fraction]) -> Fraction:
        """Return the equity when a lot of each market is worth so many USD."""
        unrealised = sum(
            (
                lots * lot_values.get(market, Fraction()) - Fraction(cost, ATOMS_PER_USD)
                for market, (lots, cost) in self.held.items()
            ),
            Fraction(),
        )
        return Fraction(self.balance_atoms, ATOMS_PER_USD) + unrealised


class LocalExchange:
    """A running exchange, and its own word on what really is."""

    def __init__(self, ready: Ready, http: aiohttp.ClientSession) -> None:
        self.ready = ready
        self._http = http

    async def fund(self, account_id: int, usd: int) -> None:
        """Pay play money into an account."""
        await self._asked("POST", "fund", {"account": account_id, "usd": usd})

    async def truth(self, account_id: int) -> Truth:
        """Return what really is of an account."""
        told = await self._asked("GET", "truth?newest=1", None)
        account = told["accounts"][str(account_id)]
        return Truth(
            tuple(account["orders"]),
            int(account["balanceAtoms"].get("0", 0)),
            {
                int(key): (held["lots"], held["cost_atoms"])
                for key, held in account["positions"].items()
            },
        )

    async def violations(self) -> list[str]:
        """Return what the exchange's audit of its own books finds."""
        found: list[str] = (await self._asked("GET", "violations", None))["violations"]
        return found

    async def _asked(self, method: str, name: str, body: dict[str, int] | None) -> Any:
        url = f"{self.ready.http}/_ctl/{name}"
        try:
            async with self._http.request(method, url, json=body) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the local exchange does not answer: {error}") from error
        if answer.status != 200:
            raise Unavailable(f"the local exchange: HTTP {answer.status} for {name}")
        return msgspec.json.decode(content)


@asynccontextmanager
async def local_exchange(arguments: Sequence[str]) -> AsyncIterator[LocalExchange]:
    """Start `mmbot exchange` on a free port; Unavailable with its last words when it fails."""
    with TemporaryFile() as words:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mmbot", "exchange", "--port", "0", "--control"),
            *("--until-eof", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=words,
            start_new_session=True,
        )
        try:
            ready = await _ready(process, words)
            timeout = aiohttp.ClientTimeout(total=REQUEST_S)
            async with aiohttp.ClientSession(timeout=timeout) as http:
                yield LocalExchange(ready, http)
        finally:
            await _end(process)


async def _ready(process: asyncio.subprocess.Process, words: IO[bytes]) -> Ready:
    line = b""
    if process.stdout is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                line = await process.stdout.readline()
    if line:
        return msgspec.json.decode(line, type=Ready)
    words.seek(0)
    said = words.read()[-_TAIL_BYTES:].decode(errors="replace").strip()
    raise Unavailable(f"the local exchange did not start: {said or 'it said nothing'}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
