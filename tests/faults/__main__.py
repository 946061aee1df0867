"""`python -m tests.faults --seeds N`: every fault with N seeds, then mixed runs; 1 on a violation.

A failing run is shrunk and printed with its seed and schedule, ready for tests/regressions.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import NamedTuple

from tests.faults.bots import BOTS
from tests.faults.catalogue import CATALOGUE, SCENARIOS
from tests.faults.driver import mixed, of_fault, told
from tests.faults.scenario import Elsewhere
from tests.simulation.runs import Plan, shrunk, simulate

MIXED = "mixed"


class Job(NamedTuple):
    """One run to make; `name` is a fault's id or `mixed`."""

    bot: str
    name: str
    seed: int
    horizon_s: float


class Verdict(NamedTuple):
    """What became of it: nothing to say, or what broke."""

    job: Job
    words: str
    simulated_s: float
    took_s: float
    placed: int
    fills: int


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def plan_of(job: Job) -> Plan:
    """Return the plan of a job."""
    factory, terms = BOTS[job.bot]()
    if job.name == MIXED:
        return mixed(job.seed, factory, terms, horizon_s=job.horizon_s)
    return of_fault(SCENARIOS[job.name], job.seed, factory, terms)


def judged(job: Job, shrink: bool) -> Verdict:
    """Make a run; what broke is shrunk first when asked."""
    plan = plan_of(job)
    result = simulate(plan)
    words = ""
    if not result.good:
        words = told(plan, result)
        if shrink and plan.schedule:
            small = shrunk(plan, frozenset(each.invariant for each in result.violations))
            words += f"\nshrunk: {told(small, simulate(small))}"
    return Verdict(job, words, result.simulated_s, result.took_s, result.placed, result.fills)


def main(arguments: list[str]) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each fault")
    parser.add_argument("--from-seed", type=int, default=1, help="the first seed")
    parser.add_argument("--only", action="append", default=[], help="these faults, by id")
    parser.add_argument("--mixed", type=int, default=0, help="so many mixed runs besides")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of a mixed run")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--bot", choices=sorted(BOTS), default=next(iter(BOTS)))
    parser.add_argument("--no-shrink", action="store_true", help="print failing runs as they are")
    asked = parser.parse_args(arguments)
    failed: dict[str, int] = {}
    totals: dict[str, int] = {}
    with ProcessPoolExecutor(asked.jobs) as pool:
        waiting = {pool.submit(judged, job, not asked.no_shrink): job for job in _jobs(asked)}
        for done in as_completed(waiting):
            error = done.exception()
            broken = Verdict(waiting[done], f"the run itself broke: {error!r}", 0.0, 0.0, 0, 0)
            verdict = done.result() if error is None else broken
            name = verdict.job.name
            totals[name] = totals.get(name, 0) + 1
            failed[name] = failed.get(name, 0) + bool(verdict.words)
            speed = verdict.simulated_s / max(verdict.took_s, 1e-9)
            word = "FAILED" if verdict.words else "ok"
            say(
                f"{name} seed {verdict.job.seed}: {word}, {verdict.simulated_s:.0f} s at"
                f" {speed:.0f}x, {verdict.placed} placed, {verdict.fills} fills"
            )
            if verdict.words:
                say("  " + verdict.words.replace("\n", "\n  "))
    return _summary(totals, failed, bool(asked.only))


def _jobs(asked: argparse.Namespace) -> Iterator[Job]:
    seeds = range(asked.from_seed, asked.from_seed + asked.seeds)
    unknown = [name for name in asked.only if name not in SCENARIOS]
    if unknown:
        sys.exit(f"no scenario {unknown[0]}; known: {', '.join(SCENARIOS)}")
    for name in asked.only or SCENARIOS:
        for seed in seeds:
            yield Job(asked.bot, name, seed, 0.0)
    for seed in range(asked.from_seed, asked.from_seed + asked.mixed):
        yield Job(asked.bot, MIXED, seed, asked.minutes * 60)


def _summary(totals: dict[str, int], failed: dict[str, int], partly: bool) -> int:
    bad = {name: count for name, count in failed.items() if count}
    for name in sorted(totals):
        if name in bad:
            say(f"{name}: {bad[name]} of {totals[name]} failed")
    if not partly:
        for entry in CATALOGUE.values():
            if isinstance(entry, Elsewhere):
                where = ", ".join(entry.tests) or "no test yet"
                say(f"{entry.id}: not here: {entry.why} ({where})")
    say(f"{len(totals) - len(bad)} of {len(totals)} kinds of runs passed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
