"""One simulation from its seed: play a schedule, be quiet, judge, stop the bot, judge again."""

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tests.simulation import books, knobs
from tests.simulation.bot import Factory
from tests.simulation.leases import Leases
from tests.simulation.loop import VirtualLoop
from tests.simulation.schedule import Schedule, shorter
from tests.simulation.stage import Stage
from tests.simulation.terms import Terms, Violation

# Until books, account and reference are there and a bot quotes, before any fault.
WARM_S = 30.0
STOP_S = 30.0
# Longer than anything signed lives.
AFTERMATH_S = 8.0
LEASE_S = 10.0
# Rarer than usual: looking for garbage is a tenth of a run, and none of its findings.
GARBAGE = (20_000, 20, 20)

Act = Callable[[Stage], Coroutine[Any, Any, None]]


class Plan(Struct, frozen=True, kw_only=True):
    """What to simulate. `warm_s` ends as soon as the bot quotes; times in virtual seconds.

    `act` runs along, for what a schedule cannot say; `ends` False leaves out the orderly stop;
    `leased`: bots trade under a lease.
    """

    seed: int
    factory: Factory
    terms: Terms
    schedule: Schedule = ()
    horizon_s: float = 60.0
    quiet_s: float = 25.0
    warm_s: float = WARM_S
    act: Act | None = None
    ends: bool = True
    settled: bool = True
    leased: bool = False


class Result(Struct, frozen=True, kw_only=True):
    """What came of it. `truth` hashes every action of the bot with its receipt, in order."""

    violations: tuple[Violation, ...]
    truth: str
    codes: tuple[int | None, ...]
    placed: int
    fills: int
    simulated_s: float
    took_s: float

    @property
    def good(self) -> bool:
        """No invariant was broken."""
        return not self.violations


def simulate(plan: Plan) -> Result:
    """Run a plan on a loop of its own."""
    with _rare_garbage():
        return _simulated(plan)


@contextmanager
def _rare_garbage() -> Iterator[None]:
    """Look for garbage rarely, and never in what is there already."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _simulated(plan: Plan) -> Result:
    begun = time.process_time()
    loop = VirtualLoop(plan.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        stage = Stage(loop, plan.factory, Path(folder), plan.seed, plan.terms)
        if plan.leased:
            stage.machine.leases = Leases(loop, LEASE_S)
        runner.run(_whole(stage, plan))
    return Result(
        violations=tuple(stage.judge.violations),
        truth=stage.judge.truth.hexdigest(),
        codes=tuple(run.code for run in stage.runs),
        placed=stage.judge.executions.placed,
        fills=_fills(stage),
        simulated_s=loop.now_s,
        took_s=time.process_time() - begun,
    )


async def _whole(stage: Stage, plan: Plan) -> None:
    await stage.open()
    stage.begin()
    if plan.warm_s:
        await warmed(stage, plan.warm_s)
    knobs.play(stage, plan.schedule)
    acting = None if plan.act is None else asyncio.create_task(plan.act(stage))
    await asyncio.sleep(plan.horizon_s)
    if acting is not None:
        await acting
    await asyncio.sleep(plan.quiet_s)
    if plan.settled:
        await stage.judge.finish()
    if plan.ends:
        await stopped(stage)
    await stage.close()


async def warmed(stage: Stage, most_s: float) -> None:
    """Wait until the bot quotes, so long at most: then it is a finding (I20)."""
    until = stage.loop.now_s + most_s
    while stage.loop.now_s < until:
        await asyncio.sleep(0.05)
        markets = {order.market_id for order in stage.judge.resting.own()}
        if len(markets) == len(stage.venue.exchange.params.markets):
            return
    stage.judge.report("I20", f"not every market is quoted {most_s:g} s after the start")


async def stopped(stage: Stage) -> None:
    """Stop the bot as a supervisor does, and wait for what may still land."""
    run = stage.run
    if run is None:
        return
    run.signal(SIGTERM)
    await asyncio.wait([run.task], timeout=STOP_S)
    if run.is_on:
        stage.judge.report("I11", f"not ended {STOP_S:g} s after SIGTERM")
        run.kill()
    elif run.code != 0:
        stage.judge.report("I11", f"exit code {run.code} after SIGTERM without any fault")
    else:
        for what in books.wrong(stage.venue, stage.terms.account, run.machine.folder):
            stage.judge.report("I10", what)
    await asyncio.sleep(AFTERMATH_S)


def _fills(stage: Stage) -> int:
    account = stage.terms.account
    trades = stage.venue.exchange.state.trades
    return sum(account in (trade.maker_id, trade.taker_id) for trade in trades)


def shrunk(plan: Plan, invariants: frozenset[str], *, attempts: int = 40) -> Plan:
    """Return the simplest plan found that still breaks one of these invariants."""
    best, tried, improved = plan, 0, True
    while improved and tried < attempts:
        improved = False
        for schedule in shorter(best.schedule):
            tried += 1
            candidate = _with(best, schedule)
            found = {violation.invariant for violation in simulate(candidate).violations}
            if found & invariants:
                best, improved = candidate, True
                break
            if tried >= attempts:
                break
    return best


def _with(plan: Plan, schedule: Schedule) -> Plan:
    last_s = max((fault.end_s for fault in schedule), default=0.0)
    return replace(plan, schedule=schedule, horizon_s=min(plan.horizon_s, last_s + 1.0))
