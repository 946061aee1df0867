"""Which faults are set and when they strike: the schedule behind every knob of the table.

Chances are drawn from (seed, knob, count), so one knob's draws do not depend on another's.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec import Struct

from mmbot.errors import MmbotError
from mmbot.exchange.fault_table import KNOBS, Knob, Mode, Takes
from mmbot.exchange.pacing import MILLISECOND_NS

MAX_FAULTS = 1000
WHEN = ("p", "every_n", "at_ms", "next_n", "for_ms")
SCOPE = ("market", "account", "session", "kind", "direction")
SWARM = ("seed", "count", "over_ms", "for_ms", "knobs")
_LIMITS = {"p": (0, 1), "every_n": (1, 10**9), "next_n": (1, 10**9)}
_MANY_MS = 10**12

Values = Mapping[str, Any]


class FaultError(MmbotError):
    """A fault that cannot be set; `path` leads to what is wrong in what was given."""

    def __init__(self, text: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.path = path


class Where(Struct, frozen=True):
    """What a message is about; a fault that names something else leaves it alone."""

    kinds: frozenset[str] = frozenset()
    market: int | None = None
    account: int | None = None
    session: int | None = None
    direction: str | None = None


ANYWHERE = Where()


class Fault(Struct):
    """One fault that was set; `values` are the knob's parameters, defaults filled in.

    `from_ns` and `until_ns` bound its life in engine time; `left` is how often it may still
    strike, None without a bound.
    """

    number: int
    knob: str
    values: dict[str, Any]
    scope: dict[str, Any]
    from_ns: int
    until_ns: int | None
    p: float | None = None
    every_n: int | None = None
    left: int | None = None
    seen: int = 0
    struck: int = 0

    def covers(self, where: Where) -> bool:
        """Tell whether the fault is about such a message."""
        scope = self.scope
        if not scope:
            return True
        return all(
            value in where.kinds if name == "kind" else getattr(where, name) == value
            for name, value in scope.items()
        )

    def lives(self, now_ns: int) -> bool:
        """Tell whether it may strike now."""
        return (
            self.from_ns <= now_ns
            and (self.until_ns is None or now_ns < self.until_ns)
            and self.left != 0
        )

    def is_over(self, now_ns: int) -> bool:
        """Tell whether it never strikes again."""
        return self.left == 0 or (self.until_ns is not None and now_ns >= self.until_ns)


class Faults:
    """Every fault set now; `now_ns` is asked for engine time."""

    def __init__(self, seed: int, now_ns: Callable[[], int], markets: Mapping[str, int]) -> None:
        self._seed = seed
        self._now_ns = now_ns
        self._markets = markets
        self._numbers = count(1)
        self._draws: dict[str, int] = {}
        self._armed: dict[str, list[Fault]] = {}

    def __iter__(self) -> Iterator[Fault]:
        """Every fault that is set, in the order of their numbers."""
        return iter(sorted((f for each in self._armed.values() for f in each), key=_number_of))

    def armed(self, *groups: str) -> bool:
        """Tell whether a knob of these groups (`act.`) or names is set."""
        return bool(self._armed) and any(name.startswith(groups) for name in self._armed)

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
        made = [self._made(entry, (str(place),)) for place, entry in enumerate(entries)]
        if len(made) + sum(map(len, self._armed.values())) > MAX_FAULTS:
            raise FaultError(f"more than {MAX_FAULTS} faults")
        for fault in made:
            self._armed.setdefault(fault.knob, []).append(fault)
        return made

    def clear(self, which: str | int | None) -> int:
        """Forget the fault of a number, those of a knob or group, or all (None); how many."""
        gone = [
            fault
            for fault in self
            if which is None or fault.number == which or _named(fault.knob, which)
        ]
        self._forget(gone)
        return len(gone)

    def forget_past(self) -> None:
        """Drop the faults that never strike again."""
        if self._armed:
            now_ns = self._now_ns()
            self._forget([fault for fault in self if fault.is_over(now_ns)])

    def _forget(self, gone: list[Fault]) -> None:
        for fault in gone:
            armed = self._armed[fault.knob]
            armed.remove(fault)
            if not armed:
                del self._armed[fault.knob]

    def swarm(self, entry: Any) -> list[Fault]:
        """Set `count` random faults over the next `over_ms`, each `for_ms` long, from a seed."""
        wanted = _checked_swarm(entry)
        dice = random.Random(f"{wanted['seed']}:swarm")  # noqa: S311 - seeded, on purpose
        entries = []
        for _ in range(wanted["count"]):
            knob = KNOBS[dice.choice(wanted["knobs"])]
            made: dict[str, Any] = {"knob": knob.name, "at_ms": dice.randrange(wanted["over_ms"])}
            if knob.mode is not Mode.DEED:
                made["for_ms"] = dice.randint(1, wanted["for_ms"])
            if knob.mode is Mode.EACH:
                made["p"] = round(dice.uniform(0.05, 0.5), 3)
            entries.append(made)
        return self.put(entries)

    def _made(self, entry: Any, path: tuple[str, ...]) -> Fault:
        if not isinstance(entry, dict):
            raise FaultError("a fault is an object with a knob", path)
        knob = KNOBS.get(entry.get("knob", "")) if isinstance(entry.get("knob"), str) else None
        if knob is None:
            known = ", ".join(KNOBS)
            raise FaultError(f"unknown knob {entry.get('knob')!r}; known: {known}", (*path, "knob"))
        _no_strangers(entry, ("knob", *knob.takes, *WHEN, *SCOPE), knob.name, path)
        when = {name: _when(name, entry[name], path) for name in WHEN if name in entry}
        if knob.mode is Mode.WHILE and when.keys() - {"at_ms", "for_ms"}:
            raise FaultError(f"{knob.name} is a state: it takes at_ms and for_ms only", path)
        from_ns = self._now_ns() + round(when.get("at_ms", 0)) * MILLISECOND_NS
        length = when.get("for_ms")
        return Fault(
            number=next(self._numbers),
            knob=knob.name,
            values={name: _value(name, takes, entry, path) for name, takes in knob.takes.items()},
            scope=self._scope(entry, path),
            from_ns=from_ns,
            until_ns=None if length is None else from_ns + round(length) * MILLISECOND_NS,
            p=when.get("p"),
            every_n=when.get("every_n"),
            left=_strikes_allowed(knob, when),
        )

    def _scope(self, entry: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        scope = {name: entry[name] for name in SCOPE if entry.get(name) is not None}
        for name in ("account", "session"):
            if name in scope and type(scope[name]) is not int:
                raise FaultError(f"{name} is a whole number", (*path, name))
        for name in ("kind", "direction"):
            if name in scope and not isinstance(scope[name], str):
                raise FaultError(f"{name} is a word", (*path, name))
        if "market" in scope:
            wanted = scope["market"]
            market = self._markets.get(wanted) if isinstance(wanted, str) else wanted
            if type(market) is not int or market not in self._markets.values():
                known = ", ".join(self._markets)
                raise FaultError(f"unknown market {wanted!r}; known: {known}", (*path, "market"))
            scope["market"] = market
        return scope


def _number_of(fault: Fault) -> int:
    return fault.number


def _named(knob: str, which: str | int) -> bool:
    return isinstance(which, str) and (knob == which or knob.startswith(f"{which}."))


def _no_strangers(
    entry: dict[str, Any], known: Sequence[str], name: str, path: tuple[str, ...]
) -> None:
    for key in entry:
        if key not in known:
            text = f"{name} does not take {key!r}; known: {', '.join(known)}"
            raise FaultError(text, (*path, str(key)))


def _when(name: str, value: Any, path: tuple[str, ...]) -> Any:
    low, high = _LIMITS.get(name, (0, _MANY_MS))
    kinds = (int, float) if name == "p" else (int,)
    if type(value) not in kinds or not low <= value <= high:
        word = "a number" if name == "p" else "a whole number"
        raise FaultError(f"{name} is {word} from {low} to {high}, not {value!r}", (*path, name))
    return value


def _value(name: str, takes: Takes, entry: dict[str, Any], path: tuple[str, ...]) -> Any:
    value = entry.get(name, takes.default)
    if value is None:
        raise FaultError(f"{name} is required", path)
    if takes.kind is float and type(value) is int:
        value = float(value)
    fits = type(value) is takes.kind
    if fits and takes.choices:
        fits = value in takes.choices
    if fits and takes.low is not None and takes.high is not None:
        fits = takes.low <= value <= takes.high
    if not fits:
        raise FaultError(f"{name} is {_wanted(takes)}, not {value!r}", (*path, name))
    return value


def _wanted(takes: Takes) -> str:
    if takes.choices:
        return f"one of {', '.join(takes.choices)}"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    bounds = "" if takes.low is None else f" from {takes.low:g} to {takes.high:g}"
    return words[takes.kind] + bounds


def _strikes_allowed(knob: Knob, when: Mapping[str, Any]) -> int | None:
    """Tell how often a fault strikes: what was said, else once for what has no other end."""
    if "next_n" in when:
        return int(when["next_n"])
    if knob.mode is Mode.DEED and not when.keys() & {"p", "every_n", "for_ms"}:
        return 1
    if knob.mode is Mode.EACH and "at_ms" in when and not when.keys() & {"p", "every_n", "for_ms"}:
        return 1
    return None


def _checked_swarm(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise FaultError("a swarm is an object", ("swarm",))
    _no_strangers(entry, SWARM, "a swarm", ("swarm",))
    found: dict[str, Any] = {"seed": 1, "count": 20, "over_ms": 60_000, "for_ms": 2000}
    for name in found:
        found[name] = entry.get(name, found[name])
        low, high = (0, 2**63) if name == "seed" else (1, MAX_FAULTS if name == "count" else 10**10)
        if type(found[name]) is not int or not low <= found[name] <= high:
            raise FaultError(f"{name} is a whole number from {low} to {high}", ("swarm", name))
    wanted = entry.get("knobs", list(KNOBS))
    if not isinstance(wanted, list) or not wanted:
        raise FaultError("knobs is a list of knobs or groups", ("swarm", "knobs"))
    chosen = [name for name in KNOBS if any(_named(name, word) for word in wanted)]
    for word in wanted:
        if not any(_named(name, word) for name in KNOBS):
            raise FaultError(
                f"unknown knob {word!r}; known: {', '.join(KNOBS)}", ("swarm", "knobs")
            )
    found["knobs"] = [name for name in chosen if not _required(KNOBS[name])]
    return found


def _required(knob: Knob) -> bool:
    return any(takes.default is None for takes in knob.takes.values())
