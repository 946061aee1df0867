"""The network between the programs of a simulation: connections in memory that behave like TCP.

What is written arrives in order after the latency of its direction, or not before a cut has healed;
what was handed over before a program died arrives still. A connection that is gone on one side is
reset when the other writes. Latencies are drawn for each connection by its number.
"""

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.process import PROCESS, Process

if TYPE_CHECKING:
    from tests.simulation.loop import VirtualLoop

# What the systems on both sides hold of a direction before its writer is told to wait.
KERNEL_BYTES = 256 * 1024
HIGH_WATER = 64 * 1024
# When a system tries again what was not answered, seconds after the first time.
RETRIES_S = (0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0, 102.2)
FIRST_PORT = 40_000


@dataclass
class Terms:
    """How the network is now: one-way latency with jitter, seconds; names nobody resolves."""

    latency_s: float = 0.002
    jitter_s: float = 0.0005
    unresolved: bool = False
    names: dict[str, str] = field(default_factory=lambda: {"localhost": "127.0.0.1"})


class Listening(asyncio.AbstractServer):
    """A server's door."""

    def __init__(self, network: "Network", address: tuple[str, int]) -> None:
        self._network = network
        self._address = address
        self.sockets = (self,)

    def getsockname(self) -> tuple[str, int]:
        """Where it is, as a socket says it."""
        return self._address

    def close(self) -> None:
        self._network.doors.pop(self._address, None)

    def is_serving(self) -> bool:
        return self._address in self._network.doors

    def get_loop(self) -> "VirtualLoop":
        return self._network.loop

    async def start_serving(self) -> None:
        return None

    async def serve_forever(self) -> None:
        await self._network.loop.create_future()

    async def wait_closed(self) -> None:
        return None


class Network:
    """Who listens, who is connected to whom, and who cannot reach anybody."""

    def __init__(self, loop: "VirtualLoop", seed: int) -> None:
        self.loop = loop
        self.terms = Terms()
        self.doors: dict[tuple[str, int], tuple[Callable[[], asyncio.Protocol], Context]] = {}
        # Programs that are cut off, and since when.
        self.cut_off: dict[Process, None] = {}
        self.taps: list[Callable[[Process | None, End, bytes], None]] = []
        self._seed = seed
        self._numbers = count(1)
        self._ports = count(FIRST_PORT)

    def resolve(self, host: str) -> str:
        """Return the address of a name; gaierror when there is none."""
        if host.replace(".", "").isdigit():
            return host
        if self.terms.unresolved or host not in self.terms.names:
            raise socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")
        return self.terms.names[host]

    def listen(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> "Listening":
        """Open a door; OSError when somebody has it."""
        address = (host, port or next(self._ports))
        if address in self.doors:
            raise OSError(errno.EADDRINUSE, "address already in use")
        context = Context() if (process := PROCESS.get()) is None else process.context
        self.doors[address] = (factory, context)
        return Listening(self, address)

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> "tuple[End, asyncio.Protocol]":
        """Make a connection: a round trip, or as long as the other side cannot be reached."""
        process = PROCESS.get()
        number = next(self._numbers)
        there = Line(self, Random(f"{self._seed}:{number}:there"))
        back = Line(self, Random(f"{self._seed}:{number}:back"))
        await self._reached(process)
        await asyncio.sleep(there.latency())
        door = self.doors.get((host, port))
        await asyncio.sleep(back.latency())
        if process is not None and not process.alive:
            await self.loop.create_future()
        if door is None or (host, port) not in self.doors:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "connection refused")
        own = ("127.0.0.1", next(self._ports))
        server_factory, server_context = door
        context = Context() if process is None else process.context
        near = End(self, there, context, {"sockname": own, "peername": (host, port)})
        far = End(self, back, server_context, {"sockname": (host, port), "peername": own})
        there.join(near, far)
        back.join(far, near)
        far.attach(server_context.copy().run(server_factory))
        protocol = factory()
        near.attach(protocol)
        return near, protocol

    async def _reached(self, process: Process | None) -> None:
        begun = self.loop.now_s
        for after in RETRIES_S:
            if process not in self.cut_off and (process is None or process.alive):
                return
            await asyncio.sleep(begun + after - self.loop.now_s)
        raise TimeoutError(errno.ETIMEDOUT, "connection timed out")

    def cut(self, process: Process) -> None:
        """Let nothing pass from or to a program; nobody is told."""
        self.cut_off[process] = None

    def heal(self, process: Process) -> None:
        """Let everything pass again, what is under way included."""
        self.cut_off.pop(process, None)
        for end in list(process.sockets):
            assert isinstance(end, End)
            end.out.retry()
            end.into.retry()

    def delay(self, process: Process, until: float) -> None:
        """Let nothing reach a program before a moment."""
        for end in list(process.sockets):
            assert isinstance(end, End)
            end.into.hold(until)

    def reset(self, process: Process) -> None:
        """Break all connections of a program for both sides."""
        for end in list(process.sockets):
            assert isinstance(end, End)
            end.out.send(RESET)
            end.into.send(RESET)


