"""What is wrong with the settings: pydantic's findings as plain sentences with a place."""

import difflib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails

from mmbot.config.keys import fields_of, keys
from mmbot.config.paths import section_at
from mmbot.config.schema import Config
from mmbot.config.strict_yaml import Node, Problem
from mmbot.secrets.redaction import redacted

Path = tuple[str, ...]

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "string_type": "text",
    "tuple_type": "a list like [a, b]",
    "list_type": "a list",
    "model_type": "a section (lines of key: value)",
    "dict_type": "a section (lines of key: value)",
}
_PATTERNS = {
    "^[A-Z0-9][A-Z0-9_-]*$": "upper-case letters, digits, - and _",
    "^[a-z0-9][a-z0-9-]*$": "lower-case letters, digits and -",
    "^[a-z0-9-]+$": "lower-case letters, digits and -",
    "^[A-Za-z0-9]+$": "letters and digits",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": 'a time of day such as "00:05"',
    "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$": 'hours such as "22:00-06:00"',
    r"^\d+'(/\d+'){1,3}$": "steps like 44'/501'/0'/0'",
}
_BOUNDS = {
    "greater_than": ("gt", "not above"),
    "greater_than_equal": ("ge", "below"),
    "less_than": ("lt", "not below"),
    "less_than_equal": ("le", "above"),
}


def translate(error: ErrorDetails, tree: Node) -> Problem:
    """Return one validation error of pydantic as a problem at the user's line."""
    context: Mapping[str, Any] = error.get("ctx", {})
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "value_error":
        path = _mentioned(str(context["error"]), path, tree)
    node = nearest(tree, path)
    place = node.key if error["type"] in ("extra_forbidden", "string_pattern_mismatch") else None
    return Problem(place or node.place, ".".join(path), _sentence(error, context, path))


def nearest(tree: Node, path: Path) -> Node:
    """Return the node at `path`, or the closest one above it that the user wrote."""
    found = (_at(tree, path[:end]) for end in range(len(path), 0, -1))
    return next((node for node in found if node is not None), tree)


def _at(tree: Node, path: Path) -> Node | None:
    node: Node | None = tree
    for name in path:
        below = node.value if node is not None else None
        if isinstance(below, dict):
            node = below.get(name)
        elif isinstance(below, list) and name.isdigit() and int(name) < len(below):
            node = below[int(name)]
        else:
            return None
    return node


def _mentioned(text: str, path: Path, tree: Node) -> Path:
    """Return the path of the key that a clash is about: of those in `text`, the last one set."""
    named = [(*path, *word.split(".")) for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)*", text)]
    written = {at: _at(tree, at) for at in named}
    places = {at: node.place for at, node in written.items() if node is not None}
    # A value without a line is from the environment or the command line, which come last.
    return max(places, key=lambda at: (places[at].line or sys.maxsize, places[at]), default=path)


def unknown(path: Path) -> str:
    """Return the sentence for a key that does not exist, with what was probably meant."""
    name, section = path[-1], section_at(path[:-1])
    elsewhere = _elsewhere(path)
    if elsewhere:
        return f"unknown key here; it belongs to {elsewhere}"
    here = list(fields_of(section)) if section is not None else []
    close = difflib.get_close_matches(name, here, n=1, cutoff=0.6)
    if close:
        return f"unknown key; did you mean {close[0]}?"
    return f"unknown key; possible here: {', '.join(here)}" if here else "unknown key"


def show_value(value: object) -> str:
    """Return a value as it would be written in the file, cut to a readable length."""
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    text = redacted(json.dumps(value, ensure_ascii=False)) if value is not None else "nothing"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _elsewhere(path: Path) -> str:
    """Return the sections that do have the last name of `path`; those below its section first."""
    market = path[:2] if path[0] == "markets" else ("defaults",)
    above = ("defaults", *path[2:-1]) if path[0] == "markets" else path[:-1]
    places = [known[:-1] for known in _places() if known[-1] == path[-1]]
    found = [place for place in places if place[: len(above)] == above] or places
    found = [(*market, *place[1:]) if place[:1] == ("defaults",) else place for place in found]
    return " or ".join(".".join(place) or "the top level" for place in found[:2])


@cache
def _places() -> tuple[Path, ...]:
    known = [key.path for key in keys(Config) if key.path[0] != "markets"]
    sections = dict.fromkeys(key[:end] for key in known for end in range(1, len(key)))
    return (*known, *sections)


def _sentence(error: ErrorDetails, context: Mapping[str, Any], path: Path) -> str:
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        return unknown(path)
    if kind == "missing":
        return "is required"
    if kind in _BOUNDS:
        return _out_of_bounds(kind, value, context, path)
    if kind == "literal_error":
        return _not_a_choice(value, context)
    if kind in _EXPECTED:
        hint = f'; write "{value}" in quotes' if _needs_quotes(kind, value) else ""
        return f"expected {_EXPECTED[kind]}, not {show_value(value)}{hint}"
    if kind == "string_pattern_mismatch":
        return f"{show_value(value)} may only contain {_PATTERNS[context['pattern']]}"
    if kind == "string_too_long":
        return f"{show_value(value)} is longer than {context['max_length']} characters"
    if kind == "too_short":
        return f"needs at least {context['min_length']} entries, has {context['actual_length']}"
    if kind == "value_error":
        return str(context["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


def _out_of_bounds(kind: str, value: object, context: Mapping[str, Any], path: Path) -> str:
    name, words = _BOUNDS[kind]
    bound = context[name]
    text = f"{_number(value)} is {words} {_number(bound)}"
    name = path[-1] if not path[-1].isdigit() else path[-2]
    if name.endswith("_pct") and bound == 1 and _is_share(value):
        percent = f"{float(str(value)) * 100:g}"
        text += f"; write {percent} for {percent} %"
    return text


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < 1


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    return show_value(value) if isinstance(value, str | None) else str(value)


def _not_a_choice(value: object, context: Mapping[str, Any]) -> str:
    expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
    close = difflib.get_close_matches(str(value), expected.split(", "), n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{show_value(value)} is not one of {expected}{hint}"


def _needs_quotes(kind: str, value: object) -> bool:
    return kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool)


def in_reading_order(problems: Sequence[Problem], sources: Sequence[str]) -> list[str]:
    """Return the problems as lines in reading order, each once."""
    order = {source: index for index, source in reversed(list(enumerate(sources)))}
    unique = {(problem.place, problem.text): problem for problem in reversed(problems)}
    listed = sorted(
        reversed(unique.values()),
        key=lambda problem: (order.get(problem.place.source, len(order)), problem.place[1:]),
    )
    return [str(problem) for problem in listed]
