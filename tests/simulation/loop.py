"""An event loop on virtual time: when nothing is ready it jumps to the next timer.

One thread, no sockets of the system, no clock: the same program takes the same steps. Networking
is in memory (see network), executors run inline, and a loop that would wait for ever says so.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from itertools import count
from threading import get_ident
from typing import Any, TypeVar

from tests.simulation.connecting import ConnectingLoop
from tests.simulation.network import Network
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


class Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address."""

    def __init__(
        self, number: int, coro: Any, loop: asyncio.AbstractEventLoop, **more: Any
    ) -> None:
        self._number = number
        self.process: Process | None = None
        super().__init__(coro, loop=loop, **more)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(ConnectingLoop):
    """The loop; `now_s` counts from zero. `network` carries whatever programs say to each other."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.now_s = 0.0
        # When, the order of asking, the call.
        self.timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._given_up = 0
        self._rounds = 0
        self.network = Network(self, seed)
        self._numbers = count(1)
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self.now_s

    @property
    def now_ns(self) -> int:
        """Virtual time in nanoseconds."""
        return round(self.now_s * NS_PER_S)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        handle._scheduled = True  # type: ignore[attr-defined]
        heapq.heappush(self.timers, (when, next(self._numbers), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:  # noqa: ARG002
        self._given_up += 1
        if self._given_up > 100 and self._given_up * 2 > len(self.timers):
            self._given_up = 0
            self.timers = [each for each in self.timers if not each[2].cancelled()]
            heapq.heapify(self.timers)

    def _run_once(self) -> None:
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[attr-defined]
        timers = self.timers
        if ready or self._stopping:  # type: ignore[attr-defined]
            self._rounds += 1
            if self._rounds > MOST_ROUNDS:
                raise LivelockError(f"{MOST_ROUNDS} rounds at {self.now_s:.6f} s")
        else:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise DeadlockError("nothing is ready and nothing is scheduled")
            self.now_s = max(self.now_s, timers[0][0])
            self._rounds = 0
        end = self.now_s + RESOLUTION_S
        while timers and timers[0][0] < end:
            handle = heapq.heappop(timers)[2]
            handle._scheduled = False  # type: ignore[attr-defined]
            ready.append(handle)
        for _ in range(len(ready)):
            each = ready.popleft()
            if not each.cancelled():
                each._run()

    def _write_to_self(self) -> None:
        # Called for every call from another thread: there is none here, and none may come.
        pass

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        assert get_ident() == self._thread_id, "no other thread belongs to a simulation"  # type: ignore[attr-defined]
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Any,  # noqa: ARG002 - everything runs here
        func: Callable[..., T],
        *args: Any,
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
        task = Task(next(self._numbers), coro, loop, context=context)
        process = PROCESS.get() if context is None else context.get(PROCESS)
        task.process = process
        if process is not None:
            process.tasks[task] = None
            task.add_done_callback(lambda done: _forget(process, done))
        return task


def start(loop: VirtualLoop, process: Process, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Let a program run."""
    return loop.create_task(work, context=process.context.copy())


def freeze(loop: VirtualLoop, process: Process, for_s: float) -> None:
    """Let a program do nothing for a while; the world goes on, what comes for it waits."""
    until = process.frozen_until = max(process.frozen_until, loop.now_s + for_s)
    process.put_off = [turn for turn in process.put_off if turn._scheduled]
    for handle in list(loop._ready):  # type: ignore[attr-defined]
        if owner(handle) is process and not handle.cancelled():
            put_off = loop.call_at(until, handle._callback, *handle._args, context=handle._context)
            process.put_off.append(put_off)
            handle.cancel()
    loop.timers.sort()
    for place, (when, number, timer) in enumerate(loop.timers):
        if when < until and owner(timer) is process:
            loop.timers[place] = (until, number, timer)
    heapq.heapify(loop.timers)
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
    # A task whose turn was put off can end only when it gets its turn.
    for turn in process.put_off:
        if turn._scheduled and not turn.cancelled():
            loop.call_soon(turn._callback, *turn._args, context=turn._context)
    process.put_off.clear()
    for _, _, timer in list(loop.timers):
        if owner(timer) is process:
            timer.cancel()
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
