"""Strict YAML 1.2 reading: text -> Node tree in which every key and value knows its place.

Built on PyYAML's parser events, so nothing is resolved by YAML 1.1 rules and no depth is recursed
into before it is counted. Anchors, tags, repeated keys, NaN and infinity are refused.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_NODES = 20_000
MAX_DIGITS = 40
MAX_KEY = 64
TOO_LARGE = f"larger than {MAX_BYTES:,} bytes; that is not a configuration"

# The core schema of YAML 1.2.2, section 10.3.2.
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {word: word[0] in "tT" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_PLAIN_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]*)\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")

Scalar = None | bool | int | float | str


class Place(NamedTuple):
    """Where a value was written: file, line and column from 1, or only a source (`--set`)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


class Problem(NamedTuple):
    """One mistake; `key` is the dotted path, empty when the mistake has none."""

    place: Place
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.key} ({self.place})" if self.key else str(self.place)
        return printable(f"{where}: {self.text}")


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place; `key` is the place of the key it belongs to."""

    value: "Scalar | list[Node] | dict[str, Node]"
    place: Place
    key: Place

    def plain(self) -> object:
        """Return the value as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def parse(text: str, source: str, problems: list[Problem]) -> Node | None:
    """Return the tree of one YAML document, or None after a mistake that stops reading.

    Mistakes that leave the rest readable (a repeated key, NaN) are added to `problems` and the
    value is left out.
    """
    if len(text) > MAX_BYTES:
        problems.append(Problem(Place(source), "", TOO_LARGE))
        return None
    reader = _Reader(source, problems)
    try:
        return reader.read(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)
        context = f" ({error.context})" if error.context else ""
        problems.append(Problem(place, "", f"not valid YAML: {error.problem}{context}"))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        problems.append(
            Problem(Place(source, line, column), "", "a control character is not allowed in YAML")
        )
    except _StoppedError as stopped:
        problems.append(stopped.problem)
    except ValueError as error:  # PyYAML lets the one of a \\U escape outside Unicode through
        problems.append(Problem(Place(source), "", f"not valid YAML: {error}"))
    return None


class _StoppedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


@dataclass(slots=True)
class _Reader:
    source: str
    problems: list[Problem]
    events: Iterator[Any] = field(default_factory=lambda: iter(()))
    count: int = 0

    def read(self, events: Iterator[Any]) -> Node:
        self.events = events
        root = Node(None, Place(self.source, 1, 1), Place(self.source, 1, 1))
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(event, "a second document; one file holds one configuration")
                root = self._node(next(events), (), None)
        return root

    def _node(self, event: Any, path: tuple[str, ...], key: Place | None) -> Node:
        place = self._place(event)
        self.count += 1
        if len(path) > MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        if self.count > MAX_NODES:
            self._stop(event, f"more than {MAX_NODES} values")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._stop(event, "anchors and aliases (& and *) are not supported; use `defaults:`")
        if getattr(event, "tag", None):
            self._stop(event, f"the tag {_shorten(event.tag)} is not supported; quote text instead")
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._mapping(path), place, key or place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._sequence(path), place, key or place)
        return Node(self._scalar(event, path), place, key or place)

    def _mapping(self, path: tuple[str, ...]) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(event, "a key must be a word, not a list, map or alias")
            if event.anchor or event.tag:
                self._stop(event, "anchors and tags are not supported")
            name = str(event.value)
            if len(name) > MAX_KEY:
                self._stop(event, f"a key of {len(name)} characters; at most {MAX_KEY}")
            node = self._node(next(self.events), (*path, name), self._place(event))
            # A whole number as people write it reads the same for everybody: ids are keys, too.
            ambiguous = not isinstance(_resolve(name), str) and not _PLAIN_NUMBER.match(name)
            if event.implicit[0] and ambiguous:
                self._add(event, (*path, name), "a key must be text; put it in quotes")
            elif name in found:
                first = found[name].key.line
                self._add(event, (*path, name), f"repeated key; the first is on line {first}")
            elif not _is_refused(node):
                found[name] = node
        return found

    def _sequence(self, path: tuple[str, ...]) -> list[Node]:
        found: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            node = self._node(event, (*path, str(len(found))), None)
            if not _is_refused(node):
                found.append(node)
        return found

    def _scalar(self, event: yaml.ScalarEvent, path: tuple[str, ...]) -> Scalar:
        text = str(event.value)
        if not event.implicit[0]:
            if any("\ud800" <= letter <= "\udfff" for letter in text):
                self._add(event, path, "half a character pair (a lone surrogate) is not text")
                return math.nan
            return text
        value = _resolve(text)
        if isinstance(value, float) and not math.isfinite(value):
            self._add(event, path, f"{_shorten(text)} is not a finite number")
        return value

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.source, mark.line + 1, mark.column + 1)

    def _add(self, event: Any, path: tuple[str, ...], text: str) -> None:
        self.problems.append(Problem(self._place(event), ".".join(path), text))

    def _stop(self, event: Any, text: str) -> None:
        raise _StoppedError(Problem(self._place(event), "", text))


def _is_refused(node: Node) -> bool:
    return isinstance(node.value, float) and not math.isfinite(node.value)


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_DIGITS else f"{text[:MAX_DIGITS]}..."


def _resolve(text: str) -> Scalar:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        if len(text) > MAX_DIGITS:
            return math.inf
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.match(text):
        return float(text)
    if _NOT_FINITE.match(text):
        return math.nan
    return text


def as_text(text: str) -> str:
    """Return `text` as it is written in YAML, in double quotes only where it needs them."""
    plain = re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*(?<! )", text)
    if plain is not None and isinstance(_resolve(text), str):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def printable(text: str) -> str:
    """Return `text` on one line, with an escape for everything that has no glyph."""
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text)
