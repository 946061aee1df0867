"""Faults as somebody asks for them: read strictly, a FaultError says what is wrong and where."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from mmbot.errors import MmbotError
from mmbot.exchange.faults.table import KNOBS, Knob, Mode, Takes
from mmbot.exchange.running.pacing import MILLISECOND_NS

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


def read_fault(
    entry: Any, path: tuple[str, ...], number: int, now_ns: int, markets: Mapping[str, int]
) -> Fault:
    """Return the fault an entry describes; `at_ms` counts from `now_ns`."""
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
    from_ns = now_ns + round(when.get("at_ms", 0)) * MILLISECOND_NS
    length = when.get("for_ms")
    return Fault(
        number=number,
        knob=knob.name,
        values={name: _value(name, takes, entry, path) for name, takes in knob.takes.items()},
        scope=_scope(entry, path, markets),
        from_ns=from_ns,
        until_ns=None if length is None else from_ns + round(length) * MILLISECOND_NS,
        p=when.get("p"),
        every_n=when.get("every_n"),
        left=_strikes_allowed(knob, when),
    )


def _scope(
    entry: dict[str, Any], path: tuple[str, ...], markets: Mapping[str, int]
) -> dict[str, Any]:
    scope = {name: entry[name] for name in SCOPE if entry.get(name) is not None}
    for name in ("account", "session"):
        if name in scope and type(scope[name]) is not int:
            raise FaultError(f"{name} is a whole number", (*path, name))
    for name in ("kind", "direction"):
        if name in scope and not isinstance(scope[name], str):
            raise FaultError(f"{name} is a word", (*path, name))
    if "market" in scope:
        wanted = scope["market"]
        market = markets.get(wanted) if isinstance(wanted, str) else wanted
        if type(market) is not int or market not in markets.values():
            known = ", ".join(markets)
            raise FaultError(f"unknown market {wanted!r}; known: {known}", (*path, "market"))
        scope["market"] = market
    return scope


def named(knob: str, which: str | int) -> bool:
    """Tell whether a word names a knob, or the group it is in."""
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
    if fits and takes.pattern:
        fits = re.fullmatch(takes.pattern, value) is not None
    if not fits:
        raise FaultError(f"{name} is {_wanted(takes)}, not {value!r}", (*path, name))
    return value


def _wanted(takes: Takes) -> str:
    if takes.choices:
        return f"one of {', '.join(takes.choices)}"
    if takes.pattern:
        return f"text like {takes.pattern}"
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


def swarm_entries(entry: Any) -> list[dict[str, Any]]:
    """Return the random faults a swarm stands for, the same ones for the same entry."""
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
    return entries


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
    chosen = [name for name in KNOBS if any(named(name, word) for word in wanted)]
    for word in wanted:
        if not any(named(name, word) for name in KNOBS):
            raise FaultError(
                f"unknown knob {word!r}; known: {', '.join(KNOBS)}", ("swarm", "knobs")
            )
    found["knobs"] = [name for name in chosen if not _required(KNOBS[name])]
    return found


def _required(knob: Knob) -> bool:
    return any(takes.default is None for takes in knob.takes.values())
