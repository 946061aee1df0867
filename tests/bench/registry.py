"""What a bench is and where it is found: a function of the number of runs returning its samples.

To add one, put a module beside this one and decorate a function:

    @bench("replay_empty", unit="rows/s", must=15e6, goal=25e6, higher=True, peers={"x": 12.7e6})
    def replay_empty(runs: int) -> list[float]: ...

The value reported is the median of the samples. A bench that cannot run raises Skipped.
"""

import importlib
import pkgutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests import bench as package

Samples = Callable[[int], list[float]]


class Skipped(Exception):  # noqa: N818 - it is not an error
    """A bench cannot run here; the message says what is missing."""


@dataclass(frozen=True)
class Bench:
    """A timing: what must hold, the goal beyond it, and what the peers need for the same."""

    name: str
    run: Samples
    unit: str
    must: float | None = None
    goal: float | None = None
    higher: bool = False
    peers: Mapping[str, float] = field(default_factory=dict)

    def meets(self, value: float, limit: float) -> bool:
        """Tell whether a value is at least as good as a limit."""
        return value >= limit if self.higher else value <= limit

    def times_better(self, value: float, peer: float) -> float:
        """Tell how many times better a value is than a peer's."""
        return value / peer if self.higher else peer / value


_BENCHES: dict[str, Bench] = {}


def bench(
    name: str,
    *,
    unit: str,
    must: float | None = None,
    goal: float | None = None,
    higher: bool = False,
    peers: Mapping[str, float] | None = None,
) -> Callable[[Samples], Samples]:
    """Register the decorated function; names are unique."""

    def register(run: Samples) -> Samples:
        if name in _BENCHES:
            raise ValueError(f"two benches are called {name}")
        _BENCHES[name] = Bench(name, run, unit, must, goal, higher, peers or {})
        return run

    return register


def discover() -> list[Bench]:
    """Import every module of the package and return the benches, by name."""
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{package.__name__}.{module.name}")
    return [_BENCHES[name] for name in sorted(_BENCHES)]


def time_ns(work: Callable[[], object], per: int, runs: int) -> list[float]:
    """Time `work` `runs` times after one warm-up; nanoseconds for each of the `per` parts."""
    work()
    samples = []
    for _ in range(runs):
        start = time.perf_counter_ns()
        work()
        samples.append((time.perf_counter_ns() - start) / per)
    return samples
