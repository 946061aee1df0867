"""The network of simulations behaves as TCP does, seen through asyncio's own streams."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.loop import VirtualLoop, kill, start
from tests.simulation.network import KERNEL_BYTES
from tests.simulation.process import Process

Work = Callable[["Pair"], Awaitable[None]]


class Pair:
    """A client, a server that echoes, and the loop between them."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.server, self.client = Process("server"), Process("client")
        self.accepted: list[asyncio.StreamWriter] = []
        self.heard = b""
        self.errors: list[type[Exception]] = []

    async def serve(self) -> None:
        door = await asyncio.start_server(self.echo, "127.0.0.1", 80)
        async with door:
            await self.loop.create_future()

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.append(writer)
        try:
            while data := await reader.read(65_536):
                self.heard += data
                writer.write(data)
                await writer.drain()
        except ConnectionError as error:
            self.errors.append(type(error))
        writer.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", 80)


def run(work: Work) -> None:
    loop = VirtualLoop(3)

    async def whole() -> None:
        pair = Pair(loop)
        serving = start(loop, pair.server, pair.serve())
        await asyncio.sleep(0)
        await start(loop, pair.client, _awaited(work, pair))
        serving.cancel()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(whole())


async def _awaited(work: Work, pair: Pair) -> None:
    await work(pair)


def test_bytes_take_their_time_and_keep_their_order() -> None:
    async def work(pair: Pair) -> None:
        reader, writer = await pair.connect()
        begun_s = pair.loop.now_s
        for number in range(100):
            writer.write(b"%03d" % number)
        answer = await reader.readexactly(300)
        assert answer == b"".join(b"%03d" % number for number in range(100))
        terms = pair.loop.network.terms
        assert 2 * terms.latency_s <= pair.loop.now_s - begun_s <= 2 * terms.latency_s + 0.002
        writer.close()
        assert await reader.read() == b""

    run(work)


def test_nobody_listens() -> None:
    async def work(_pair: Pair) -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 81)

    run(work)


def test_what_was_sent_during_a_cut_arrives_after_it() -> None:
    async def work(pair: Pair) -> None:
        reader, writer = await pair.connect()
        network = pair.loop.network
        network.cut(pair.server)
        writer.write(b"hello")
        await asyncio.sleep(5.0)
        assert pair.heard == b""
        network.heal(pair.server)
        healed_s = pair.loop.now_s
        assert await reader.readexactly(5) == b"hello"
        # The system tries again at growing intervals: 6.2 s after the first time.
        assert 1.1 < pair.loop.now_s - healed_s < 1.3

    run(work)


def test_a_connection_is_not_made_during_a_cut() -> None:
    async def work(pair: Pair) -> None:
        pair.loop.network.cut(pair.client)
        with pytest.raises(TimeoutError):
            await asyncio.open_connection("127.0.0.1", 80)
        assert pair.loop.now_s > 100

    run(work)


def test_a_slow_reader_lets_the_writer_wait() -> None:
    async def work(pair: Pair) -> None:
        reader, writer = await pair.connect()
        await asyncio.sleep(0.1)
        transport = pair.accepted[0].transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        writer.write(bytes(2 * KERNEL_BYTES))
        assert writer.transport.get_write_buffer_size() == KERNEL_BYTES
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await writer.drain()
        transport.resume_reading()
        await writer.drain()
        assert await reader.readexactly(2 * KERNEL_BYTES) == bytes(2 * KERNEL_BYTES)

    run(work)


def test_a_killed_program_sends_what_it_had_sent_and_no_more() -> None:
    async def work(pair: Pair) -> None:
        other = Process("other")

        async def writes() -> None:
            _, writer = await pair.connect()
            writer.write(b"last words")
            try:
                await asyncio.sleep(10)
            finally:
                writer.write(b"from beyond")

        start(pair.loop, other, writes())
        await asyncio.sleep(0.0051)
        kill(pair.loop, other)
        await asyncio.sleep(1)
        assert pair.heard == b"last words"
        assert pair.errors == [ConnectionResetError]

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
        pair.accepted[0].write(b"anybody?")
        await asyncio.sleep(5)
        assert not pair.errors
        assert not pair.accepted[0].is_closing()

    run(work)


def test_a_reset_is_heard_on_both_sides() -> None:
    async def work(pair: Pair) -> None:
        reader, _ = await pair.connect()
        await asyncio.sleep(0.1)
        pair.loop.network.reset(pair.server)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await asyncio.sleep(0.1)
        assert pair.errors == [ConnectionResetError]

    run(work)


def test_writing_to_who_has_gone_is_answered_with_a_reset() -> None:
    async def work(pair: Pair) -> None:
        reader, writer = await pair.connect()
        await asyncio.sleep(0.1)
        pair.accepted[0].transport.abort()
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert writer.is_closing()

    run(work)


def test_a_name_is_found_or_not() -> None:
    async def work(pair: Pair) -> None:
        _, writer = await asyncio.open_connection("localhost", 80)
        writer.close()
        pair.loop.network.terms.unresolved = True
        with pytest.raises(OSError, match="name resolution"):
            await asyncio.open_connection("localhost", 80)

    run(work)
