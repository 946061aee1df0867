"""The strict reader against the tables of YAML 1.2.2 section 10.3 and against hostile text."""

import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbot.config.strict_yaml import (
    MAX_BYTES,
    MAX_DEPTH,
    Node,
    Place,
    Problem,
    as_text,
    parse,
)


def read(text: str) -> object:
    problems: list[Problem] = []
    tree = parse(text, "f", problems)
    assert problems == []
    assert tree is not None
    return tree.plain()


def mistakes(text: str) -> list[str]:
    problems: list[Problem] = []
    parse(text, "f", problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("null", None),
        ("", None),
        ("nULL", "nULL"),
        ("010", 10),
        ("-010", -10),
        ("+7", 7),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        ("1E+2", 100.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5e1", -5.0),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01"),
        ("-100133", -100133),
        ('"010"', "010"),
        ("'true'", "true"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = read(f"key: {text}\n")
    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


def test_every_value_knows_its_place() -> None:
    tree = parse("a:\n  b: 1\n  c: [x, {d: 2}]\n", "f", [])
    assert tree is not None
    assert isinstance(tree.value, dict)
    section = tree.value["a"].value
    assert isinstance(section, dict)
    assert section["b"].key == Place("f", 2, 3)
    assert section["b"].place == Place("f", 2, 6)
    entries = section["c"].value
    assert isinstance(entries, list)
    assert [entry.place for entry in entries] == [Place("f", 3, 7), Place("f", 3, 10)]
    inner = entries[1].value
    assert isinstance(inner, dict)
    assert inner["d"].place == Place("f", 3, 14)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "a (f:3:1): repeated key; the first is on line 1"),
        ("r:\n  a: .nan\n", "r.a (f:2:6): .nan is not a finite number"),
        ("a: -.inf\n", "a (f:1:4): -.inf is not a finite number"),
        ("a: [1, 1e999]\n", "a.1 (f:1:8): 1e999 is not a finite number"),
        (f"a: {'9' * 41}\n", f"a (f:1:4): {'9' * 40}... is not a finite number"),
        ("1.5: a\n", "1.5 (f:1:1): a key must be text; put it in quotes"),
        ("010: a\n", "010 (f:1:1): a key must be text; put it in quotes"),
        ("true: a\n", "true (f:1:1): a key must be text; put it in quotes"),
        ("[a]: 1\n", "f:1:1: a key must be a word, not a list, map or alias"),
        (
            "a: &x 1\nb: *x\n",
            "f:1:4: anchors and aliases (& and *) are not supported; use `defaults:`",
        ),
        ("b: *x\n", "f:1:4: anchors and aliases (& and *) are not supported; use `defaults:`"),
        (
            "a: !!python/name:f 1\n",
            "f:1:4: the tag tag:yaml.org,2002:python/name:f is not supported; quote text instead",
        ),
        ("!!str a: 1\n", "f:1:1: anchors and tags are not supported"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document; one file holds one configuration"),
        ("a: 1\nb: 2: 3\n", "f:2:5: not valid YAML: mapping values are not allowed here"),
        (
            "a: [1, 2\nb: 3\n",
            "f:2:2: not valid YAML: expected ',' or ']', but got ':' (while parsing a flow"
            " sequence)",
        ),
        ("\ta: 1\n", "f:1:1: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: \x07\n", "f:1:4: a control character is not allowed in YAML"),
        ('a: "\\ud800"\n', "a (f:1:4): half a character pair (a lone surrogate) is not text"),
        ('a: "\\U00110000"\n', "f: not valid YAML: chr() arg not in range(0x110000)"),
    ],
)
def test_one_plain_line_for_each_mistake(text: str, line: str) -> None:
    found = mistakes(text)
    assert found[:1] == [line] or line.split(" (while")[0] in found[0]
    assert len(found) == 1


def test_depth_is_counted_before_it_is_followed() -> None:
    assert mistakes("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert mistakes("[" * 100_000) == [
        f"f:1:{MAX_DEPTH + 2}: nested deeper than {MAX_DEPTH} levels"
    ]


def test_size_and_count_are_limited() -> None:
    assert mistakes("#" * (MAX_BYTES + 1)) == [
        "f: larger than 262,144 bytes; that is not a configuration"
    ]
    assert mistakes("#" * MAX_BYTES) == []
    assert mistakes(f"{'k' * 65}: 1") == ["f:1:1: a key of 65 characters; at most 64"]
    assert mistakes(f"{'k' * 64}: 1") == []
    assert mistakes("- 1\n" * 20_000) == ["f:20000:3: more than 20000 values"]
    assert mistakes("- 1\n" * 20_001) == ["f:20000:3: more than 20000 values"]


def test_a_refused_value_leaves_the_rest_readable() -> None:
    problems: list[Problem] = []
    tree = parse("a: .nan\nb: 2\nb: 3\nc: 4\n", "f", problems)
    assert tree is not None
    assert tree.plain() == {"b": 2, "c": 4}
    assert len(problems) == 2


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from(":-[]{}&*!|>'\"%@`#?,\n ")))
@example("? a\n: b")
@example("%YAML 1.1\n---\na: on")
@example("a: !<tag:yaml.org,2002:%ff> x")
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    problems: list[Problem] = []
    tree = parse(text, "f", problems)
    assert tree is not None or problems
    assert all(problem.place.source == "f" for problem in problems)


NAMES = st.text(alphabet="abcdefgh_", min_size=1, max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    # To YAML 1.1 an exponent without a point is text: its writers do not quote it.
    | st.text(max_size=8).filter(lambda text: not re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", text))
)
TREES = st.dictionaries(
    NAMES,
    max_size=4,
    values=st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(TREES)
def test_what_another_writer_wrote_is_read_back(tree: dict[str, object]) -> None:
    # Everything quoted or plain as PyYAML's writer decides; its 1.1 quoting is nearly a superset.
    text = yaml.safe_dump(tree, allow_unicode=False)
    problems: list[Problem] = []
    found = parse(text, "f", problems)
    if not any("deeper" in problem.text for problem in problems):
        assert problems == []
        assert isinstance(found, Node)
        assert found.plain() == tree


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=8) | st.sampled_from(["on", "010", "1e3", "a b", "a: b", "- a", "a #b"]))
def test_text_is_written_so_that_it_reads_as_itself(text: str) -> None:
    assert read(f"key: {as_text(text)}\n") == {"key": text}
    assert read(f"key: [{as_text(text)}]\n") == {"key": [text]}


def test_only_text_that_needs_quotes_gets_them() -> None:
    written = [as_text(text) for text in ("flash-crash", "on", "a/b.csv", "010", "a: b", 'a"b\\')]
    assert written == ["flash-crash", "on", "a/b.csv", '"010"', '"a: b"', '"a\\"b\\\\"']
