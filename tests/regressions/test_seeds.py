"""What once went wrong never does again: every schedule kept in seeds.txt is played."""

from pathlib import Path

import pytest

from tests.faults.bots import BOTS
from tests.simulation.runs import Plan, simulate
from tests.simulation.schedule import read

LINES = [
    line
    for line in Path(__file__).with_name("seeds.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
QUIET_S = 15.0


def played(line: str) -> None:
    seed, schedule = read(line)
    factory, terms = next(iter(BOTS.values()))()
    last_s = max((fault.end_s for fault in schedule), default=1.0)
    plan = Plan(
        seed=seed,
        factory=factory,
        terms=terms,
        schedule=schedule,
        horizon_s=last_s + 1.0,
        quiet_s=QUIET_S,
    )
    assert [str(each) for each in simulate(plan).violations] == []


@pytest.mark.parametrize("line", LINES)
def test_a_schedule_that_once_failed(line: str) -> None:
    played(line)
