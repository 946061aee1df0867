"""A storm of hostile connections on the exchange: no crash, no file and no memory is kept."""

import asyncio
import os
import struct
from collections.abc import Callable
from random import Random
from socket import SO_LINGER, SOL_SOCKET
from urllib.parse import urlsplit

import pytest
import uvloop

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.wire.outcomes import Accepted
from mmbot.domain.order import FillMode, Side
from tests.contract.people import Person, order, refused
from tests.contract.process import Running, running

# Set ZO_STORM=10000 for the storm by hand.
CONNECTIONS = int(os.environ.get("ZO_STORM", "2000"))
AT_ONCE = 200
MOST_KEPT_KB = 20_000
UPGRADE = (
    b"GET /ws/deltas@BTCUSD HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
POST = b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
CTL = b"POST /_ctl/faults HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
# What a connection says before it is dropped, from nothing to far too much.
SAID: tuple[Callable[[Random], bytes], ...] = (
    lambda _: b"",
    lambda rng: rng.randbytes(rng.randint(1, 5_000)),
    lambda rng: b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n" * rng.randint(1, 5),
    lambda rng: b"GET /info HTTP/1.1\r\nX: " + b"a" * rng.randint(1, 30_000),
    lambda rng: b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * rng.randint(1, 3_000),
    lambda rng: POST + b"Content-Length: 200\r\n\r\n" + rng.randbytes(rng.randint(0, 200)),
    lambda rng: POST + b"Content-Length: 1024\r\n\r\n" + rng.randbytes(1024),
    lambda _: POST + b"Content-Length: 52428800\r\n\r\n" + bytes(65_536),
    lambda _: POST + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" + bytes(65_536),
    lambda _: CTL + b"Content-Length: 500000\r\n\r\n" + b"[" * 500_000,
    lambda _: UPGRADE,
    lambda rng: UPGRADE + rng.randbytes(rng.randint(1, 500)),
    lambda _: UPGRADE + b"\x82\xff" + (52_428_800).to_bytes(8, "big") + bytes(65_536),
)


async def _hit(port: int, number: int) -> None:
    """Connect, say something, and go: politely, at once, or with a reset."""
    rng = Random(number)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        writer.write(SAID[number % len(SAID)](rng))
        leaving = number // len(SAID) % 3
        if leaving == 0:
            async with asyncio.timeout(0.05):
                await reader.read(100_000)
        elif leaving == 1:
            transport = writer.transport.get_extra_info("socket")
            transport.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
    except (OSError, TimeoutError):
        pass
    finally:
        writer.close()


async def _storm(venue: Running, first: int, count: int) -> None:
    port = urlsplit(venue.url).port or 0
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with turns:
            await _hit(port, number)

    await asyncio.gather(*(one(first + number) for number in range(count)))


async def _settled(venue: Running, most_files: int) -> tuple[int, int]:
    """Return files and kilobytes once the connections are gone."""
    for _ in range(500):
        await venue.step(20)
        files, kilobytes = venue.resources()
        if files <= most_files:
            return files, kilobytes
        await asyncio.sleep(0.02)
    raise AssertionError(f"{files} files are still open, there were {most_files}")


def test_a_storm_leaves_nothing_behind() -> None:
    async def work() -> None:
        async with (
            running("--flow", "normal") as venue,
            open_http(VenueParams(http_url=venue.url)) as http,
        ):
            person = await Person(http, 71).open()
            resting = await person.place(Side.BID, 500_000, 10, FillMode.POST_ONLY)
            assert isinstance(resting, Accepted)
            await venue.step(20)
            before, _ = venue.resources()
            # The first storm grows what stays: pools, caches, interned names.
            await _storm(venue, 0, CONNECTIONS // 4)
            _, first_kb = await _settled(venue, before)
            await _storm(venue, CONNECTIONS, CONNECTIONS)
            files, kb = await _settled(venue, before)
            assert kb - first_kb < MOST_KEPT_KB, (before, files, first_kb, kb)
            assert [each.lots for each in (await person.account()).orders] == [10]
            assert await venue.violations() == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work(), 300))


@pytest.mark.parametrize("seed", [1, 2])
def test_replayed_and_bent_actions_change_nothing(seed: int) -> None:
    async def work() -> None:
        rng = Random(seed)
        async with (
            running("--flow", "none") as venue,
            open_http(VenueParams(http_url=venue.url)) as http,
        ):
            person = await Person(http, 72).open()
            signed = await person.signed(order(Side.BID, 500_000, 10, FillMode.POST_ONLY))
            assert isinstance(await person.send(signed), Accepted)
            before = await venue.get("/_ctl/truth")
            for _ in range(300):
                body = bytearray(signed.body)
                for _ in range(rng.randint(1, 3)):
                    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
                cut = rng.choice((0, 0, 1, 64, len(body) - 1))
                told = await http.act(bytes(body[cut:]), signed.action, person.account_id)
                # Three flips may undo each other; then it is the same action again.
                assert refused(told)
            assert refused(await person.send(signed)) == "DUPLICATE"
            after = await venue.get("/_ctl/truth")
            assert after == before

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work(), 60))
