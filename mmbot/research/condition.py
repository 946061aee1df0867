"""Conditions on results: `max_drawdown_pct>5 or fills_count<10`; `and` binds before `or`."""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches

from msgspec import Struct

from mmbot.errors import ConfigError
from mmbot.research.metrics import MetricValue

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CLAUSE = re.compile(rf"\s*([A-Za-z_]\w*)\s*(<=|>=|==|!=|<|>)\s*({_NUMBER})\s*", re.ASCII)


class Clause(Struct, frozen=True):
    """One comparison of a metric with a number."""

    key: str
    sign: str
    number: float

    def holds(self, values: Mapping[str, MetricValue]) -> bool:
        """Tell whether the comparison is true; a figure that is missing counts as true."""
        value = values[self.key]
        return not isinstance(value, int | float) or _OPERATORS[self.sign](value, self.number)


class Condition(Struct, frozen=True):
    """Alternatives of clauses that must hold together."""

    text: str
    alternatives: tuple[tuple[Clause, ...], ...]

    def holds(self, values: Mapping[str, MetricValue]) -> bool:
        """Tell whether all clauses of any alternative hold. Missing figures are never good news."""
        return any(all(clause.holds(values) for clause in every) for every in self.alternatives)


def parse_condition(text: str, known: Collection[str]) -> Condition:
    """Read `KEY OP NUMBER` clauses joined by `and`, `or`; ConfigError lists what is wrong."""
    problems: list[str] = []
    alternatives = tuple(
        tuple(_clause(part, known, problems) for part in re.split(r"\band\b", alternative))
        for alternative in re.split(r"\bor\b", text)
    )
    if problems:
        raise ConfigError(problems)
    return Condition(text, alternatives)


def _clause(text: str, known: Collection[str], problems: list[str]) -> Clause:
    match = _CLAUSE.fullmatch(text)
    if match is None:
        problems.append(
            f"condition {text.strip()!r}: expected KEY OP NUMBER, as max_drawdown_pct>5"
        )
        return Clause("", "<", 0.0)
    key, sign, number = match.groups()
    if key not in known:
        close = get_close_matches(key, known, 1)
        guess = f"; did you mean {close[0]}?" if close else ""
        keys = ", ".join(sorted(known))
        problems.append(f"condition: unknown key {key!r}{guess} Known keys: {keys}")
    return Clause(key, sign, float(number))
