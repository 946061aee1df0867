"""Texts generated from the models: JSON Schema, key reference and the full example file."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from mmbot.config.checks import LITERAL_SKEW
from mmbot.config.keys import (
    Key,
    Section,
    fields_of,
    keys,
    listed_section_of,
    named_section_of,
    section_of,
)
from mmbot.config.live_keys import IDLE, is_live
from mmbot.config.schema import Config
from mmbot.config.show import COLUMN, scalar
from mmbot.quoting.skew import InventoryParams

SCHEMA_FILE = "mmbot.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema=./{SCHEMA_FILE}"

FULL_HEAD = f"""{SCHEMA_LINE}
# Every key of mmbot with its default. Copy what you change into a file of your own, then
#   python -m mmbot check-config -c config.yaml
#
# Units are part of the key:
#   _bps basis points (100 bps = 1 %)   _pct percent, 18 means 18 %   _usd US dollars
#   _base units of the traded asset     _ms, _s, _h time              _count a number of things
# Comments: what the key does [bounds or choices].
"""

MINIMAL = f"""{SCHEMA_LINE}
# The keys most people set. Everything else has a default; see config.full.yaml.
# Check it: python -m mmbot check-config -c config.yaml
version: 1

instance:
  name: mmbot                               # label of reports: a-z, 0-9 and -

defaults:                                   # every market starts from these
  spread:
    min_bps: 8.0                            # full width, own bid to own ask, of a balanced book
    max_bps: 30.0                           # full width when the book is one-sided
  levels:
    count: 2                                # quotes a side
  sizing:
    fixed_usd: 100.0                        # notional of each quote

markets:
  BTCUSD:                                   # add a key here to override the one in defaults
    enabled: true

risk:
  max_total_exposure_pct: 60                # of equity, all markets together
  loss:
    daily_limit_usd: 50.0                   # loss since 00:00 UTC that halts the bot

backtest:
  initial_equity_usd: 10000.0
"""

DOCS_HEAD = """# Configuration

One YAML file is enough. Settings are read in this order, the later one wins:

1. the defaults below,
2. files, in the order of `-c`; a file's `include:` list is read before the file itself,
3. environment: `MMBOT__RISK__LOSS__DAILY_LIMIT_USD=80`,
4. command line: `--set risk.loss.daily_limit_usd=80`.

Maps merge key by key, lists are replaced, an empty section changes nothing. Each market starts from
`defaults`; what it sets itself wins. `config show --origin` tells where every value came from.

Files are read as strict YAML 1.2: only `true` and `false` are truth values, `010` is ten, `12:30`
is text, a repeated or unknown key is an error. Anchors, aliases and tags are refused. All mistakes
are reported at once with file, line and column.

Units are part of the key: `_bps` basis points, `_pct` percent (18 means 18 %), `_usd` US dollars,
`_base` units of the traded asset, `_ms`, `_s` and `_h` time, `_count` a number of things.

Reload: a running bot takes on `live` keys by `mmbot reload` or SIGHUP, and `mmbot set` can override
them for a while; a `restart` key that differs makes a reload change nothing; `-` is not used by a
running bot. See [A running bot](control.md).
"""


TOP = "Top level"
NOTES: dict[Section, str] = {InventoryParams: f"`direction`: {LITERAL_SKEW}"}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of a configuration file, for editors."""
    found = Config.model_json_schema(ref_template="#/definitions/{model}")
    definitions = found.pop("$defs")
    _describe(found, Config)
    for section in _sections(Config):
        _describe(definitions[section.__name__], section)
    found["properties"]["include"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "files read before this one, relative to it",
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **found,
        "definitions": definitions,
    }


def schema_text() -> str:
    """Return the JSON Schema as the text of its file."""
    return json.dumps(schema(), indent=2) + "\n"


def docs() -> str:
    """Return the key reference in Markdown."""
    lines = [DOCS_HEAD]
    for title, section, depth in _headings(Config, ()):
        own = [key for key in keys(section) if len(key.path) == 1]
        note = NOTES.get(section)
        lines.append(f"\n{'#' * min(depth + 2, 4)} {title}\n\n{_summary(section)}.\n")
        if own:
            lines.append("\n| key | unit | default | values | reload | effect |\n")
            lines.append("|---|---|---|---|---|---|\n")
            lines += [_row(key, title) for key in own]
        if note:
            lines.append(f"\n{note}\n")
    return "".join(lines)


