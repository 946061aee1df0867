"""Runs scenarios and mixed schedules with a bot, and says what went wrong in words and as data."""

import asyncio
from random import Random

from msgspec.structs import replace

from tests.faults import acts
from tests.faults.scenario import Scenario, watched
from tests.simulation.bot import Factory
from tests.simulation.runs import Plan, Result
from tests.simulation.schedule import swarm, written
from tests.simulation.stage import Stage
from tests.simulation.terms import Terms

QUIET_S = 6.0
# A person is there a little longer than faults are.
OPERATOR_S = 3.0
MIXED_S = 600.0
# The quiet end of a mixed run, longer than the venue's window of a minute.
MIXED_QUIET_S = 75.0


def of_fault(scenario: Scenario, seed: int, factory: Factory, terms: Terms) -> Plan:
    """Return the plan of one fault for a seed."""
    schedule = scenario.faults(Random(f"{seed}:{scenario.id}"))
    last_s = max((fault.end_s for fault in schedule), default=1.0)

    async def act(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(watched(stage, schedule, scenario.expect))
            if scenario.act is not None:
                group.create_task(scenario.act(stage))

    return Plan(
        seed=seed,
        factory=factory,
        terms=replace(terms, may_take=scenario.may_take),
        schedule=schedule,
        horizon_s=last_s + scenario.after_s,
        quiet_s=QUIET_S,
        act=act,
        ends=scenario.ends,
        settled=scenario.settled,
        leased=scenario.leased,
    )


def mixed(
    seed: int,
    factory: Factory,
    terms: Terms,
    *,
    horizon_s: float = MIXED_S,
    quiet_s: float = MIXED_QUIET_S,
) -> Plan:
    """Return the plan of a mixed run: a swarm of faults for every minute, then quiet."""
    minutes = max(1, round(horizon_s / 60))
    span_s = horizon_s / minutes
    schedule = tuple(
        replace(fault, at_s=round(fault.at_s + minute * span_s, 2))
        for minute in range(minutes)
        for fault in swarm(seed * 1000 + minute, span_s)
    )
    return Plan(
        seed=seed,
        factory=factory,
        terms=terms,
        schedule=schedule,
        horizon_s=horizon_s,
        quiet_s=quiet_s,
        act=acts.operator(horizon_s + OPERATOR_S),
    )


def told(plan: Plan, result: Result) -> str:
    """Return what to print of a run that broke something: violations and the schedule."""
    lines = [str(violation) for violation in result.violations[:10]]
    return "\n".join([*lines, written(plan.seed, plan.schedule)])
