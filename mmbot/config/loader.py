"""Sources -> Config with the origin of each value, or every mistake at once with its place."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from mmbot.config.paths import is_section
from mmbot.config.presets import on_preset
from mmbot.config.problems import in_reading_order, translate
from mmbot.config.schema import Config
from mmbot.config.sources import Sources, merge
from mmbot.config.strict_yaml import Node, Problem
from mmbot.errors import ConfigError
from mmbot.secrets.redaction import looks_secret

NO_ENV: Mapping[str, str] = {}
NO_TEXTS: Mapping[Path, str] = {}
KEY_IN_FILE = (
    "holds what looks like a key or a token: no secret stands in a configuration, see the section"
    " secrets for where it may"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration; `origins` has the dotted key of every value that was set.

    An origin reads `file:line:column`, `env NAME` or `--set`. `texts` are the files as read.
    """

    config: Config
    origins: Mapping[str, str]
    texts: Mapping[Path, str] = field(default_factory=dict)

    def origin(self, key: str) -> str:
        """Return where the value of a dotted key comes from; `default` when nobody set it."""
        if key in self.origins:
            return self.origins[key]
        head, _, rest = key.partition(".")
        inherited = f"defaults.{rest.partition('.')[2]}" if head == "markets" else ""
        return self.origins.get(inherited, "default")


class ConfigSources(NamedTuple):
    """Where settings are read from, to be read there again."""

    paths: Sequence[Path] = ()
    overrides: Sequence[str] = ()
    env: Mapping[str, str] = NO_ENV

    def load(self, more: Sequence[str] = (), texts: Mapping[Path, str] = NO_TEXTS) -> Loaded:
        """Read them; `more` wins over all, `texts` stand in for files. ConfigError as of `load`."""
        return load(self.paths, [*self.overrides, *more], self.env, texts)


def load(
    paths: Sequence[Path | str],
    overrides: Sequence[str] = (),
    env: Mapping[str, str] = NO_ENV,
    texts: Mapping[Path, str] = NO_TEXTS,
) -> Loaded:
    """Merge files, `MMBOT__SECTION__KEY` of `env` and `section.key=value` overrides, in this order.

    `texts` stands in for the contents of files (an edit that is not written yet). Raises
    ConfigError with one line per mistake.
    """
    sources = Sources(texts)
    tree = sources.read([Path(path) for path in paths], env, overrides)
    return _loaded(sources, tree)


def load_sections(
    paths: Sequence[Path | str], sections: Sequence[str], env: Mapping[str, str] = NO_ENV
) -> Loaded:
    """Load these sections, whatever is wrong with the others; ConfigError as of `load`."""
    sources = Sources(NO_TEXTS)
    tree = sources.read([Path(path) for path in paths], env, ())
    found = tree.value if isinstance(tree.value, dict) else {}
    kept = {name: found[name] for name in sections if name in found}
    return _loaded(sources, Node(kept, tree.place, tree.key))


def _loaded(sources: Sources, tree: Node) -> Loaded:
    sources.problems += _secrets_in(tree, "")
    config = None
    if sources.complete:
        complete = _on_defaults(_without_null_sections(tree, ()))
        try:
            # Strict JSON mode: no text is taken for a number or a truth value.
            config = Config.model_validate_json(json.dumps(complete.plain()), strict=True)
        except ValidationError as error:
            details = error.errors(include_url=False)
            sources.problems += [translate(detail, complete) for detail in details]
    if config is None or sources.problems:
        raise ConfigError(in_reading_order(sources.problems, sources.names))
    return Loaded(config, dict(_origins(_named_presets(tree), "")), sources.seen)


def _without_null_sections(node: Node, path: tuple[str, ...]) -> Node:
    if node.value is None and is_section(path):
        return Node({}, node.place, node.key)
    if not isinstance(node.value, dict):
        return node
    below = node.value.items()
    return Node(
        {name: _without_null_sections(inner, (*path, name)) for name, inner in below},
        node.place,
        node.key,
    )


def _on_defaults(tree: Node) -> Node:
    """Lay every market on `defaults`, and each on its preset.

    What is inherited keeps its own place for mistakes.
    """
    sections = tree.value if isinstance(tree.value, dict) else {}
    defaults, markets = sections.get("defaults"), sections.get("markets")
    if defaults is not None and markets is not None and isinstance(markets.value, dict):
        merged = {name: merge(defaults, market) for name, market in markets.value.items()}
        laid = Node(merged, markets.place, markets.key)
        tree = Node({**sections, "markets": laid}, tree.place, tree.key)
    return _named_presets(tree)


def _named_presets(tree: Node) -> Node:
    """Lay `defaults`, and every market that names a preset, on it."""
    sections = dict(tree.value) if isinstance(tree.value, dict) else {}
    if "defaults" in sections:
        sections["defaults"] = on_preset(sections["defaults"])
    markets = sections.get("markets")
    if markets is not None and isinstance(markets.value, dict):
        laid = {name: on_preset(market) for name, market in markets.value.items()}
        sections["markets"] = Node(laid, markets.place, markets.key)
    return Node(sections, tree.place, tree.key)


def _secrets_in(node: Node, key: str) -> Iterator[Problem]:
    """Yield the places of values that look like keys or tokens; what they say is not repeated."""
    inner = list(node.value.items()) if isinstance(node.value, dict) else []
    for name, below in inner:
        yield from _secrets_in(below, f"{key}.{name}" if key else name)
    text = json.dumps(node.plain()) if isinstance(node.value, str | list) else ""
    if looks_secret(text):
        yield Problem(node.place, key, KEY_IN_FILE)


def _origins(node: Node, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(node.value, dict) and (not key or is_section(tuple(key.split(".")))):
        for name, inner in node.value.items():
            yield from _origins(inner, f"{key}.{name}" if key else name)
    else:
        yield key, str(node.place)
