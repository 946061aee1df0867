"""Every fault of the catalogue with three seeds, forty mixed runs; `make faults` does more."""

from pathlib import Path

import pytest

from tests.faults.bots import BOTS
from tests.faults.catalogue import CATALOGUE, SCENARIOS
from tests.faults.driver import mixed, of_fault, told
from tests.faults.scenario import Elsewhere
from tests.simulation.runs import Plan, simulate

SEEDS = 3
MIXED = range(1, 41)
MIXED_S = 30.0
# Quoting has half a minute to be back (I20).
MIXED_QUIET_S = 32.0
GROUPS = {"N": 14, "V": 16, "P": 15, "C": 5, "X": 10, "D": 5, "O": 4, "H": 5, "M": 4, "R": 4}
LATER = {"T": 6, "F": 5}
ALL_FAULTS = 93
UNBUILT = ("T",)
ROOT = Path(__file__).resolve().parents[2]


def held(plan: Plan) -> None:
    result = simulate(plan)
    assert result.good, told(plan, result)


def test_the_catalogue_is_whole() -> None:
    wanted = {
        f"{group}{number:02}"
        for group, count in {**GROUPS, **LATER}.items()
        for number in range(1, count + 1)
    }
    assert set(CATALOGUE) == wanted
    assert len(CATALOGUE) == ALL_FAULTS


def test_what_is_tested_elsewhere_is() -> None:
    for entry in CATALOGUE.values():
        if isinstance(entry, Elsewhere):
            assert entry.why
            assert entry.tests or entry.id[0] in UNBUILT
            for place in entry.tests:
                file, _, test = place.partition("::")
                assert f"def {test}(" in (ROOT / file).read_text(), place


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("fault", SCENARIOS)
def test_fault(fault: str, seed: int) -> None:
    held(of_fault(SCENARIOS[fault], seed, *next(iter(BOTS.values()))()))


@pytest.mark.parametrize("seed", MIXED)
def test_mixed(seed: int) -> None:
    factory, terms = next(iter(BOTS.values()))()
    held(mixed(seed, factory, terms, horizon_s=MIXED_S, quiet_s=MIXED_QUIET_S))
