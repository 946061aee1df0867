"""The loop of simulations: time, order, programs that freeze and die, and what waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.loop import DeadlockError, LivelockError, VirtualLoop, freeze, kill, start
from tests.simulation.process import Process


def run(work: Callable[[VirtualLoop], Awaitable[None]]) -> VirtualLoop:
    loop = VirtualLoop(1)

    async def whole() -> None:
        await work(loop)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(whole())
    return loop


def test_time_jumps_to_what_is_next() -> None:
    seen = []

    async def work(loop: VirtualLoop) -> None:
        async def sleeper(delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            seen.append((delay_s, loop.now_ns))

        await asyncio.gather(*(sleeper(each) for each in (3600.0, 0.25, 0.5)))

    run(work)
    assert seen == [(0.25, 250_000_000), (0.5, 500_000_000), (3600.0, 3_600_000_000_000)]


def test_calls_of_one_moment_come_in_the_order_they_were_asked_for() -> None:
    seen: list[int] = []

    async def work(loop: VirtualLoop) -> None:
        for number in range(50):
            loop.call_at(5.0, seen.append, number)
        await asyncio.sleep(6)

    run(work)
    assert seen == list(range(50))


def test_cancelled_timers_neither_run_nor_pile_up() -> None:
    async def work(loop: VirtualLoop) -> None:
        for _ in range(10_000):
            loop.call_later(1e6, pytest.fail, "was cancelled").cancel()
        await asyncio.sleep(1)
        assert len(loop.timers) < 1_000

    run(work)


def test_waiting_for_ever_is_an_error() -> None:
    async def work(loop: VirtualLoop) -> None:
        await loop.create_future()

    with pytest.raises(DeadlockError):
        run(work)


def test_never_waiting_is_an_error() -> None:
    async def work(_loop: VirtualLoop) -> None:
        while True:  # noqa: ASYNC110 - it is what must be noticed
            await asyncio.sleep(0)

    with pytest.raises(LivelockError):
        run(work)


def test_tasks_in_sets_are_in_the_same_places_every_time() -> None:
    orders = []
    for _ in range(2):
        ended: list[str] = []

        async def work(_loop: VirtualLoop, ended: list[str] = ended) -> None:
            async def waits(name: str) -> None:
                try:
                    await asyncio.sleep(100)
                finally:
                    ended.append(name)

            async def fails() -> None:
                async with asyncio.TaskGroup() as group:
                    for number in range(40):
                        group.create_task(waits(str(number)))
                    await asyncio.sleep(1)
                    raise ValueError

            with pytest.raises(ExceptionGroup):
                await fails()

        run(work)
        orders.append(ended)
    assert orders[0] == orders[1]
    assert len(orders[0]) == 40


def test_a_frozen_program_does_nothing_and_then_everything_in_order() -> None:
    seen: list[tuple[str, float]] = []

    async def work(loop: VirtualLoop) -> None:
        async def ticks(name: str) -> None:
            for _ in range(10):
                await asyncio.sleep(1.0)
                seen.append((name, round(loop.now_s, 3)))

        frozen, free = Process("frozen"), Process("free")
        tasks = [start(loop, each, ticks(each.name)) for each in (frozen, free)]
        await asyncio.sleep(2.5)
        freeze(loop, frozen, 4.0)
        await asyncio.gather(*tasks)

    run(work)
    frozen = [at for name, at in seen if name == "frozen"]
    free = [at for name, at in seen if name == "free"]
    assert free == [float(each) for each in range(1, 11)]
    assert frozen == [1.0, 2.0, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5, 13.5]


def test_a_killed_program_ends_without_effect() -> None:
    async def work(loop: VirtualLoop) -> None:
        program = Process("program")
        ended = []

        async def stubborn() -> None:
            while True:
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    ended.append(loop.now_s)
                    # Tidies up for longer than it has.
                    await asyncio.sleep(100)
                    raise

        task = start(loop, program, stubborn())
        await asyncio.sleep(1.5)
        kill(loop, program)
        await asyncio.sleep(1)
        assert task.done()
        assert ended == [1.5]
        assert not program.tasks

    run(work)


def test_a_program_killed_while_frozen_ends_too() -> None:
    async def work(loop: VirtualLoop) -> None:
        program = Process("program")
        news: asyncio.Future[None] = loop.create_future()
        seen = []

        async def listening() -> None:
            await news
            seen.append(loop.now_s)

        task = start(loop, program, listening())
        await asyncio.sleep(1)
        # Its turn has come, and is put off until after its death.
        news.set_result(None)
        freeze(loop, program, 5.0)
        await asyncio.sleep(1)
        kill(loop, program)
        await asyncio.sleep(1)
        assert task.done()
        assert not program.tasks
        assert seen in ([], [2.0])

    run(work)
