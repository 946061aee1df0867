"""The harness can fail: known mistakes break the invariants, keeping the rules does not."""

import pytest

from tests.faults.bots import careful
from tests.simulation.naive import Mistake, naive
from tests.simulation.runs import Plan, simulate
from tests.simulation.schedule import Fault

LOSSY = (
    Fault(0, 30, "act.slow", {"p": 0.1, "ms": 800, "jitter_ms": 2500}),
    Fault(0, 30, "act.drop_req", {"p": 0.05}),
    Fault(0, 30, "act.drop_resp", {"p": 0.08}),
    Fault(0, 30, "act.dup", {"p": 0.05, "delay_ms": 500}),
)
# What lands when the engine's clock goes on was sent while it stood still.
FROZEN = (
    *LOSSY,
    Fault(7, 16, "act.slow", {"p": 0.3, "ms": 9000, "jitter_ms": 2500}),
    Fault(8, 15, "eng.clock_stall", {}),
)
SCHEDULES = {Mistake.RETRIES: LOSSY, Mistake.FORGETS: LOSSY, Mistake.WALL: FROZEN}
SEEDS = (1, 2, 3)
DUPLICATES = "I1"


def plan(seed: int, mistake: Mistake | None, schedule: tuple[Fault, ...]) -> Plan:
    factory, terms = careful()
    if mistake is not None:
        factory = naive(mistake)
    return Plan(
        seed=seed, factory=factory, terms=terms, schedule=schedule, horizon_s=30.0, quiet_s=15.0
    )


@pytest.mark.parametrize("mistake", Mistake, ids=lambda mistake: mistake.name.lower())
def test_a_mistake_is_found(mistake: Mistake) -> None:
    found = 0
    for seed in range(1, 7):
        result = simulate(plan(seed, mistake, SCHEDULES[mistake]))
        found += DUPLICATES in {each.invariant for each in result.violations}
    # Whether a lost answer meets an order that matters is chance.
    assert found >= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_keeps_the_rules_is_left_alone(seed: int) -> None:
    result = simulate(plan(seed, None, FROZEN))
    assert result.violations == ()
    assert result.placed > 10
    assert result.codes == (0,)


def test_a_run_is_the_same_again() -> None:
    first, again = (simulate(plan(4, None, FROZEN)) for _ in range(2))
    assert first.truth == again.truth
    assert first.violations == again.violations
