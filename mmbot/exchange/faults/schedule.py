"""Which faults are set and when they strike: the schedule behind every knob of the table.

Chances are drawn from (seed, knob, count), so one knob's draws do not depend on another's.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from operator import attrgetter
from typing import Any

from mmbot.exchange.faults.entries import (
    ANYWHERE,
    MAX_FAULTS,
    Fault,
    FaultError,
    Values,
    Where,
    named,
    read_fault,
    swarm_entries,
)


class Faults:
    """Every fault set now; `now_ns` is asked for engine time."""

    def __init__(self, seed: int, now_ns: Callable[[], int], markets: Mapping[str, int]) -> None:
        self._seed = seed
        self._now_ns = now_ns
        self._markets = markets
        self._numbers = count(1)
        self._draws: dict[str, int] = {}
        self._armed: dict[str, list[Fault]] = {}
        # Answers of `armed`, until something is set or forgotten.
        self._known: dict[tuple[str, ...], bool] = {}

    def __iter__(self) -> Iterator[Fault]:
        """Every fault that is set, in the order of their numbers."""
        every = chain.from_iterable(self._armed.values())
        return iter(sorted(every, key=attrgetter("number")))

    def armed(self, *groups: str) -> bool:
        """Tell whether a knob of these groups (`act.`) or names is set."""
        if not self._armed:
            return False
        known = self._known.get(groups)
        if known is None:
            known = self._known[groups] = any(name.startswith(groups) for name in self._armed)
        return known

    def fire(self, knob: str, where: Where = ANYWHERE) -> Values | None:
        """Ask whether a knob strikes this message; its parameters, or None."""
        for fault in self._armed.get(knob, ()):
            if fault.covers(where) and fault.lives(self._now_ns()) and self._strikes(fault):
                fault.struck += 1
                if fault.left is not None:
                    fault.left -= 1
                return fault.values
        return None

    def holds(self, knob: str, where: Where = ANYWHERE) -> Values | None:
        """Ask whether a state is on; its parameters, or None. The newest fault counts."""
        for fault in reversed(self._armed.get(knob, ())):
            if fault.covers(where) and fault.lives(self._now_ns()):
                fault.struck = 1
                return fault.values
        return None

    def deeds(self, knob: str) -> Iterator[Fault]:
        """Take what is due of the knobs that act by themselves."""
        for fault in list(self._armed.get(knob, ())):
            if fault.lives(self._now_ns()) and self._strikes(fault):
                fault.struck += 1
                if fault.left is not None:
                    fault.left -= 1
                yield fault

    def held(self, knob: str) -> Iterator[Fault]:
        """Give every fault of a state that is on, with its scope."""
        now_ns = self._now_ns()
        yield from (fault for fault in self._armed.get(knob, ()) if fault.lives(now_ns))

    def draw(self, knob: str) -> float:
        """Return the knob's next chance, from 0 up to 1."""
        turn = self._draws.get(knob, 0)
        self._draws[knob] = turn + 1
        return random.Random(f"{self._seed}:{knob}:{turn}").random()  # noqa: S311 - seeded, on purpose

    def _strikes(self, fault: Fault) -> bool:
        fault.seen += 1
        if fault.p is not None and self.draw(fault.knob) >= fault.p:
            return False
        return fault.every_n is None or fault.seen % fault.every_n == 0

    def put(self, entries: Sequence[Any]) -> list[Fault]:
        """Set faults, all or none; FaultError names the first that cannot be."""
        made = [
            read_fault(entry, (str(place),), next(self._numbers), self._now_ns(), self._markets)
            for place, entry in enumerate(entries)
        ]
        if len(made) + sum(map(len, self._armed.values())) > MAX_FAULTS:
            raise FaultError(f"more than {MAX_FAULTS} faults")
        self._known.clear()
        for fault in made:
            self._armed.setdefault(fault.knob, []).append(fault)
        return made

    def clear(self, which: str | int | None) -> int:
        """Forget the fault of a number, those of a knob or group, or all (None); how many."""
        gone = [
            fault
            for fault in self
            if which is None or fault.number == which or named(fault.knob, which)
        ]
        self._forget(gone)
        return len(gone)

    def forget_past(self) -> None:
        """Drop the faults that never strike again."""
        if self._armed:
            now_ns = self._now_ns()
            every = chain.from_iterable(self._armed.values())
            gone = [fault for fault in every if fault.is_over(now_ns)]
            if gone:
                self._forget(gone)

    def _forget(self, gone: list[Fault]) -> None:
        self._known.clear()
        for fault in gone:
            armed = self._armed[fault.knob]
            armed.remove(fault)
            if not armed:
                del self._armed[fault.knob]

    def swarm(self, entry: Any) -> list[Fault]:
        """Set `count` random faults over the next `over_ms`, each `for_ms` long, from a seed."""
        return self.put(swarm_entries(entry))
