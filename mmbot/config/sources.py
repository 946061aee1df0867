"""Everything settings are read from (files with includes, environment, command line) -> one tree.

Maps merge, everything else replaces, the later source wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbot.config.paths import section_at
from mmbot.config.strict_yaml import MAX_BYTES, TOO_LARGE, Node, Place, Problem, parse

ENV_PREFIX = "MMBOT__"


@dataclass(slots=True)
class Sources:
    """Collects the tree and every problem met on the way; `names` are the sources in order.

    `texts` stands in for the contents of files; `seen` are those that were read. `complete` turns
    False when a source could not be read at all, so that what it would have said is not reported
    as missing.
    """

    texts: Mapping[Path, str]
    problems: list[Problem] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    complete: bool = True
    seen: dict[Path, str] = field(default_factory=dict)

    def read(self, paths: Sequence[Path], env: Mapping[str, str], overrides: Sequence[str]) -> Node:
        """Return the merged tree of all sources."""
        tree = _empty(Place("configuration"))
        for path in paths:
            tree = merge(tree, self._file(path, (), None))
        for name in sorted(name for name in env if name.startswith(ENV_PREFIX)):
            key = _env_key(name.removeprefix(ENV_PREFIX))
            tree = merge(tree, self._setting(key, env[name], Place(f"env {name}")))
        for override in overrides:
            tree = merge(tree, self._override(override))
        return tree

    def _file(self, path: Path, chain: tuple[Path, ...], asked: Place | None) -> Node:
        self.names.append(str(path))
        start = Place(str(path), 1, 1)
        if path.resolve() in chain:
            self._stop(asked or start, f"{path} includes itself")
            return _empty(start)
        text = self._text(path, asked)
        tree = parse(text, str(path), self.problems) if text is not None else None
        if tree is None:
            self.complete = False
            return _empty(start)
        if not isinstance(tree.value, dict):
            if tree.value is not None:
                self._stop(tree.place, "expected lines of key: value at the top")
            return _empty(start)
        rest = dict(tree.value)
        merged = _empty(start)
        for entry in self._includes(rest.pop("include", None)):
            inner = path.parent / str(entry.value)
            merged = merge(merged, self._file(inner, (*chain, path.resolve()), entry.place))
        return merge(merged, Node(rest, tree.place, tree.key))

    def _text(self, path: Path, asked: Place | None) -> str | None:
        if path in self.texts:
            self.seen[path] = self.texts[path]
            return self.texts[path]
        try:
            with path.open("rb") as stream:
                text = self._decoded(path, stream.read(MAX_BYTES + 1))
            if text is not None:
                self.seen[path] = text
            return text
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            reason = getattr(error, "strerror", None) or str(error)
            named = f"{path}: " if asked else ""
            self._stop(asked or Place(str(path)), f"cannot be read: {named}{reason.lower()}")
        return None

    def _decoded(self, path: Path, content: bytes) -> str | None:
        if len(content) > MAX_BYTES:
            self._stop(Place(str(path)), TOO_LARGE)
            return None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            before = content[: error.start]
            column = error.start - before.rfind(b"\n")
            place = Place(str(path), before.count(b"\n") + 1, column)
            self._stop(place, f"not UTF-8 text: byte {content[error.start]:#04x}")
            return None

    def _includes(self, node: Node | None) -> list[Node]:
        if node is None or node.value is None:
            return []
        entries = node.value if isinstance(node.value, list) else [node]
        for entry in entries:
            if not isinstance(entry.value, str):
                self.problems.append(Problem(entry.place, "include", "expected file names"))
        return [entry for entry in entries if isinstance(entry.value, str)]

    def _stop(self, place: Place, text: str) -> None:
        self.problems.append(Problem(place, "", text))
        self.complete = False

    def _override(self, override: str) -> Node:
        key, equals, text = override.partition("=")
        if equals:
            return self._setting(key.strip(), text, Place("--set"))
        place = Place(f"--set {override}")
        self.names.append(place.source)
        self.problems.append(Problem(place, "", "expected section.key=value"))
        return _empty(place)

    def _setting(self, key: str, text: str, place: Place) -> Node:
        self.names.append(place.source)
        names = key.split(".")
        if not all(names):
            text = f"{key!r} is not a key like risk.max_total_exposure_pct"
            self.problems.append(Problem(place, "", text))
            return _empty(place)
        found: list[Problem] = []
        value = parse(text, place.source, found)
        self.problems += [Problem(place, key, problem.text) for problem in found]
        if value is None or found:
            return _empty(place)
        node = _placed(value, place)
        for name in reversed(names):
            node = Node({name: node}, place, place)
        return node


def merge(under: Node, over: Node) -> Node:
    """Return `over` laid on `under`: maps merge, all else replaces; an empty section keeps."""
    if not isinstance(under.value, dict):
        return over
    if over.value is None:
        return under
    if not isinstance(over.value, dict):
        return over
    merged = dict(under.value)
    for name, node in over.value.items():
        merged[name] = merge(merged[name], node) if name in merged else node
    return Node(merged, over.place, over.key)


def _empty(place: Place) -> Node:
    return Node({}, place, place)


def _placed(node: Node, place: Place) -> Node:
    if isinstance(node.value, dict):
        return Node({name: _placed(n, place) for name, n in node.value.items()}, place, place)
    if isinstance(node.value, list):
        return Node([_placed(entry, place) for entry in node.value], place, place)
    return Node(node.value, place, place)


def _env_key(text: str) -> str:
    """Return the dotted key of `SECTION__KEY`; names of markets and symbols keep their case."""
    path: tuple[str, ...] = ()
    for name in text.split("__"):
        named = path != () and section_at(path) is None and section_at((*path, name)) is not None
        path = (*path, name if named else name.lower())
    return ".".join(path)
