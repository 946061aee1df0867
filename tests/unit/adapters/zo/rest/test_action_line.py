"""Warm connections for actions: written at once, never twice, and honest about what left."""

import asyncio
import select
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import uvloop

from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.action_line import ActionLine, Answer, LineParams, Lost
from mmbot.adapters.zo.rest.transport import MAX_RECEIPT_BYTES, Reply
from mmbot.adapters.zo.wire.outcomes import NotSent

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 2\r\n\r\nhi"
PARAMS = LineParams(connections=1, most=2, connect_s=0.5, answer_s=0.3, retry_s=0.02)


class Place:
    """A place that answers each request with the next of `answers`, or not at all."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(size))
                answer = self.answers.pop(0) if self.answers else b""
                writer.write(answer)
                if b"Connection: close" in answer or answer.startswith(b"HTTP/1.0"):
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what holds is another's doing
        await asyncio.sleep(0.005)


def play(place: Place, work: Callable[[ActionLine], Awaitable[None]]) -> None:
    async def whole() -> None:
        server = await asyncio.start_server(place.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        line = ActionLine(Origin("http", "127.0.0.1", port), PARAMS)
        keep = asyncio.create_task(line.run())
        async with asyncio.timeout(10):
            await until(lambda: line.warm)
            await work(line)
        keep.cancel()
        await asyncio.gather(keep, return_exceptions=True)
        server.close()
        await asyncio.sleep(0.05)

    uvloop.run(whole())


async def answered(line: ActionLine, body: bytes = b"body", *, urgent: bool = False) -> Answer:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    line.post(body, future.set_result, urgent=urgent)
    return await future


def test_requests_follow_each_other_on_one_connection() -> None:
    place = Place([OK, OK, OK])

    async def work(line: ActionLine) -> None:
        for body in (b"a", b"bc", b"def"):
            assert await answered(line, body) == Reply(200, "application/octet-stream", "", b"hi")

    play(place, work)
    assert [each.rpartition(b"\r\n\r\n")[2] for each in place.requests] == [b"a", b"bc", b"def"]
    assert all(b"POST /action HTTP/1.1\r\n" in each for each in place.requests)


def test_bytes_have_left_when_post_returns() -> None:
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as door:
            door.setblocking(False)
            line = ActionLine(Origin("http", "127.0.0.1", door.getsockname()[1]), PARAMS)
            keep = asyncio.create_task(line.run())
            first, _ = await loop.sock_accept(door)
            second, _ = await loop.sock_accept(door)
            with first, second:
                await until(lambda: line.opened == len((first, second)))
                line.post(b"body", lambda _: None)
                # The loop had no turn since.
                heard, _, _ = select.select([first, second], [], [], 1.0)
                assert [each.recv(1024)[-4:] for each in heard] == [b"body"]
                keep.cancel()
                await asyncio.gather(keep, return_exceptions=True)

    uvloop.run(whole())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_RECEIPT_BYTES + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n" % (MAX_RECEIPT_BYTES + 1, b"x" * (MAX_RECEIPT_BYTES + 1)),
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % at for at in range(65)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhi",
    ],
    ids=["none", "redirect", "gzip", "long", "long chunk", "headers", "header", "no http", "cut"],
)
def test_an_answer_of_no_good_form_is_lost_and_nothing_is_sent_again(answer: bytes) -> None:
    place = Place([answer])

    async def work(line: ActionLine) -> None:
        assert isinstance(await answered(line), Lost)

    play(place, work)
    assert len(place.requests) == 1


def test_a_connection_that_ends_after_its_answer_is_replaced() -> None:
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    place = Place([last, OK])

    async def work(line: ActionLine) -> None:
        assert isinstance(await answered(line), Reply)
        assert isinstance(await answered(line), Reply)

    play(place, work)
    assert len(place.requests) == 2


def test_an_urgent_request_finds_a_connection_of_its_own() -> None:
    place = Place([])

    async def work(line: ActionLine) -> None:
        await until(lambda: line.opened == 2)
        line.post(b"slow", lambda _: None)
        place.answers = [b"", OK]
        await asyncio.sleep(0.02)
        place.answers = [OK]
        assert isinstance(await answered(line, b"cancel", urgent=True), Reply)

    play(place, work)


def test_where_nobody_listens_nothing_was_sent() -> None:
    async def whole() -> None:
        line = ActionLine(Origin("http", "127.0.0.1", 9), PARAMS)
        async with asyncio.timeout(10):
            assert isinstance(await answered(line), NotSent)

    asyncio.run(whole())


def test_what_finds_no_connection_in_time_is_not_sent() -> None:
    place = Place([b"", OK, OK])

    async def work(line: ActionLine) -> None:
        answers: list[Answer] = []
        # Two hang, and no third may be opened.
        line.post(b"hangs", answers.append)
        line.post(b"hangs too", answers.append)
        line.post(b"late", answers.append)
        await until(lambda: any(isinstance(each, NotSent) for each in answers))
        assert not any(b"late" in each for each in place.requests)

    play(place, work)


class _Deaf(asyncio.Transport):
    def abort(self) -> None:
        """There is nothing to end."""


class _Fleeting(asyncio.SelectorEventLoop):
    """Every connection has ended by the time whoever asked for it hears of it."""

    async def create_connection(
        self, protocol_factory: Callable[[], Any], *_args: Any, **_options: Any
    ) -> Any:
        transport, protocol = _Deaf(), protocol_factory()
        protocol.connection_made(transport)
        self.call_soon(protocol.connection_lost, None)
        await asyncio.sleep(0)
        return transport, protocol


def test_a_connection_that_ends_as_it_is_made_is_never_used() -> None:
    broke: list[dict[str, Any]] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: broke.append(what))
        line = ActionLine(Origin("http", "127.0.0.1", 1), PARAMS)
        keep = asyncio.create_task(line.run())
        await asyncio.sleep(3 * PARAMS.retry_s)
        assert (line.opened, line.broken, line.warm) == (0, 0, False)
        assert not keep.done()
        keep.cancel()
        await asyncio.gather(keep, return_exceptions=True)

    with asyncio.Runner(loop_factory=_Fleeting) as runner:
        runner.run(whole())
    assert not broke
