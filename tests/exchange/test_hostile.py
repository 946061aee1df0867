"""Hostile input gets documented answers, and the exchange goes on as if nothing had been."""

import asyncio
import io
from typing import Any

import pytest

from mmbot.exchange.serving.connections import Patience
from tests.exchange.served import START_S, Served, Setup, Trader, run, served, until

OCTETS = "application/octet-stream"
UPGRADE = (
    b"GET /ws/deltas@BTCUSD HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
HASTY = Patience(head_timeout_s=0.2, body_timeout_s=0.2, max_connections=20)


async def _says(venue: Served, sent: bytes, until_closed: bool = True) -> bytes:
    """Send bytes on a connection of their own; everything that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.address.port)
    writer.write(sent)
    got = b""
    try:
        while part := await asyncio.wait_for(reader.read(65_536), 5):
            got += part
            if not until_closed:
                break
    except ConnectionResetError:
        pass
    writer.close()
    return got


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("POST", "/action", b"x" * 1025, OCTETS, 413),
        ("POST", "/action", b"{}", "application/json", 415),
        ("POST", "/action", b"{}", "text/plain", 415),
        ("GET", "/action", b"", "", 405),
        ("PUT", "/action", b"", OCTETS, 405),
        ("POST", "/info", b"", "", 405),
        ("DELETE", "/account/1", b"", "", 405),
        ("POST", "/ws/deltas@BTCUSD", b"", "", 405),
        ("GET", "/ws/deltas@BTCUSD", b"", "", 400),
        ("GET", "/nonsense", b"", "", 404),
        ("GET", "/market/999/orderbook", b"", "", 404),
        ("GET", "/account/99999999999999999999", b"", "", 400),
        ("GET", "/user/%00%ff", b"", "", 400),
        ("GET", "/_ctl/nonsense", b"", "", 404),
        ("GET", "/_ctl/step", b"", "", 405),
        ("POST", "/_ctl/step", b'{"ms":5}', "text/plain", 415),
        ("POST", "/_ctl/step", b"{", "application/json", 400),
        ("POST", "/_ctl/step", b"[" * 100_000, "application/json", 400),
        ("POST", "/_ctl/step", b'{"\xff":1}', "application/json", 400),
        ("POST", "/_ctl/step", b'{"ms":-1}', "application/json", 400),
        ("POST", "/_ctl/step", b'{"ms":1.5}', "application/json", 400),
        ("POST", "/_ctl/step", b'{"ms":true}', "application/json", 400),
        ("POST", "/_ctl/step", b'{"ms":5,"x":1}', "application/json", 400),
        ("POST", "/_ctl/step", b"x" * (1024 * 1024 + 1), "application/json", 413),
        ("POST", "/_ctl/fund", b'{"account":99,"usd":5}', "application/json", 400),
        ("POST", "/_ctl/index", b'{"market":"X","price":5}', "application/json", 400),
        ("POST", "/_ctl/index", b'{"market":0,"price":"5"}', "application/json", 400),
        ("POST", "/_ctl/index", b'{"market":0,"price":-5}', "application/json", 400),
        ("POST", "/_ctl/index", b'{"market":0,"price":1e-300}', "application/json", 400),
        ("POST", "/_ctl/faults", b"7", "application/json", 400),
        ("POST", "/_ctl/faults", b'{"clear":"mdx"}', "application/json", 400),
        ("POST", "/_ctl/faults", b'{"clear":[1]}', "application/json", 400),
        ("POST", "/_ctl/faults", b'{"swarm":{"count":0}}', "application/json", 400),
        ("POST", "/_ctl/faults", b'{"swarm":{"knobs":["x"]}}', "application/json", 400),
        ("GET", "/_ctl/truth?newest=x", b"", "", 400),
    ],
)
def test_wrong_requests_get_their_status(
    method: str, path: str, body: bytes, kind: str, status: int
) -> None:
    async def work() -> None:
        async with served() as venue:
            headers = {"Content-Type": kind} if kind else {}
            async with venue.http.request(
                method, venue.url + path, data=io.BytesIO(body) if body else None, headers=headers
            ) as answer:
                assert answer.status == status, await answer.text()
                text = await answer.text()
                if status == 413 and path == "/action":
                    assert text == '{"limit":1024}'
                if status == 415 and path == "/action":
                    assert answer.headers["accept"] == OCTETS
                    assert text == '{"expected":"application/octet-stream"}'
                if status == 405:
                    assert answer.headers["allow"]
            assert await venue.get("/timestamp") == START_S

    run(work)


@pytest.mark.parametrize(
    ("fault", "named", "known"),
    [
        ({"knob": "act.nope"}, "act.nope", "act.drop_resp"),
        ({"knob": 7}, "7", "act.drop_resp"),
        ({}, "None", "act.drop_resp"),
        ({"knob": "act.slow", "mss": 5}, "mss", "jitter_ms"),
        ({"knob": "act.slow", "ms": "5"}, "'5'", "whole number"),
        ({"knob": "act.slow", "ms": -5}, "-5", "from 0"),
        ({"knob": "act.slow", "ms": True}, "True", "whole number"),
        ({"knob": "act.slow", "side": "up"}, "up", "before, after"),
        ({"knob": "act.receipt_mutate"}, "field", "required"),
        ({"knob": "act.body", "hex": "abc"}, "abc", "text like"),
        ({"knob": "http.redirect", "to": "a\r\nb"}, "to", "text like"),
        ({"knob": "act.slow", "p": 1.5}, "p", "from 0 to 1"),
        ({"knob": "act.slow", "every_n": 0}, "every_n", "from 1"),
        ({"knob": "act.slow", "market": "DOGE"}, "DOGE", "BTCUSD"),
        ({"knob": "act.slow", "account": "1"}, "account", "whole number"),
        ({"knob": "eng.maintenance", "p": 0.5}, "eng.maintenance", "for_ms"),
    ],
)
def test_a_fault_that_cannot_be_set_is_named_with_what_can(
    fault: dict[str, Any], named: str, known: str
) -> None:
    async def work() -> None:
        async with served() as venue:
            good = {"knob": "md.drop"}
            body = {"set": [good, fault]}
            async with venue.http.post(f"{venue.url}/_ctl/faults", json=body) as answer:
                assert answer.status == 400
                text = (await answer.json())["error"]
            assert text.startswith("1")
            assert named in text
            assert known in text
            assert (await venue.get("/_ctl/faults"))["faults"] == []

    run(work)


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        (b"\x00\x01\x02\x03garbage\r\n\r\n", b"HTTP/1.0 400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"HTTP/1.0 400"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.0 400"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n", b"HTTP/1.0 400"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 20_000 + b"\r\n\r\n", b"HTTP/1.0 400"),
        (
            b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Length: 52428800\r\n\r\n",
            b"HTTP/1.1 413",
        ),
        (
            b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Length: -5\r\n\r\n",
            b"HTTP/1.0 400",
        ),
    ],
)
def test_broken_http_is_refused_and_the_connection_closed(sent: bytes, got: bytes) -> None:
    async def work() -> None:
        async with served(Setup(patience=HASTY)) as venue:
            assert (await _says(venue, sent)).startswith(got)
            await until(lambda: venue.server.connections.open == 0)

    run(work)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /info HT",
        b"GET /info HTTP/1.1\r\nHost: x\r\n",
        b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Length: 100\r\n\r\nhalf a",
        b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal",
    ],
)
def test_who_does_not_finish_a_request_is_cut_off(sent: bytes) -> None:
    async def work() -> None:
        async with served(Setup(patience=HASTY)) as venue:
            loop = asyncio.get_running_loop()
            start = loop.time()
            await _says(venue, sent)
            assert loop.time() - start < 3
            await until(lambda: venue.server.connections.open == 0)

    run(work)


def test_a_chunked_body_without_end_is_refused_after_1024_bytes() -> None:
    async def work() -> None:
        async with served() as venue:
            sent = 0

            async def flood() -> Any:
                nonlocal sent
                while True:
                    sent += 1024
                    yield b"x" * 1024

            headers = {"Content-Type": OCTETS}
            url = f"{venue.url}/action"
            async with venue.http.post(url, data=flood(), headers=headers) as answer:
                assert answer.status == 413
            assert sent < 1 << 30
            assert await venue.get("/timestamp") == START_S

    run(work)


def test_more_connections_than_allowed_are_hung_up_on() -> None:
    async def work() -> None:
        async with served(Setup(patience=Patience(max_connections=5))) as venue:
            opened = [
                await asyncio.open_connection("127.0.0.1", venue.address.port) for _ in range(5)
            ]
            assert await _says(venue, b"GET /timestamp HTTP/1.1\r\nHost: x\r\n\r\n") == b""
            opened[0][1].close()
            await until(lambda: venue.server.connections.open == 4)
            assert b"1800000000" in await _says(
                venue, b"GET /timestamp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            for _, writer in opened:
                writer.close()

    run(work)


def _masked(first: int, size: int, sent: bytes = b"") -> bytes:
    long = size.to_bytes(8, "big") if size > 65_535 else size.to_bytes(2, "big")
    length = bytes([0x80 | size]) if size < 126 else bytes([0xFF if size > 65_535 else 0xFE]) + long
    return bytes([first]) + length + b"\0\0\0\0" + sent


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (_masked(0x81, 52_428_800, b"x" * 100_000), 1009),
        (_masked(0x82, 65_537), 1009),
        (_masked(0x01, 60_000, b"x" * 60_000) + _masked(0x80, 60_000), 1009),
        (b"\x81\x05hello", 1002),
        (_masked(0xF1, 5), 1002),
        (_masked(0x83, 5), 1002),
        (_masked(0x89, 126), 1002),
        (_masked(0x09, 5), 1002),
        (_masked(0x80, 5), 1002),
        (_masked(0x88, 2, b"\x03\xe8"), 1000),
    ],
)
def test_hostile_frames_are_answered_with_their_close_code(sent: bytes, code: int) -> None:
    async def work() -> None:
        async with served() as venue:
            got = await _says(venue, UPGRADE + sent)
            head, _, frames = got.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101")
            assert frames == b"\x88\x02" + code.to_bytes(2, "big")
            await until(lambda: len(venue.server.floor.hub) == 0)

    run(work)


@pytest.mark.parametrize(
    "changed",
    [
        (b"Version: 13", b"Version: 8"),
        (b"AAAAAAAAAAAAAAAAAAAAAA==", b"short"),
        (b"AAAAAAAAAAAAAAAAAAAAAA==", b"\xff\xfe"),
        (b"Upgrade: websocket\r\n", b""),
    ],
)
def test_half_a_handshake_is_refused(changed: tuple[bytes, bytes]) -> None:
    async def work() -> None:
        async with served() as venue:
            got = await _says(venue, UPGRADE.replace(*changed), until_closed=False)
            assert got.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))

    run(work)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff" * 1024,
        bytes(64),
        b"\x05hello" + bytes(64),
        b"\x80" * 70,
        b"\x7f" * 200,
    ],
)
def test_garbage_actions_get_a_receipt_with_an_error(body: bytes) -> None:
    async def work() -> None:
        async with served() as venue:
            trader = await Trader(venue).open()
            before = venue.exchange.state.action_id
            assert (await trader.send(body)).WhichOneof("kind") == "err"
            assert venue.exchange.state.action_id == before

    run(work)