def full() -> str:
    """Return the example file with every key at its default."""
    return FULL_HEAD + "".join(f"{line}\n" for line in _example(Config, 0))


def template(name: Literal["minimal", "full"]) -> str:
    """Return the text of a starter file."""
    return MINIMAL if name == "minimal" else full()


def _describe(definition: dict[str, Any], section: Section) -> None:
    definition.pop("title", None)
    definition["description"] = _summary(section)
    for name, field in fields_of(section).items():
        entry = definition["properties"][name]
        entry.pop("title", None)
        if section_of(field) is not None:
            # Draft-07 ignores everything beside $ref.
            definition["properties"][name] = {"$ref": entry["$ref"]}
        elif named_section_of(field) is not None:
            entry["description"] = field.description or ""
            entry["additionalProperties"] = False
        else:
            key = Key((name,), field)
            entry["description"] = _described(key)
            if not field.is_required():
                entry["default"] = json.loads(json.dumps(field.default, default=float))


def _described(key: Key) -> str:
    unit = f"; unit {key.unit}" if key.unit else ""
    bounds = f"; {key.bounds}" if key.bounds and not key.choices else ""
    return f"{key.field.description}{unit}{bounds}"


def _sections(section: Section) -> Iterator[Section]:
    for field in section.model_fields.values():
        below = section_of(field) or named_section_of(field) or listed_section_of(field)
        if below is not None:
            yield below
            yield from _sections(below)


def _headings(section: Section, path: tuple[str, ...]) -> Iterator[tuple[str, Section, int]]:
    title = ".".join(path)
    yield f"`{title}`" if path else TOP, section, len(path) - 1 if path else 0
    for name, field in fields_of(section).items():
        below, named = section_of(field), named_section_of(field)
        if below is not None:
            yield from _headings(below, (*path, name))
        elif named is not None and path:
            yield from _headings(named, (*path, name, "<SYMBOL>"))
        listed = listed_section_of(field)
        if listed is not None:
            yield from _headings(listed, (*path, name))


def _row(key: Key, title: str) -> str:
    section = () if title == TOP else tuple(title.strip("`").split("."))
    default = "required" if key.field.is_required() else f"`{scalar(key.field.default)}`"
    choices = ", ".join(f"`{choice}`" for choice in key.choices)
    shown = choices or key.bounds or key.kind
    shown += ", or `null`" if key.nullable else ""
    applied = _reload((*section, *key.path))
    cells = (f"`{key.path[-1]}`", key.unit, default, shown, applied, key.field.description or "")
    return f"| {' | '.join(cells)} |\n"


def _reload(path: tuple[str, ...]) -> str:
    if path[0] in IDLE:
        return "-"
    return "live" if is_live(path) else "restart"


def _example(section: Section, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in fields_of(section).items():
        below, named = section_of(field), named_section_of(field)
        comment = _summary(below) if below else field.description or ""
        if depth == 0:
            yield ""
        if below is not None:
            yield _commented(f"{indent}{name}:", comment)
            yield from _example(below, depth + 1)
        elif named is not None:
            yield _commented(f"{indent}{name}: {{}}", comment)
            yield from (f"{indent}  # {line}" for line in EXAMPLES[name])
        else:
            yield _commented(
                f"{indent}{name}: {scalar(field.default)}", _noted(Key((name,), field))
            )


EXAMPLES = {
    "markets": ("BTCUSD:", "  spread: {min_bps: 4.0, max_bps: 25.0}"),
    "names": ("BTCUSD: {symbol: BTCUSDT, scale: 1}",),
    "instruments": ("BTCUSDT: {tick: 0.1, lot: 0.001}",),
}


def _noted(key: Key) -> str:
    bounds = key.bounds or key.kind
    bounds += " | null" if key.nullable else ""
    return f"{key.field.description} [{bounds}]"


def _summary(section: Section) -> str:
    line = (section.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    # Sections of the model's paper mean something to a reader of the code only.
    return re.sub(r" \(spec sections? [0-9, ]+\)", "", line)


def _commented(text: str, comment: str) -> str:
    return f"{text:<{COLUMN}}# {comment}" if comment else text
