import asyncio
import base64
import hashlib
import os
import socket
from collections.abc import Awaitable, Callable
from random import Random

import pytest
import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import Connection, ConnectionParams, Malformed
from tests.fakes.socket_server import SocketServer, socket_server

FAST = BackoffParams(first_s=0.001, most_s=0.005, attempts=10**9)
S = 1_000_000_000


class Notes:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.times: list[int] = []

    def opened(self, now_ns: int) -> None:
        self.told.append("opened")
        self.times.append(now_ns)

    def frame(self, frame: bytes, now_ns: int) -> None:
        assert type(frame) is bytes
        self.told.append(frame.decode())
        self.times.append(now_ns)
        if frame.startswith(b"bad"):
            raise ValueError("bad")

    def closed(self, reason: str, now_ns: int) -> None:
        self.told.append(f"closed: {reason}")
        self.times.append(now_ns)


async def with_connection(
    server: SocketServer,
    doing: Callable[[Connection, Notes], Awaitable[None]],
    params: ConnectionParams | None = None,
    path: str = "/ws/deltas@BTCUSD&candle@BTCUSD:1",
) -> Notes:
    notes = Notes()
    params = params or ConnectionParams(backoff=FAST)
    connection = Connection(server.url + path, notes, params, steady_clock(), Random(1))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(connection.run())
        await doing(connection, notes)
        task.cancel()
    assert not connection.connected
    assert notes.times == sorted(notes.times)
    return notes


def test_streams_stand_unescaped_in_the_path_and_frames_arrive_in_order() -> None:
    async def script(peer: ServerConnection) -> None:
        await peer.send("one")
        await peer.send(b"two")
        await peer.wait_closed()

    async def run() -> None:
        async with socket_server(script) as server:

            async def doing(connection: Connection, notes: Notes) -> None:
                await server.until(lambda: len(notes.told) == 3)
                assert connection.connected
                assert connection.generation == 1

            notes = await with_connection(server, doing)
            assert notes.told == ["opened", "one", "two", "closed: cancelled"]
            assert server.paths == ["/ws/deltas@BTCUSD&candle@BTCUSD:1"]

    uvloop.run(run())


def test_every_kind_of_loss_is_followed_by_a_new_connection() -> None:
    losses = iter(["close", "code", "abort", "cut", "big", "stay"])

    async def script(peer: ServerConnection) -> None:
        await peer.send("hello")
        match next(losses):
            case "close":
                await peer.close()
            case "code":
                await peer.close(1012, "restart")
            case "abort":
                peer.transport.abort()
            case "cut":
                peer.transport.write(b"\x81\x7e\xff")
                peer.transport.close()
            case "big":
                await peer.send("x" * (1 << 20) + "x")
                await peer.wait_closed()
            case _:
                await peer.wait_closed()

    async def run() -> None:
        async with socket_server(script) as server:

            async def doing(connection: Connection, notes: Notes) -> None:
                await server.until(lambda: connection.generation == 6 and notes.told[-1] == "hello")

            notes = await with_connection(server, doing)
        life = ["opened", "hello"]
        assert [told for told in notes.told if not told.startswith("closed")] == life * 6
        reasons = [told for told in notes.told if told.startswith("closed")]
        assert reasons[:2] == [
            "closed: closed by the venue with code 1000",
            "closed: closed by the venue with code 1012",
        ]
        assert reasons[4] == "closed: closed with code 1009"

    uvloop.run(run())


def test_malformed_frames_end_the_connection_at_the_third_in_ten_seconds() -> None:
    async def script(peer: ServerConnection) -> None:
        for text in ("bad1", "good", "bad2", "good", "bad3", "never"):
            await peer.send(text)
        await peer.wait_closed()

    async def run() -> None:
        async with socket_server(script) as server:

            async def doing(connection: Connection, _notes: Notes) -> None:
                await server.until(lambda: connection.generation == 2)

            notes = await with_connection(server, doing)
        assert notes.told[:6] == ["opened", "bad1", "good", "bad2", "good", "bad3"]
        assert notes.told[6] == "closed: malformed frames, the last: bad"
        assert notes.told[7] == "opened"

    uvloop.run(run())


