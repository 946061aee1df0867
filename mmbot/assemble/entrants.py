"""Strategies by name: a contestant of examples/contestants or a Python file of one's own.

A name is `STEM[:key=value...]` or `PATH.py[:key=value...]`; the file's `strategy`, called with a
Market and the numbers given, makes the strategy.
"""

from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from typing import NamedTuple

from mmbot.domain.market import Market
from mmbot.errors import UsageError
from mmbot.quoting.strategy import Strategy

CONTESTANTS = Path(__file__).resolve().parents[2] / "examples" / "contestants"
FACTORY = "strategy"


class Rule(NamedTuple):
    """A strategy's file and the numbers it is made with."""

    path: Path
    numbers: Mapping[str, float]


def known_contestants() -> list[str]:
    """Return the names of the contestants in the examples, sorted."""
    return sorted(path.stem for path in CONTESTANTS.glob("*.py"))


def read_rule(text: str) -> Rule:
    """Read a name; UsageError says what is wrong with it."""
    name, *settings = text.split(":")
    path = Path(name) if name.endswith(".py") else CONTESTANTS / f"{name}.py"
    if not path.is_file():
        known = ", ".join(known_contestants())
        raise UsageError(f"strategy {name}: expected a .yaml or .py file, or one of {known}")
    numbers = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        try:
            numbers[key] = float(value)
        except ValueError as error:
            raise UsageError(f"strategy {text}: expected {key}{sign or '='}NUMBER") from error
    return Rule(path, numbers)


def factory_of(rule: Rule, sizes: Mapping[str, float]) -> Callable[[Market], Strategy]:
    """Return what makes the strategy for a market.

    `sizes` are numbers for those of its parameters that have these names and are not given.
    UsageError when the file makes no strategy or does not know a number given.
    """
    spec = spec_from_file_location(f"contestant_{rule.path.stem}", rule.path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{rule.path}: expected a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    make = getattr(module, FACTORY, None)
    if not callable(make):
        raise UsageError(f"{rule.path}: expected {FACTORY}(market, ...), found none")
    known = signature(make).parameters
    unknown = sorted(rule.numbers.keys() - known.keys())
    if unknown:
        names = ", ".join(list(known)[1:])
        raise UsageError(f"{rule.path}: no parameter {unknown[0]}; it has {names}")
    numbers = {key: value for key, value in sizes.items() if key in known} | {**rule.numbers}

    def strategy(market: Market) -> Strategy:
        made: Strategy = make(market, **numbers)
        return made

    return strategy