EOF_MARK = b"<eof>"
RESET = b"<reset>"


class Line:
    """One direction of a connection: what is under way, and when it arrives.

    `blocked` is a line that nothing passes any more, of which nobody was told (half open).
    """

    def __init__(self, network: Network, rng: Random) -> None:
        self.blocked = False
        self.size = 0
        self._network = network
        self._rng = rng
        self._queue: deque[tuple[float, float, bytes]] = deque()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._from: End
        self._to: End

    def join(self, source: "End", target: "End") -> None:
        """Say whom it leads from and to."""
        self._from, self._to = source, target
        target.into = self

    def latency(self) -> float:
        """Return the next message's time on the way."""
        terms = self._network.terms
        return terms.latency_s + terms.jitter_s * self._rng.random()

    @property
    def unsent(self) -> int:
        """Bytes that wait at the writer."""
        return max(0, self.size - KERNEL_BYTES)

    def send(self, data: bytes) -> None:
        """Put something on its way; EOF_MARK and RESET, the objects, are no data."""
        now = self._network.loop.now_s
        self._last = due = max(self._last, now + self.latency())
        self._queue.append((due, now, data))
        if data is not EOF_MARK and data is not RESET:
            self.size += len(data)
        self._schedule()

    def drop_unsent(self) -> None:
        """Forget what the writer's system has not taken yet."""
        while self._queue and self.unsent:
            _, _, data = self._queue.pop()
            if data is not EOF_MARK and data is not RESET:
                self.size -= len(data)

    def retry(self) -> None:
        """The way is free again: what waits comes when it is tried the next time."""
        if self._queue and self._timer is None:
            now = self._network.loop.now_s
            _, sent, _ = self._queue[0]
            again = next((sent + after for after in RETRIES_S if sent + after >= now), now)
            self.hold(again)
            self._schedule()

    def hold(self, until: float) -> None:
        """Let nothing arrive before a moment."""
        self._last = max(self._last, until)
        waiting = [(max(due, until), sent, data) for due, sent, data in self._queue]
        self._queue = deque(waiting)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._schedule()

    def pump(self) -> None:
        """The reader reads again."""
        self._schedule()

    def _is_cut(self) -> bool:
        cut_off = self._network.cut_off
        return self.blocked or (
            bool(cut_off) and (self._from.process in cut_off or self._to.process in cut_off)
        )

    def _schedule(self) -> None:
        if self._timer is None and self._queue and not self._to.paused and not self._is_cut():
            due = max(self._queue[0][0], self._network.loop.now_s)
            context = self._to.context
            self._timer = self._network.loop.call_at(due, self._arrive, context=context.copy())

    def _arrive(self) -> None:
        self._timer = None
        if self._to.paused or self._is_cut():
            return
        process, now = self._to.process, self._network.loop.now_s
        if process is not None and process.frozen_until > now:
            self.hold(process.frozen_until)
            self._schedule()
            return
        due = now + 1e-9
        chunks = []
        mark = None
        while self._queue and self._queue[0][0] <= due and mark is None:
            _, _, data = self._queue.popleft()
            if data is EOF_MARK or data is RESET:
                mark = data
            else:
                chunks.append(data)
        if chunks:
            data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            self.size -= len(data)
            self._to.receive(data)
        if mark is not None:
            self._to.receive(mark)
        if not self._to.paused:
            self._schedule()
        self._from.drained()