def test_malformed_frames_are_forgotten_after_ten_seconds() -> None:
    malformed = Malformed(3, 10.0)
    times = [0, 1, 11, 12, 21, 22]
    assert [malformed.add(each * S) for each in times] == [False] * 3 + [False, True, True]


def test_giving_up_needs_nothing_of_a_dead_peer() -> None:
    async def script(peer: ServerConnection) -> None:
        await peer.send("hello")
        # Half open: the peer neither reads nor answers any more.
        peer.transport.pause_reading()
        await asyncio.sleep(1.5)

    async def run() -> None:
        async with socket_server(script) as server:

            async def doing(connection: Connection, notes: Notes) -> None:
                await server.until(lambda: len(notes.told) == 2)
                started = asyncio.get_running_loop().time()
                connection.give_up("no data")
                connection.give_up("again")
                await server.until(lambda: connection.generation == 2)
                assert asyncio.get_running_loop().time() - started < 1.0

            notes = await with_connection(server, doing)
            for peer in list(server.open):
                peer.transport.abort()
        assert notes.told[:4] == ["opened", "hello", "closed: no data", "opened"]

    uvloop.run(run())


def test_silence_ends_a_connection_where_asked_for() -> None:
    async def script(peer: ServerConnection) -> None:
        await peer.wait_closed()

    async def run() -> None:
        async with socket_server(script) as server:

            async def doing(connection: Connection, _notes: Notes) -> None:
                await server.until(lambda: connection.generation == 2)

            params = ConnectionParams(backoff=FAST, silent_s=0.05)
            notes = await with_connection(server, doing, params)
        assert notes.told[:3] == ["opened", "closed: nothing came for 0.05 s", "opened"]

    uvloop.run(run())


