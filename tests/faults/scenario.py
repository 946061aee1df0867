"""What a fault of the catalogue is in the simulation: knobs, and what must be true meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from msgspec import Struct

from tests.simulation.schedule import Fault, Schedule
from tests.simulation.stage import Stage

ALL = (0, 1, 2)
LOOK_S = 0.02
# Another market may be without orders for a moment, while they are replaced.
REPLACED_S = 3.0

Act = Callable[[Stage], Coroutine[Any, Any, None]]


class Expect(Struct, frozen=True, kw_only=True):
    """What must be true, besides the invariants; seconds, None for what is not asked.

    off_s: `markets` have no order of ours from so long after the fault began until it ends.
    back_s: they have again, so long after its end. `others` go on being quoted all the time.
    """

    markets: tuple[int, ...] = ALL
    off_s: float | None = None
    back_s: float | None = 5.0
    others: bool = True


class Scenario(Struct, frozen=True, kw_only=True):
    """One fault. `faults` draws the schedule of a seed; `act` does what no schedule can say.

    `ends`: the bot is stopped in the end, and must show that it left nothing. `leased`: it trades
    under a lease.
    """

    id: str
    says: str
    faults: Callable[[Random], Schedule] = lambda dice: ()  # noqa: ARG005
    expect: Expect = Expect()
    act: Act | None = None
    after_s: float = 4.0
    ends: bool = True
    settled: bool = True
    may_take: bool = False
    leased: bool = False


class Elsewhere(Struct, frozen=True):
    """A fault that this harness does not inject, why, and where it is tested: file::test.

    Without tests it belongs to what is not built yet.
    """

    id: str
    why: str
    tests: tuple[str, ...] = ()


Entry = Scenario | Elsewhere


def during(knob: str, for_s: float = 8.0, **entry: Any) -> Callable[[Random], Schedule]:
    """Return the schedule of one fault that begins at a random moment."""
    return lambda dice: (Fault(begin(dice), for_s, knob, entry),)


def together(*faults: tuple[str, float, dict[str, Any]]) -> Callable[[Random], Schedule]:
    """Return the schedule of faults (knob, length, parameters) that begin at the same moment."""

    def drawn(dice: Random) -> Schedule:
        at_s = begin(dice)
        return tuple(Fault(at_s, for_s, knob, entry) for knob, for_s, entry in faults)

    return drawn


def one_after_another(*faults: tuple[str, float, dict[str, Any]]) -> Callable[[Random], Schedule]:
    """Return the schedule of faults each of which begins a moment after the one before it ended."""

    def drawn(dice: Random) -> Schedule:
        at_s, made = begin(dice), []
        for knob, for_s, entry in faults:
            made.append(Fault(round(at_s, 3), for_s, knob, entry))
            at_s += for_s + dice.uniform(0.5, 1.5)
        return tuple(made)

    return drawn


def begin(dice: Random) -> float:
    """Return a random moment in the first seconds."""
    return round(dice.uniform(0.1, 3.0), 3)


async def watched(stage: Stage, schedule: Schedule, expect: Expect) -> None:
    """Watch the truth while a schedule is played, and report what is not as expected."""
    begun_s = stage.loop.now_s
    from_s = begun_s + min((fault.at_s for fault in schedule), default=0.0)
    until_s = begun_s + max((fault.end_s for fault in schedule), default=0.0)
    seen = dict.fromkeys(ALL, begun_s)
    while stage.loop.now_s < until_s:
        await asyncio.sleep(LOOK_S)
        now_s = stage.loop.now_s
        quoted = {order.market_id for order in stage.judge.resting.own()}
        for market in quoted:
            seen[market] = now_s
        if expect.off_s is not None and now_s > from_s + expect.off_s:
            for market in sorted(quoted.intersection(expect.markets)):
                stage.judge.report(
                    "OFF", f"market {market} quoted {expect.off_s:g} s after the fault began"
                )
        if expect.others:
            for market in set(ALL) - set(expect.markets):
                if now_s - seen[market] > REPLACED_S:
                    stage.judge.report("OTHERS", f"market {market} is not quoted any more")
    if expect.back_s is not None:
        await _back(stage, expect, until_s)


async def _back(stage: Stage, expect: Expect, ended_s: float) -> None:
    assert expect.back_s is not None
    missing = set(expect.markets)
    while missing and stage.loop.now_s < ended_s + expect.back_s:
        await asyncio.sleep(LOOK_S)
        missing -= {order.market_id for order in stage.judge.resting.own()}
    for market in sorted(missing):
        view = stage.belief
        why = "no bot" if view is None else (view.markets[market].reason or view.mode)
        stage.judge.report(
            "BACK", f"market {market} not quoted {expect.back_s:g} s after the fault ended: {why}"
        )
