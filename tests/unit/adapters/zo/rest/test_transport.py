"""Where names may lead: a name server cannot send the bot to another kind of place."""

import asyncio
import socket
from typing import Any

import pytest

from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.rest.transport import Timeouts, Transport
from mmbot.errors import Unavailable
from tests.fakes.venue import ScriptedVenue, serving, text


def lead_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Have every name lead to one address, as a poisoned name server would."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    known = socket.getaddrinfo

    def answer(host: str, port: Any, *more: Any, **flags: Any) -> Any:
        if host in (address, "127.0.0.1"):
            return known(host, port, *more, **flags)
        end = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", end)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fd00::1"],  # noqa: S104
)
def test_the_venues_name_never_leads_into_a_private_network(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    lead_to(monkeypatch, address)

    async def run() -> None:
        async with open_http(VenueParams(connect_timeout_ms=500, request_timeout_ms=500)) as http:
            with pytest.raises(Unavailable, match=r"^/timestamp: no connection"):
                await http.timestamp()

    asyncio.run(run())


def test_the_name_of_this_machine_never_leads_away(monkeypatch: pytest.MonkeyPatch) -> None:
    lead_to(monkeypatch, "93.184.216.34")

    async def run() -> None:
        params = VenueParams(http_url="http://localhost:9", request_timeout_ms=500)
        async with open_http(params) as http:
            with pytest.raises(Unavailable, match=r"^/timestamp: no connection"):
                await http.timestamp()

    asyncio.run(run())


def test_the_name_of_this_machine_works() -> None:
    venue = ScriptedVenue({"/timestamp": text("1780000000")})

    async def run() -> int:
        async with serving(venue.answer) as url:
            params = VenueParams(http_url=url.replace("127.0.0.1", "localhost"))
            async with open_http(params) as http:
                return (await http.timestamp()).engine_s

    assert asyncio.run(run()) == 1_780_000_000


def test_connections_are_kept_and_closed() -> None:
    ports: set[int] = set()

    async def run() -> None:
        venue = ScriptedVenue({"/timestamp": text("5")})

        async def answer(request: Any) -> Any:
            ports.add(request.transport.get_extra_info("peername")[1])
            return await venue.answer(request)

        async with serving(answer) as url:
            origin = Origin("http", "127.0.0.1", int(url.rpartition(":")[2]))
            async with Transport(origin, Timeouts()) as transport:
                for _ in range(20):
                    await transport.get("/timestamp")

    asyncio.run(run())
    assert len(ports) == 1


def test_a_read_that_leaves_twice_is_counted_twice() -> None:
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection that is good for one answer only, and does not say so.
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5", b""):
            while (line := await reader.readline()).strip():
                if line.startswith(b"GET"):
                    heads.append(line.decode())
            writer.write(answer)
        writer.close()

    async def run() -> int:
        async with await asyncio.start_server(serve, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            async with Transport(Origin("http", "127.0.0.1", port), Timeouts()) as transport:
                for number in range(3):
                    assert (await transport.get(f"/{number}")).body == b"5"
        return transport.sent

    assert asyncio.run(run()) == len(heads) == 5
