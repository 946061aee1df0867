"""Schedules are drawn from a seed, written down, read again and made simpler."""

import asyncio

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.faults.table import KNOBS
from mmbot.exchange.params import ExchangeParams
from tests.faults.bots import careful
from tests.simulation.naive import Mistake, naive
from tests.simulation.network import Terms
from tests.simulation.runs import Plan, shrunk, simulate
from tests.simulation.schedule import (
    Fault,
    exchange_entry,
    read,
    shorter,
    swarm,
    written,
)
from tests.simulation.stage import Stage


def test_a_seed_is_a_schedule() -> None:
    assert swarm(7, 60.0) == swarm(7, 60.0)
    assert swarm(7, 60.0) != swarm(8, 60.0)
    for seed in range(100):
        schedule = swarm(seed, 60.0)
        assert schedule
        assert all(fault.at_s >= 0 and fault.end_s <= 60.01 for fault in schedule)


def test_every_drawn_fault_is_taken_by_the_exchange() -> None:
    exchange = Exchange(ExchangeParams(), 0)
    symbols = {market.symbol: place for place, market in enumerate(exchange.params.markets)}
    seen = set()
    for seed in range(300):
        faults = Faults(1, lambda: 0, symbols)
        for fault in swarm(seed, 60.0):
            seen.add(fault.knob)
            if fault.knob in KNOBS:
                faults.put([exchange_entry(fault)])
    assert len(seen) > 45


def test_a_schedule_is_read_as_it_was_written() -> None:
    for seed in range(50):
        schedule = swarm(seed, 60.0)
        assert read(written(seed, schedule)) == (seed, schedule)


def test_simpler_schedules_are_simpler() -> None:
    schedule = swarm(3, 60.0)
    size = sum(fault.for_s for fault in schedule)
    for simpler in shorter(schedule):
        assert sum(fault.for_s for fault in simpler) < size


def test_a_failing_schedule_is_shrunk_to_what_matters() -> None:
    factory, terms = naive(Mistake.FORGETS), careful()[1]
    culprit = Fault(0.5, 10.0, "act.drop_resp", {"p": 0.5})
    others = (Fault(1.0, 5.0, "md.dup", {"p": 0.5}), Fault(2.0, 5.0, "acct.dup", {"p": 0.5}))
    plan = Plan(
        seed=1,
        factory=factory,
        terms=terms,
        schedule=(*others, culprit),
        horizon_s=11.0,
        quiet_s=2.0,
        settled=False,
        ends=False,
    )
    small = shrunk(plan, frozenset({"I1"}), attempts=8)
    assert [fault.knob for fault in small.schedule] == ["act.drop_resp"]


def test_faults_that_overlap_leave_the_network_as_it_was() -> None:
    factory, terms = careful()
    seen: list[float] = []

    async def act(stage: Stage) -> None:
        for _ in range(6):
            await asyncio.sleep(1.0)
            seen.append(stage.loop.network.terms.latency_s)

    slow = {"latency_ms": 100, "jitter_ms": 0}, {"latency_ms": 200, "jitter_ms": 0}
    schedule = (Fault(0.5, 2.0, "net.slow", slow[0]), Fault(1.5, 3.0, "net.slow", slow[1]))
    simulate(
        Plan(
            seed=1,
            factory=factory,
            terms=terms,
            schedule=schedule,
            horizon_s=6.0,
            quiet_s=1.0,
            act=act,
            settled=False,
            ends=False,
        )
    )
    assert seen == [0.1, 0.2, 0.2, 0.2, Terms().latency_s, Terms().latency_s]
