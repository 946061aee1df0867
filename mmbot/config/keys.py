"""The settings models as a tree of keys: what exists where, in which unit, within which bounds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from mmbot.domain.params import Params

Section = type[Params]

UNITS = (
    ("bps_per_hour", "bps/h"),
    ("per_second", "1/s"),
    ("per_minute", "1/min"),
    ("per_s", "1/s"),
    ("per_bps", "1/bps"),
    ("bps", "bps"),
    ("pct", "%"),
    ("usd", "USD"),
    ("base", "base units"),
    ("ns", "ns"),
    ("ms", "ms"),
    ("s", "s"),
    ("h", "h"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """One setting of a section: `path` from the top, or from the section it was asked of."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def dotted(self) -> str:
        return ".".join(self.path)

    @property
    def unit(self) -> str:
        return unit_of(self.path[-1])

    @property
    def choices(self) -> tuple[object, ...]:
        annotation = self.field.annotation
        return get_args(annotation) if get_origin(annotation) is Literal else ()

    @property
    def kind(self) -> str:
        words = {
            "bool": "true or false",
            "int": "whole number",
            "float": "number",
            "Decimal": "number",
            "str": "text",
            "SecretStr": "text",
            "tuple": "list of numbers",
            "dict": "map",
        }
        kinds = [kind for kind in _members(self.field.annotation) if kind is not type(None)]
        if listed_section_of(self.field) is not None:
            return "list of sections"
        if get_origin(kinds[0]) is tuple and str in get_args(kinds[0]):
            return "list of texts"
        return words[getattr(get_origin(kinds[0]) or kinds[0], "__name__", "str")]

    @property
    def nullable(self) -> bool:
        return type(None) in _members(self.field.annotation)

    @property
    def bounds(self) -> str:
        """Return the bounds in words, empty when there are none."""
        if self.choices:
            return " | ".join(str(choice) for choice in self.choices)
        words = [_bound(mark) for mark in self.field.metadata]
        text = ", ".join(word for word in words if word)
        return re.sub(r"^from (\S+), up to ", r"\1 to ", text)


def unit_of(name: str) -> str:
    """Return the unit that the end of a key's name promises, empty for a pure number."""
    for ending, unit in UNITS:
        if name == ending or name.endswith(f"_{ending}"):
            return unit
    return ""


def section_of(field: FieldInfo) -> Section | None:
    """Return the model that `field` nests, None when it holds a value or named sections."""
    kind = field.annotation
    return kind if _is_section(kind) else None


def named_section_of(field: FieldInfo) -> Section | None:
    """Return the model of the values when `field` is a map from names to sections."""
    kind: Any = field.annotation
    below = get_args(kind)[1] if get_origin(kind) is dict else None
    return below if _is_section(below) else None


def listed_section_of(field: FieldInfo) -> Section | None:
    """Return the model of the entries when `field` is a list of sections."""
    kind: Any = field.annotation
    entry = get_args(kind)[0] if get_origin(kind) is tuple else None
    return entry if _is_section(entry) else None


def fields_of(section: Section) -> dict[str, FieldInfo]:
    """Return the fields of a model by the names they have in a file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def keys(section: Section, prefix: tuple[str, ...] = ()) -> Iterator[Key]:
    """Yield every setting below `section` in file order; a name is written `<NAME>`."""
    for name, field in fields_of(section).items():
        below, named = section_of(field), named_section_of(field)
        if below is not None:
            yield from keys(below, (*prefix, name))
        elif named is not None:
            yield from keys(named, (*prefix, name, "<NAME>"))
        else:
            yield Key((*prefix, name), field)


def values(
    settings: Params, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield path and value of every setting of a model's instance, in file order."""
    for attribute, field in type(settings).model_fields.items():
        name, value = field.alias or attribute, getattr(settings, attribute)
        if isinstance(value, Params):
            yield from values(value, (*prefix, name))
        elif named_section_of(field) is not None:
            for label, below in value.items():
                yield from values(below, (*prefix, name, label))
        else:
            yield (*prefix, name), value


def _is_section(kind: Any) -> TypeGuard[Section]:
    return isinstance(kind, type) and issubclass(kind, Params)


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (None, dict, tuple, Literal):
        return (annotation,)
    return get_args(annotation)


def _bound(mark: object) -> str:
    match mark:
        case annotated_types.Gt(gt=bound):
            return f"above {bound:,}"
        case annotated_types.Ge(ge=bound):
            return f"from {bound:,}"
        case annotated_types.Lt(lt=bound):
            return f"below {bound:,}"
        case annotated_types.Le(le=bound):
            return f"up to {bound:,}"
        case annotated_types.MinLen(min_length=least):
            return f"at least {least} of them"
        case annotated_types.MaxLen(max_length=most):
            return f"at most {most:,} of them"
        case _:
            return ""
