"""A lease as its holder sees it, second by second, while the store answers, is silent, or lies."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mmbot.adapters.lease.keeper import Granted, LeaseKeeper, LeaseTerms
from mmbot.adapters.lease.standing import Candidate, Landing, Standing
from mmbot.domain.events import Event, Hindrance
from mmbot.errors import ConfigError, InUse, Unavailable
from tests.simulation.leases import LeaseClient, Leases
from tests.simulation.loop import VirtualLoop

TTL_S, LIFE_S, RENEW_S = 10.0, 5, 0.5
NS = 1_000_000_000
TERMS = LeaseTerms(round(TTL_S * NS), LIFE_S * NS, RENEW_S)


class Scene:
    """A store, a bot that holds its lease, and what the bot's engine was told, with the second."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.leases = Leases(loop, TTL_S)
        self.told: list[tuple[float, str, bool]] = []
        self.keeper: LeaseKeeper

    def clock(self) -> int:
        return self.loop.now_ns

    def emit(self, event: Event) -> None:
        assert isinstance(event, Hindrance)
        self.told.append((round(self.loop.now_s, 2), event.name, event.reason is not None))

    def standing(self, name: str = "a", own: int = 0, instance: int = 7) -> Standing:
        candidate = Candidate(f"{instance}.{name}", own, own)
        return Standing(LeaseClient(self.leases), candidate, self.clock, lambda _line: None)

    async def leads(self, name: str = "a") -> "asyncio.Task[None]":
        granted = await self.standing(name).take()
        self.keeper = LeaseKeeper(LeaseClient(self.leases), granted, TERMS, self.clock)
        return asyncio.create_task(self.keeper.run(self.emit))

    async def engine_s(self) -> int:
        return int(self.loop.now_s) + 1_000

    async def waits(self, name: str, own: int = 0) -> Granted:
        landing = Landing(self.engine_s, LIFE_S)
        return await self.standing(name, own).wait(landing, RENEW_S)


def played(work: Callable[[Scene], Coroutine[Any, Any, None]]) -> Scene:
    loop = VirtualLoop()
    scene = Scene(loop)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work(scene))
    return scene


def test_renewed_it_holds_and_nothing_is_told() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads()
        for _ in range(100):
            await asyncio.sleep(0.61)
            assert scene.keeper.barred(scene.clock()) is None
        assert scene.keeper.age_ms(scene.clock()) <= RENEW_S * 1000 + 10
        task.cancel()

    assert played(work).told == []


def test_cut_off_it_quotes_for_a_lease_less_the_life_of_an_action() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads()
        await asyncio.sleep(20.2)
        scene.leases.down = True
        # Renewed last at 20.03 s or so.
        await asyncio.sleep(4.5)
        assert scene.keeper.barred(scene.clock()) is None
        await asyncio.sleep(0.6)
        assert "no answer in time" in str(scene.keeper.barred(scene.clock()))
        await asyncio.sleep(30)
        scene.leases.down = False
        await asyncio.sleep(2)
        assert scene.keeper.barred(scene.clock()) is None
        task.cancel()

    (off_s, off, began), (on_s, on, again) = played(work).told
    assert (off, began, on, again) == ("lease", True, "lease", False)
    assert 24.9 < off_s < 25.3
    assert 55.2 < on_s < 57.0


def test_answers_that_come_late_count_from_when_they_were_asked_for() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads()
        scene.leases.slow_s = 0.9
        await asyncio.sleep(10)
        assert 890 < scene.keeper.age_ms(scene.clock()) < 2_310
        scene.leases.slow_s = 1.1
        await asyncio.sleep(10)
        assert scene.keeper.barred(scene.clock()) is not None
        task.cancel()

    assert len(played(work).told) == 1


def test_a_later_run_ends_it_within_a_second() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads("a")
        await asyncio.sleep(3.3)
        scene.leases.rules.lease = None
        scene.leases.rules.take("7.b", 0, 0)
        await asyncio.sleep(1.0)
        assert scene.keeper.barred(scene.clock()) == "run 2 of this account has begun elsewhere"
        await asyncio.sleep(5.0)
        task.cancel()

    (first_s, *first), (second_s, *second) = played(work).told
    assert (first, second) == (["lease", True], ["foreign_epoch", True])
    assert first_s == second_s <= 4.3


