"""Writing configuration files: a starter, and one value at a time with every comment kept."""

import difflib
import io
import os
import shutil
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from mmbot.config.loader import load
from mmbot.config.reference import SCHEMA_FILE, schema_text, template
from mmbot.config.strict_yaml import parse
from mmbot.errors import ConfigError

WIDTH = 4096

KeyPath = tuple[str, ...]


def init(path: Path, name: Literal["minimal", "full"], force: bool = False) -> list[Path]:
    """Write a starter file with its schema beside it; return both paths.

    Raises ConfigError when `path` exists and `force` is not set, or cannot be written.
    """
    if path.exists() and not force:
        raise ConfigError([f"{path}: exists already; --force overwrites it"])
    beside = path.with_name(SCHEMA_FILE)
    _replace(path, template(name))
    _replace(beside, schema_text())
    return [path, beside]


def set_value(path: Path, key: str, text: str) -> str:
    """Set a dotted key to the YAML value `text` in a file and return the diff (empty: no change).

    The result is validated before anything is written; the old file stays as `<name>.bak`.
    Raises ConfigError when the key, the value or the file is not valid.
    """
    real = _real(path)
    load([path])
    load([path], overrides=[f"{key}={text}"])
    old = real.read_bytes().decode("utf-8")
    value = _plain(text, key)
    new = _edited(old, tuple(key.split(".")), value, path)
    if new != old:
        _replace(real, new, backup=_backup(real))
    lines = (old.splitlines(keepends=True), new.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, str(path), str(path)))


def put_back(path: Path) -> None:
    """Undo the latest `set_value` of a file."""
    real = _real(path)
    _replace(real, _backup(real).read_bytes().decode("utf-8"))


def round_trip(text: str, path: KeyPath = (), value: object = None) -> str:
    """Return YAML text with the value at `path` replaced; comments, order and quotes stay."""
    yaml = _round_trip_yaml()
    tree = yaml.load(text)
    stream = io.StringIO()
    if tree is None:  # nothing but comments, which ruamel would drop
        stream.write(text if text.endswith("\n") or not text else f"{text}\n")
        tree = CommentedMap()
    section = tree
    for name in path[:-1]:
        if not isinstance(section.get(name), dict):
            section[name] = CommentedMap()
        section = section[name]
    if path:
        section[path[-1]] = _in_flow_style(value)
    if tree:
        yaml.dump(tree, stream)
    return stream.getvalue()


def _edited(old: str, key: KeyPath, value: object, path: Path) -> str:
    """Return the new text, proven valid and different from the old in nothing but `key`."""
    try:
        new = round_trip(old.replace("\r\n", "\n"), key, value)
    except YAMLError as error:
        raise ConfigError([f"{path}: cannot be edited: {str(error).splitlines()[0]}"]) from error
    new = new.replace("\n", "\r\n") if "\r\n" in old else new
    load([path], texts={path: new})
    if _plain(new, str(path)) != _placed_at(_plain(old, str(path)), key, value):
        text = f"{path}: {'.'.join(key)} cannot be set without changing other values"
        raise ConfigError([text])
    return new


def _placed_at(tree: object, key: KeyPath, value: object) -> dict[str, object]:
    section = tree if isinstance(tree, dict) else {}
    inner = value if len(key) == 1 else _placed_at(section.get(key[0]), key[1:], value)
    return {**section, key[0]: inner}


def _plain(text: str, source: str) -> object:
    tree = parse(text, source, [])
    return tree.plain() if tree is not None else None


def _in_flow_style(value: object) -> object:
    if not isinstance(value, list):
        return value
    flow = CommentedSeq(value)
    flow.fa.set_flow_style()
    return flow


def _round_trip_yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None),
        lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null"),
    )
    return yaml


def _replace(path: Path, text: str, backup: Path | None = None) -> None:
    """Write whole or not at all: a temporary file, fsync, rename, fsync of the directory."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
            _give(temporary, path.stat())
        if backup is not None:
            shutil.copy2(path, backup)
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError([f"{path}: cannot be written: {str(error.strerror).lower()}"]) from error


def _give(file: Path, like: os.stat_result) -> None:
    """Have a file belong to whom another belongs to: a service has to read what root has edited."""
    own = file.stat()
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        os.chown(file, like.st_uid, like.st_gid)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _backup(real: Path) -> Path:
    return real.with_name(f"{real.name}.bak")
