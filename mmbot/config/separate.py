"""Settings files of their own (an exchange's markets, a list of faults), read as strictly.

Every mistake is a ConfigError with file, line and column, all at once.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mmbot.config.problems import in_reading_order, nearest, translate
from mmbot.config.sources import Sources
from mmbot.config.strict_yaml import MAX_BYTES, Node, Problem, parse
from mmbot.domain.params import Params
from mmbot.errors import ConfigError

P = TypeVar("P", bound=Params)
_NO_TEXTS: Mapping[Path, str] = {}


def load_params(paths: Sequence[Path], model: type[P]) -> P:
    """Read a model from files, later ones winning; without files it is as shipped."""
    sources = Sources(_NO_TEXTS)
    tree = sources.read(paths, {}, ())
    found = None
    if sources.complete:
        try:
            found = model.model_validate_json(json.dumps(tree.plain()), strict=True)
        except ValidationError as error:
            details = error.errors(include_url=False)
            sources.problems += [_problem(detail, tree, model) for detail in _told(details)]
    if found is None or sources.problems:
        raise ConfigError(in_reading_order(sources.problems, sources.names))
    return found


def load_tree(path: Path) -> Node:
    """Read a YAML or JSON file without a model; what is wrong with it later has its place."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode()
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {(error.strerror or '').lower()}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text"]) from error
    problems: list[Problem] = []
    tree = parse(text, str(path), problems)
    if tree is None or problems:
        raise ConfigError(in_reading_order(problems, [str(path)]))
    return tree


def complain(tree: Node, path: tuple[str, ...], text: str) -> NoReturn:
    """Raise a ConfigError about what stands at a path of a tree."""
    raise ConfigError([str(Problem(nearest(tree, path).place, ".".join(path), text))])


def _told(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where entries of it could not be read."""
    above = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in above]


def _problem(error: ErrorDetails, tree: Node, model: type[Params]) -> Problem:
    if error["type"] != "extra_forbidden":
        return translate(error, tree)
    path = tuple(str(part) for part in error["loc"])
    known = ", ".join(_section(model, path[:-1]).model_fields)
    text = f"unknown key; possible here: {known}"
    return Problem(nearest(tree, path).key, ".".join(path), text)


def _section(model: type[Params], path: tuple[str, ...]) -> type[Params]:
    """Return the model that the keys at a path belong to."""
    kind: Any = model
    for name in path:
        kind = (
            get_args(kind)[0] if get_origin(kind) is tuple else kind.model_fields[name].annotation
        )
    found: type[Params] = kind
    return found