async def _welcome(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read the request; it, and the bytes that say yes to it."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if b"Sec-WebSocket-Key" in line)
    accept = base64.b64encode(
        hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324
    )
    return head, (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def _against(
    attend: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    listener: Notes,
    until: Callable[[], Awaitable[object]],
    params: ConnectionParams = ConnectionParams(close_s=0.05),  # noqa: B008 - it is frozen
) -> None:
    """Let a connection run against a server that is no more than its bytes."""
    attending: list[asyncio.Task[None]] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attending.append(asyncio.create_task(_attended(attend(reader, writer), writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"ws://127.0.0.1:{port}/ws/x"
    task = asyncio.create_task(Connection(url, listener, params, steady_clock(), Random(1)).run())
    try:
        async with asyncio.timeout(5):
            await until()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        server.close()
        async with asyncio.timeout(5):
            await asyncio.gather(*attending)
    if not task.cancelled():
        await task


async def _attended(script: Awaitable[None], writer: asyncio.StreamWriter) -> None:
    try:
        await script
    finally:
        writer.close()
        await writer.wait_closed()


def test_no_pings_are_sent() -> None:
    received: asyncio.Queue[bytes] = asyncio.Queue()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, welcome = await _welcome(reader)
        assert b"permessage-deflate" not in head
        writer.write(welcome)
        try:
            async with asyncio.timeout(0.3):
                received.put_nowait(await reader.read(1))
        except TimeoutError:
            received.put_nowait(b"quiet")

    async def until() -> None:
        assert await received.get() == b"quiet"

    asyncio.run(_against(attend, Notes(), until))


def test_what_comes_with_the_welcome_and_in_fragments_is_told_whole_and_in_order() -> None:
    gone = asyncio.Event()

    class Listener(Notes):
        def closed(self, reason: str, now_ns: int) -> None:
            super().closed(reason, now_ns)
            gone.set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, welcome = await _welcome(reader)
        # A ping may come between the fragments of a message, and any of them may be empty.
        writer.write(welcome + b"\x81\x05early" + b"\x01\x00" + b"\x00\x02he" + b"\x89\x00")
        await writer.drain()
        writer.write(b"\x00\x02ll" + b"\x80\x01o" + b"\x82\x04last")
        await writer.drain()

    notes = Listener()
    asyncio.run(_against(attend, notes, gone.wait))
    assert notes.told == ["opened", "early", "hello", "last", "closed: connection lost"]


def test_who_is_cancelled_while_it_closes_leaves_no_socket() -> None:
    received = asyncio.Event()
    ended = asyncio.Event()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, welcome = await _welcome(reader)
        # Closing is asked for, and never answered.
        writer.write(welcome + b"\x81\x04bad1" + b"\x81\x04bad2" + b"\x81\x04bad3")
        await reader.read(1)
        received.set()
        await reader.read()
        ended.set()

    params = ConnectionParams(close_s=60.0)
    asyncio.run(_against(attend, Notes(), received.wait, params))
    assert ended.is_set()


def test_a_listener_that_fails_ends_the_connection_with_its_error() -> None:
    failed = asyncio.Event()

    class Listener(Notes):
        def frame(self, frame: bytes, now_ns: int) -> None:
            super().frame(frame, now_ns)
            failed.set()
            raise LookupError("a mistake of ours")

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, welcome = await _welcome(reader)
        writer.write(welcome + b"\x81\x03one" + b"\x81\x03two")
        await reader.read()

    async def until() -> None:
        await failed.wait()
        await asyncio.sleep(0.3)

    notes = Listener()
    with pytest.raises(LookupError, match="a mistake of ours"):
        asyncio.run(_against(attend, notes, until))
    assert notes.told[:2] == ["opened", "one"]
    assert "two" not in notes.told


@pytest.mark.parametrize("status", [301, 302, 307, 404, 429, 502])
def test_redirects_are_not_followed_and_refusals_are_tried_again(status: int) -> None:
    tries = []
    elsewhere = []

    async def script(peer: ServerConnection) -> None:
        elsewhere.append(peer)
        await peer.wait_closed()

    def refuse(_peer: ServerConnection, request: Request) -> Response | None:
        tries.append(request.path)
        if request.path == "/elsewhere":
            return None
        return Response(status, "no", Headers({"Location": "/elsewhere"}))

    async def run() -> None:
        async with socket_server(script, refuse) as server:

            async def doing(_connection: Connection, _notes: Notes) -> None:
                await server.until(lambda: len(tries) > 3)

            notes = await with_connection(server, doing, path="/ws/x")
        assert not notes.told
        assert not elsewhere
        assert set(tries) == {"/ws/x"}

    asyncio.run(run())


def test_a_server_that_is_not_there_is_tried_for_ever() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{held.getsockname()[1]}/ws/x"

        async def run() -> None:
            notes = Notes()
            params = ConnectionParams(backoff=FAST)
            connection = Connection(url, notes, params, steady_clock(), Random(1))
            task = asyncio.create_task(connection.run())
            await asyncio.sleep(0.1)
            assert not task.done()
            assert connection.reason.startswith("cannot connect")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert not notes.told

        uvloop.run(run())


def test_hope_ends_a_pause_that_is_long() -> None:
    slow = ConnectionParams(backoff=BackoffParams(first_s=1e4, most_s=1e4))

    async def run() -> None:
        closing = asyncio.Event()

        async def script(peer: ServerConnection) -> None:
            if closing.is_set():
                await peer.wait_closed()
            await closing.wait()

        async with socket_server(script) as server:

            async def doing(connection: Connection, notes: Notes) -> None:
                # While it stands there is nothing to hurry.
                await server.until(lambda: connection.generation == 1)
                connection.hurry()
                closing.set()
                await server.until(lambda: len(notes.told) == 2)
                # Its pause lasts an hour on average.
                await asyncio.sleep(0.05)
                assert connection.generation == 1
                connection.hurry()
                await server.until(lambda: connection.generation == 2)

            await with_connection(server, doing, slow)

    uvloop.run(run())


def test_a_thousand_connections_leave_no_socket_and_no_task() -> None:
    async def script(peer: ServerConnection) -> None:
        peer.transport.abort()

    async def run() -> None:
        async with socket_server(script) as server:
            before = (len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()))

            async def doing(connection: Connection, _notes: Notes) -> None:
                await server.until(lambda: connection.generation >= 1000, 30.0)

            fast = BackoffParams(first_s=0.0, most_s=0.0, attempts=10**9)
            await with_connection(server, doing, ConnectionParams(backoff=fast))
            await server.until(lambda: not server.open)
            await asyncio.sleep(0.05)
            after = (len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()))
        assert after == before

    uvloop.run(run())