def test_a_server_that_has_lost_everything_is_told_again() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads()
        scene.leases.rules.newest, scene.leases.rules.lease = 0, None
        await asyncio.sleep(1.0)
        assert scene.leases.rules.look()[:3] == ("7.a", 1, 1)
        task.cancel()

    assert played(work).told == []


def test_garbage_is_no_renewal() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads()
        scene.leases.rules.garbage = True
        await asyncio.sleep(6.0)
        assert "no lease" in str(scene.keeper.barred(scene.clock()))
        task.cancel()

    assert [each[1:] for each in played(work).told] == [("lease", True)]


def test_after_a_standstill_nothing_goes_before_it_is_checked_again() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads()
        await asyncio.sleep(1.2)
        scene.leases.slow_s = 0.3
        scene.keeper.revalidate("stood still", scene.clock())
        assert scene.keeper.barred(scene.clock()) == "not checked again yet"
        await asyncio.sleep(0.25)
        # The lease is young, and what was asked for before is not believed.
        assert scene.keeper.barred(scene.clock()) == "not checked again yet"
        await asyncio.sleep(0.5)
        assert scene.keeper.barred(scene.clock()) is None
        task.cancel()

    assert [each[1:] for each in played(work).told] == [("lease", True), ("lease", False)]


def test_a_standby_waits_for_the_end_and_for_what_may_still_land() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads("a")
        other = asyncio.create_task(scene.waits("b"))
        await asyncio.sleep(30.0)
        assert not other.done()
        task.cancel()
        last_s = scene.loop.now_s
        granted = await other
        assert (granted.holder, granted.epoch, granted.waited) == ("7.b", 2, True)
        waited_s = scene.loop.now_s - last_s
        assert TTL_S - RENEW_S + LIFE_S + 2 < waited_s < TTL_S + LIFE_S + 2 + 2

    played(work)


def test_a_standby_waits_for_a_lease_that_has_vanished() -> None:
    """Its holder may not know of that, and quote until it would have ended."""

    async def work(scene: Scene) -> None:
        task = await scene.leads("a")
        other = asyncio.create_task(scene.waits("b"))
        await asyncio.sleep(3.2)
        task.cancel()
        scene.leases.rules.lease = None
        lost_s = scene.loop.now_s
        assert (await other).epoch == 2
        assert scene.loop.now_s - lost_s > TTL_S - RENEW_S + LIFE_S + 2

    played(work)


def test_a_standby_takes_nothing_while_it_cannot_know() -> None:
    async def work(scene: Scene) -> None:
        scene.leases.down = True
        other = asyncio.create_task(scene.waits("b"))
        await asyncio.sleep(60.0)
        scene.leases.down = False
        scene.leases.rules.garbage = True
        await asyncio.sleep(60.0)
        assert not other.done()
        scene.leases.rules.garbage = False
        healed_s = scene.loop.now_s
        assert (await other).epoch == 1
        assert scene.loop.now_s - healed_s > LIFE_S + 2

    played(work)


def test_without_standing_by_a_taken_lease_is_refused() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads("a")
        with pytest.raises(InUse, match=r"lease 1 is held by 7\.a, for .* s more"):
            await scene.standing("b").take()
        scene.leases.down = True
        with pytest.raises(Unavailable):
            await scene.standing("b").take()
        task.cancel()

    played(work)


def test_a_pair_has_one_instance() -> None:
    async def work(scene: Scene) -> None:
        task = await scene.leads("a")
        with pytest.raises(ConfigError, match="held by instance 7, this one is 8"):
            await scene.standing("b", instance=8).wait(Landing(scene.engine_s, LIFE_S), RENEW_S)
        task.cancel()

    played(work)


def test_given_back_it_is_free_and_after_a_halt_it_is_not() -> None:
    async def work(scene: Scene) -> None:
        (await scene.leads("a")).cancel()
        await scene.keeper.release(halted=False)
        (await scene.leads("b")).cancel()
        assert scene.keeper.granted.epoch == 2
        await scene.keeper.release(halted=True)
        other = asyncio.create_task(scene.waits("c"))
        await asyncio.sleep(60.0)
        assert not other.done()
        other.cancel()
        assert (await scene.waits("b2", own=2)).epoch == 3

    played(work)
