"""The engine's wake-up, on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

from mmbot.runtime.alarm import Alarm
from tests.simulation.loop import VirtualLoop

MS = 10**6


def rung(script: Callable[[Alarm, VirtualLoop], Awaitable[None]]) -> list[int]:
    loop = VirtualLoop(1)
    rings: list[int] = []

    async def whole() -> None:
        await script(Alarm(lambda: loop.now_ns, lambda now_ns: rings.append(now_ns // MS)), loop)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(whole())
    return rings


def test_it_rings_at_the_time_asked_for_last() -> None:
    async def script(alarm: Alarm, _: VirtualLoop) -> None:
        alarm.set(500 * MS)
        alarm.set(100 * MS)
        await asyncio.sleep(0.05)
        alarm.set(300 * MS)
        await asyncio.sleep(1)

    assert rung(script)[0] == 300


def test_it_keeps_still_when_nothing_is_wanted() -> None:
    async def script(alarm: Alarm, _: VirtualLoop) -> None:
        alarm.set(100 * MS)
        alarm.set(None)
        await asyncio.sleep(1)
        alarm.set(1_200 * MS)
        alarm.stop()
        await asyncio.sleep(1)

    assert rung(script) == []


def test_a_time_that_has_passed_does_not_stop_the_loop() -> None:
    async def script(alarm: Alarm, loop: VirtualLoop) -> None:
        alarm.set(0)
        await asyncio.sleep(0.01)
        alarm.stop()
        assert loop.now_s < 0.02

    assert 5 <= len(rung(script)) <= 11
