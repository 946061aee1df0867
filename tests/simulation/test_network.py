"""The network of simulations behaves as TCP does, as protocols see it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.loop import VirtualLoop, kill, start
from tests.simulation.network import KERNEL_BYTES
from tests.simulation.process import Process

HOST, PORT = "127.0.0.1", 80
NOT_YET = object()


class Talker(asyncio.Protocol):
    """One side: what it heard and when, and how it ended."""

    def __init__(self, loop: VirtualLoop, echoes: bool = False) -> None:
        self.heard = b""
        self.at_s = 0.0
        self.ended: object = NOT_YET
        self.waits = False
        self.keeps = False
        self.transport: asyncio.Transport
        self._loop = loop
        self._echoes = echoes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.at_s = self._loop.now_s
        if self._echoes:
            self.transport.write(data)

    def eof_received(self) -> bool:
        return self.keeps

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = None if exc is None else type(exc)

    def pause_writing(self) -> None:
        self.waits = True

    def resume_writing(self) -> None:
        self.waits = False


class Pair:
    """A client and a server that echoes; `far` are the server's sides in order of arrival."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.server, self.client = Process("server"), Process("client")
        self.far: list[Talker] = []

    def accept(self) -> Talker:
        self.far.append(Talker(self.loop, echoes=True))
        return self.far[-1]

    async def connect(self, host: str = HOST, port: int = PORT) -> Talker:
        talker = Talker(self.loop)
        await self.loop.create_connection(lambda: talker, host, port)
        return talker


Work = Callable[[Pair], Awaitable[None]]


def run(work: Work) -> None:
    loop = VirtualLoop(3)

    async def whole() -> None:
        pair = Pair(loop)

        async def client() -> None:
            await work(pair)

        async def server() -> None:
            await loop.create_server(pair.accept, HOST, PORT)

        await start(loop, pair.server, server())
        await start(loop, pair.client, client())

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(whole())


def test_bytes_take_their_time_and_keep_their_order() -> None:
    async def work(pair: Pair) -> None:
        near = await pair.connect()
        begun_s = pair.loop.now_s
        words = [b"%03d" % number for number in range(100)]
        for word in words:
            near.transport.write(word)
        await asyncio.sleep(1)
        terms = pair.loop.network.terms
        assert near.heard == b"".join(words)
        assert 2 * terms.latency_s <= near.at_s - begun_s <= 2 * terms.latency_s + 0.002
        near.transport.close()
        await asyncio.sleep(1)
        assert (near.ended, pair.far[0].ended) == (None, None)

    run(work)


def test_nobody_listens() -> None:
    async def work(pair: Pair) -> None:
        with pytest.raises(ConnectionRefusedError):
            await pair.connect(port=81)

    run(work)


def test_what_was_sent_during_a_cut_arrives_after_it() -> None:
    async def work(pair: Pair) -> None:
        near = await pair.connect()
        network = pair.loop.network
        network.cut(pair.server)
        sent_s = pair.loop.now_s
        near.transport.write(b"hello")
        await asyncio.sleep(5.0)
        assert pair.far[0].heard == b""
        network.heal(pair.server)
        await asyncio.sleep(5.0)
        assert near.heard == b"hello"
        # The system tries again at growing intervals: here 6.2 s after the first time.
        assert pair.far[0].at_s - sent_s == pytest.approx(6.2)

    run(work)


def test_a_connection_is_not_made_during_a_cut() -> None:
    async def work(pair: Pair) -> None:
        pair.loop.network.cut(pair.client)
        with pytest.raises(TimeoutError):
            await pair.connect()
        assert pair.loop.now_s > 100

    run(work)


def test_a_slow_reader_lets_the_writer_wait() -> None:
    async def work(pair: Pair) -> None:
        near = await pair.connect()
        await asyncio.sleep(0.1)
        far = pair.far[0]
        far.transport.pause_reading()
        near.transport.write(bytes(2 * KERNEL_BYTES))
        assert near.transport.get_write_buffer_size() == KERNEL_BYTES
        await asyncio.sleep(5)
        assert near.waits
        far.transport.resume_reading()
        await asyncio.sleep(5)
        assert not near.waits
        assert near.heard == bytes(2 * KERNEL_BYTES)

    run(work)


def test_a_killed_program_sends_what_it_had_sent_and_no_more() -> None:
    async def work(pair: Pair) -> None:
        other = Process("other")

        async def writes() -> None:
            near = await pair.connect()
            near.transport.write(b"last words")
            try:
                await asyncio.sleep(10)
            finally:
                near.transport.write(b"from beyond")

        start(pair.loop, other, writes())
        await asyncio.sleep(0.0051)
        kill(pair.loop, other)
        await asyncio.sleep(1)
        assert pair.far[0].heard == b"last words"
        assert pair.far[0].ended is ConnectionResetError

    run(work)


def test_a_machine_without_power_says_nothing() -> None:
    async def work(pair: Pair) -> None:
        other = Process("other")

        async def waits() -> None:
            await pair.connect()
            await asyncio.sleep(10)

        start(pair.loop, other, waits())
        await asyncio.sleep(0.1)
        kill(pair.loop, other, silently=True)
        pair.far[0].transport.write(b"anybody?")
        await asyncio.sleep(5)
        assert pair.far[0].ended is NOT_YET

    run(work)


def test_a_reset_is_heard_on_both_sides() -> None:
    async def work(pair: Pair) -> None:
        near = await pair.connect()
        pair.loop.network.reset(pair.server)
        await asyncio.sleep(0.1)
        assert near.ended is ConnectionResetError
        assert pair.far[0].ended is ConnectionResetError
        assert not pair.client.sockets
        assert not pair.server.sockets

    run(work)


def test_writing_to_who_has_gone_is_answered_with_a_reset() -> None:
    async def work(pair: Pair) -> None:
        near = await pair.connect()
        near.keeps = True
        pair.far[0].transport.close()
        await asyncio.sleep(0.1)
        assert near.ended is NOT_YET
        near.transport.write(b"too late")
        await asyncio.sleep(0.1)
        assert near.ended is ConnectionResetError
        assert not pair.far[0].heard

    run(work)


def test_a_name_is_found_or_not() -> None:
    async def work(pair: Pair) -> None:
        await pair.connect("localhost")
        pair.loop.network.terms.unresolved = True
        with pytest.raises(OSError, match="name resolution"):
            await pair.connect("localhost")

    run(work)