class _Held(asyncio.Transport):
    """What a transport says of itself: its protocol, its reading, its buffer."""

    def __init__(self, out: Line, names: dict[str, Any]) -> None:
        super().__init__(names)
        self.out = out
        self.into: Line
        self.paused = False
        self._protocol: asyncio.Protocol
        self._closing = False
        self._water = (HIGH_WATER // 4, HIGH_WATER)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return not self.paused and not self._closing

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        if self.paused:
            self.paused = False
            self.into.pump()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        high = HIGH_WATER if high is None else high
        self._water = (high // 4 if low is None else low, high)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._water

    def get_write_buffer_size(self) -> int:
        return self.out.unsent

    def can_write_eof(self) -> bool:
        return True


class End(_Held):
    """One side of a connection, as the protocol on it sees it."""

    def __init__(
        self, network: Network, out: Line, context: Context, names: dict[str, Any]
    ) -> None:
        super().__init__(out, names)
        self.context = context
        self.process = context.get(PROCESS)
        self._network = network
        self._lost = False
        self._writer_waits = False

    def attach(self, protocol: asyncio.Protocol) -> None:
        """Let a protocol have it."""
        self._protocol = protocol
        if self.process is not None:
            self.process.sockets[self] = None
        self.context.copy().run(protocol.connection_made, self)

    def write_eof(self) -> None:
        if not self._closing:
            self.out.send(EOF_MARK)

    def write(self, data: Any) -> None:
        if self._closing or self._is_dead() or not data:
            return
        content = bytes(data)
        for tap in self._network.taps:
            tap(self.process, self, content)
        self.out.send(content)
        if not self._writer_waits and self.out.unsent > self._water[1]:
            self._writer_waits = True
            self._protocol.pause_writing()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._is_dead():
            self.out.send(EOF_MARK)
        if not self.out.unsent:
            self._lose(None)

    def abort(self) -> None:
        if not self._lost:
            self._closing = True
            self.out.drop_unsent()
            self.out.send(RESET)
            self._lose(None)

    def vanish(self) -> None:
        """End without a word to the other side; what was sent arrives still."""
        self.into.blocked = True
        self._closing = True
        self._lose(None)

    def receive(self, data: bytes) -> None:
        """Take what has come."""
        if data is RESET:
            self._closing = True
            self._lose(ConnectionResetError(errno.ECONNRESET, "connection reset by peer"))
        elif data is EOF_MARK:
            if not self._closing and not self._protocol.eof_received():
                self.close()
        elif self._closing:
            self.out.send(RESET)
        else:
            self._protocol.data_received(data)

    def drained(self) -> None:
        """Something of what was written has arrived."""
        if self._lost:
            return
        if self._closing and not self.out.unsent:
            self._lose(None)
        elif self._writer_waits and self.out.unsent <= self._water[0]:
            self._writer_waits = False
            self.context.copy().run(self._protocol.resume_writing)

    def _is_dead(self) -> bool:
        return self.process is not None and not self.process.alive

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            if self.process is not None:
                self.process.sockets.pop(self, None)
            context = self.context.copy()
            self._network.loop.call_soon(self._protocol.connection_lost, error, context=context)
