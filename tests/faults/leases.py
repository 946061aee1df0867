"""R01-R04: the store of leases is gone, forgets or holds garbage; a leader sleeps too long."""

import asyncio
from collections.abc import Callable
from random import Random

from mmbot.domain.status import Mode
from mmbot.runtime.supervision import EXIT_HALTED
from tests.faults.acts import until
from tests.faults.scenario import Act, Entry, Expect, Scenario, begin
from tests.simulation.leases import Leases
from tests.simulation.requests import epoch_of
from tests.simulation.runs import LEASE_S
from tests.simulation.schedule import Fault, Schedule
from tests.simulation.stage import Run, Stage

OUTAGE_S = 20.0
# Without an answer: from the last renewal, half a second ago at most, until an action that is sent
# would outlive the lease; and what taking off takes (reliability 7).
OFF_S = 0.6
RENEWED_S = 0.6
# From the end of a lease: what may land, two seconds, and a start.
TAKEN_OVER_S = LEASE_S + 5.0 + 2.0 + 8.0
PAUSES_S = (8.0, 20.0, 32.0)
AWAKE_S = 10.0


def outage(knob: str) -> Callable[[Random], Schedule]:
    """Return the schedule of a store that is slow, and after a while cannot be used."""

    def drawn(dice: Random) -> Schedule:
        at_s = 5.0 + begin(dice)
        return (Fault(0.1, 4.0, "redis.slow", {"ms": 300}), Fault(at_s, OUTAGE_S, knob, {}))

    return drawn


def cut_off(begun: Callable[[Leases], bool]) -> Act:
    """Look that quotes rest as long as they may, then none; and that a standby only stands by."""

    async def act(stage: Stage) -> None:
        leases = stage.machine.leases
        assert leases is not None
        standby = stage.begin(machine=stage.machine.beside())
        assert await until(stage, lambda: begun(leases), 12.0)
        from_s, quoted_s = stage.loop.now_s, stage.loop.now_s
        while begun(leases):
            if stage.judge.resting.own():
                quoted_s = stage.loop.now_s
            await asyncio.sleep(0.02)
        may_s = LEASE_S - stage.terms.lifetime_s
        if not may_s - RENEWED_S < quoted_s - from_s < may_s + OFF_S:
            stage.judge.report("R01", f"quoted for {quoted_s - from_s:.2f} s without its lease")
        if standby.bot.status() is not None:
            stage.judge.report("R01", "a standby has begun without a lease")
        standby.kill()

    return act


async def two_leaders(stage: Stage) -> None:
    """Let both believe that they lead: the older one must halt soon after the newer one quotes."""
    older = stage.run
    assert older is not None
    newer = stage.begin(machine=stage.machine.beside())
    if not await taken_over(stage, LEASE_S):
        return
    halted = await until(stage, lambda: _halted(older), 1.0)
    if not halted:
        stage.judge.report("R02", "the older run goes on 1 s after the newer one has quoted")
    await over(stage, older, newer)


async def sleeps(stage: Stage) -> None:
    """Let the leader sleep for less than its lease, just until it is another's, and longer."""
    leader = stage.run
    assert leader is not None
    standby = stage.begin(machine=stage.machine.beside())
    await asyncio.sleep(1.0 + stage.seed % 7 / 10)
    pause_s = PAUSES_S[stage.seed % len(PAUSES_S)]
    trouble = object()
    stage.troubles.begin(trouble)
    leader.pause(pause_s)
    slept_s = stage.loop.now_s + pause_s
    if pause_s < LEASE_S:
        await asyncio.sleep(pause_s + AWAKE_S)
        if not any(epoch == 1 for epoch in epochs(stage)):
            stage.judge.report("R03", "after a short sleep the leader does not quote")
        standby.kill()
    elif await taken_over(stage, 0.0):
        await asyncio.sleep(max(0.0, slept_s - stage.loop.now_s))
        await over(stage, leader, standby)
    stage.troubles.end(trouble, stage.loop.now_s, 5.0)


async def taken_over(stage: Stage, more_s: float) -> bool:
    """Wait until the newer run has orders."""
    newer = await until(stage, lambda: 2 in epochs(stage), TAKEN_OVER_S + more_s)
    if not newer:
        stage.judge.report("LEASE", f"not taken over: {epochs(stage)}")
    return newer


async def over(stage: Stage, older: Run, newer: Run) -> None:
    """Wait for the end of the older run: halted, and it has cancelled nothing that is not its."""
    if not await until(stage, lambda: not older.is_on, 15.0):
        stage.judge.report("LEASE", "the older run does not end")
    elif older.code != EXIT_HALTED:
        stage.judge.report("LEASE", f"the older run ended with {older.code}")
    if stage.run is not newer:
        stage.judge.report("LEASE", "the newer run does not trade")
    if not await until(stage, lambda: set(epochs(stage)) == {2}, 5.0):
        stage.judge.report("LEASE", f"orders of {epochs(stage)}")


def epochs(stage: Stage) -> list[int]:
    """Return the runs whose orders rest, one entry for each order."""
    return [epoch_of(each.client_order_id or 0) for each in stage.judge.resting.own()]


def _halted(run: Run) -> bool:
    view = run.bot.status()
    return not run.is_on or (view is not None and view.mode is Mode.HALTED)


ENTRIES: tuple[Entry, ...] = (
    Scenario(
        id="R01",
        says="the store of leases cannot be reached",
        faults=outage("redis.down"),
        act=cut_off(lambda leases: leases.down),
        leased=True,
    ),
    Scenario(
        id="R02",
        says="a failover of the store loses the lease: two leaders",
        faults=lambda dice: (Fault(begin(dice), 50.0, "redis.lose_write", {}),),
        act=two_leaders,
        expect=Expect(others=False),
        leased=True,
    ),
    Scenario(
        id="R03",
        says="the leader sleeps past its lease",
        act=sleeps,
        expect=Expect(back_s=None),
        leased=True,
    ),
    Scenario(
        id="R04",
        says="the keys of the lease hold something else",
        faults=outage("redis.garbage"),
        act=cut_off(lambda leases: leases.rules.garbage),
        leased=True,
    ),
)
