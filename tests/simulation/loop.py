"""An event loop on virtual time: when nothing is ready it jumps to the next timer.

One thread, no sockets of the system, no clock: the same program takes the same steps. Networking
is in memory (see network), executors run inline, and a loop that would wait for ever says so.
"""

import asyncio
import heapq
import socket
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from itertools import count
from threading import get_ident
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from tests.simulation.network import Listening, Network
from tests.simulation.process import PROCESS, Process, owner

NS_PER_S = 1_000_000_000
RESOLUTION_S = 1e-9
# So many rounds at one moment of time are a program that never waits.
MOST_ROUNDS = 200_000
T = TypeVar("T")


class DeadlockError(Exception):
    """Nothing is ready and nothing is scheduled: the simulation would wait for ever."""


class LivelockError(Exception):
    """Time does not pass any more, although there is always something to do."""


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address."""

    def __init__(self, number: int, coro: Any, loop: asyncio.AbstractEventLoop, **more: Any) -> None:
        self._number = number
        super().__init__(coro, loop=loop, **more)

    def __hash__(self) -> int:
        return self._number


class _Selector:
    """What the loop asks when it has nothing to do: lets time pass."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop
        self._rounds = 0

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise DeadlockError("nothing is ready and nothing is scheduled")
        if timeout > 0:
            self._loop.now_s += timeout
            self._rounds = 0
        else:
            self._rounds += 1
            if self._rounds > MOST_ROUNDS:
                raise LivelockError(f"{MOST_ROUNDS} rounds at {self._loop.now_s:.6f} s")
        return []

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop; `now_s` counts from zero. `network` carries whatever programs say to each other."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._clock_resolution = RESOLUTION_S
        self._selector = _Selector(self)
        self.now_s = 0.0
        self.network = Network(self, seed)
        self._sockets: WeakKeyDictionary[socket.socket, tuple[str, int]] = WeakKeyDictionary()
        self._numbers = count(1)
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self.now_s

    @property
    def now_ns(self) -> int:
        """Virtual time in nanoseconds."""
        return round(self.now_s * NS_PER_S)

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        # Called for every call from another thread: there is none here, and none may come.
        pass

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        assert get_ident() == self._thread_id, "no other thread belongs to a simulation"  # type: ignore[attr-defined]
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it was belongs to whoever waits
            done.set_exception(error)
        return done

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        task = _Task(next(self._numbers), coro, loop, context=context)
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is not None:
            process.tasks[task] = None
            task.add_done_callback(lambda done: _forget(process, done))
        return task

    # -- networking

    async def getaddrinfo(  # type: ignore[override]
        self, host: str | None, port: int | None, **_options: Any
    ) -> list[Any]:
        address = self.network.resolve(host or "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        # The connection is made when its protocol is known.
        self._sockets[sock] = (address[0], address[1])

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        sock = options.get("sock")
        if options.get("ssl"):
            raise OSError("no encryption is spoken here")
        if sock is not None:
            host, port = self._sockets.pop(sock)
            sock.close()
        assert host is not None
        assert port is not None
        return await self.network.connect(protocol_factory, self.network.resolve(host), port)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        **_options: Any,
    ) -> Listening:
        return self.network.listen(protocol_factory, host, port)

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:
        process = PROCESS.get()
        assert process is not None, "a signal is sent to a program"
        process.signals[sig] = lambda: process.context.copy().run(callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        process = PROCESS.get()
        return process is not None and process.signals.pop(sig, None) is not None


def start(loop: VirtualLoop, process: Process, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Let a program run."""
    return loop.create_task(work, context=process.context.copy())


def freeze(loop: VirtualLoop, process: Process, for_s: float) -> None:
    """Let a program do nothing for a while; the world goes on, what comes for it waits."""
    until = process.frozen_until = max(process.frozen_until, loop.now_s + for_s)
    own = [handle for handle in loop._scheduled if owner(handle) is process]  # type: ignore[attr-defined]
    own.sort(key=lambda handle: handle.when())
    moment = count(1)
    for handle in list(loop._ready):  # type: ignore[attr-defined]
        if owner(handle) is process and not handle.cancelled():
            when = until + next(moment) * RESOLUTION_S
            loop.call_at(when, handle._callback, *handle._args, context=handle._context)
            handle.cancel()
    for handle in own:
        if handle.when() < until:
            handle._when = until + next(moment) * RESOLUTION_S
    heapq.heapify(loop._scheduled)  # type: ignore[attr-defined]
    loop.network.delay(process, until)


def kill(loop: VirtualLoop, process: Process, *, silently: bool = False) -> None:
    """End a program as SIGKILL does: its sockets close, nothing else it does reaches anybody.

    `silently`, as a machine without power: the other sides of its connections hear nothing.
    """
    process.alive = False
    process.frozen_until = 0.0
    process.signals.clear()
    for each in list(process.sockets):
        if silently:
            each.vanish()
        else:
            each.abort()
    for handle in list(loop._scheduled):  # type: ignore[attr-defined]
        if owner(handle) is process:
            handle.cancel()
    # Its memory is gone: whatever its tasks still do while they end is without effect.
    _bury(loop, process, 200)


def _bury(loop: VirtualLoop, process: Process, attempts: int) -> None:
    for task in list(process.tasks):
        task.cancel()
    if process.tasks:
        assert attempts, f"{process}: tasks that cannot be ended: {list(process.tasks)}"
        loop.call_later(0.05, _bury, loop, process, attempts - 1, context=Context())


def _forget(process: Process, task: asyncio.Task[Any]) -> None:
    process.tasks.pop(task, None)
    if not process.alive and not task.cancelled():
        # Nobody asks a dead program what went wrong.
        task.exception()
