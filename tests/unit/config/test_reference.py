"""Texts generated from the models: the shipped files equal them and say what is true."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.config.checks import remarks
from mmbot.config.keys import Key, keys, unit_of
from mmbot.config.loader import load
from mmbot.config.paths import is_section, section_at
from mmbot.config.reference import docs, full, schema, schema_text, template
from mmbot.config.schema import Config
from mmbot.config.show import get, scalar, show
from mmbot.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
SETTINGS = list(keys(Config))
SCHEMA = schema()
DOCS = docs()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("examples/config.full.yaml", full()),
        ("examples/config.minimal.yaml", template("minimal")),
        ("examples/mmbot.schema.json", schema_text()),
        ("docs/configuration.md", docs()),
    ],
)
def test_shipped_files_are_the_generated_ones(path: str, text: str) -> None:
    # Regenerate with `init`, `config schema` and `config docs`.
    assert (ROOT / path).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["config.full.yaml", "config.minimal.yaml"])
def test_examples_name_their_schema_first(name: str) -> None:
    first = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./mmbot.schema.json"


def test_the_full_example_is_exactly_the_defaults() -> None:
    loaded = load([EXAMPLES / "config.full.yaml"])
    assert loaded.config == Config()
    expected = {key.dotted for key in SETTINGS if "<NAME>" not in key.path}
    expected |= {".".join(path) for path in (("markets",), ("backtest", "instruments"))}
    assert set(loaded.origins) | {"markets", "backtest.instruments"} == expected


def test_the_minimal_example_loads_without_a_remark() -> None:
    loaded = load([EXAMPLES / "config.minimal.yaml"])
    assert remarks(loaded.config) == []
    assert list(loaded.config.markets) == ["BTCUSD"]
    assert len(loaded.origins) < 12


def test_commented_examples_inside_the_full_file_load_too() -> None:
    text = full()
    for name in ("markets", "instruments", "names"):
        text = re.sub(rf"({name}:) {{}}", r"\1", text)
    text = re.sub(r"(?m)^( +)# (?=  spread|BTCUSD)", r"\1", text)
    config = load([Path("x")], texts={Path("x"): text}).config
    assert config.markets["BTCUSD"].spread.min_bps == 4
    assert config.reference.names["BTCUSD"].symbol == "BTCUSDT"
    assert config.backtest.instruments["BTCUSDT"].tick == Decimal("0.1")
    assert config.reference.symbol_of("BTCUSD") == "BTCUSDT"


@pytest.mark.parametrize("key", SETTINGS, ids=lambda key: str(key.dotted))
def test_every_key_is_described_with_bounds_and_is_in_the_docs(key: Key) -> None:
    assert key.field.description
    assert key.bounds or key.kind in ("true or false", "text")
    assert f"| `{key.path[-1]}` | {key.unit} |" in DOCS


def test_every_physical_quantity_has_its_unit_in_the_name() -> None:
    units = {key.dotted: key.unit for key in SETTINGS}
    assert units["backtest.funding_bps_per_hour"] == "bps/h"
    assert units["backtest.clock_offset_ns"] == "ns"
    assert units["risk.max_total_exposure_pct"] == "%"
    assert units["rate_limits.orders_per_second"] == "1/s"
    assert units["backtest.probabilistic.decay_per_bps"] == "1/bps"
    assert unit_of("steps") == unit_of("min_levels_count") == ""


def _resolve(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found = whole["definitions"][reference.removeprefix("#/definitions/")]
    assert isinstance(found, dict)
    return found


def _leaf(key: Key, whole: dict[str, Any]) -> dict[str, Any]:
    node = whole
    for name in key.path:
        node = _resolve(node, whole)
        if name == "<NAME>":
            (node,) = node["patternProperties"].values()
        else:
            assert node["additionalProperties"] is False
            node = node["properties"][name]
    return node


@pytest.mark.parametrize("key", SETTINGS, ids=lambda key: str(key.dotted))
def test_the_schema_knows_every_key_its_default_and_its_text(key: Key) -> None:
    leaf = _leaf(key, SCHEMA)
    assert leaf["description"].startswith(key.field.description)
    if key.unit:
        assert f"; unit {key.unit}" in leaf["description"]
    if key.field.is_required():
        assert "default" not in leaf
    else:
        written = {"default": leaf["default"]}
        again = (
            load([], [f"{key.dotted}={json.dumps(written['default'])}"]) if _plain(key) else None
        )
        assert again is None or again.config == Config()


def _plain(key: Key) -> bool:
    return "<NAME>" not in key.path


def test_the_schema_keeps_to_what_draft_07_knows() -> None:
    text = schema_text()
    assert schema()["$schema"] == "http://json-schema.org/draft-07/schema#"
    for newer in ("$defs", "prefixItems", "unevaluated", "dependentRequired", "$dynamicRef"):
        assert f'"{newer}"' not in text
    references = set(re.findall(r'"\$ref": "#/definitions/(\w+)"', text))
    assert references == set(schema()["definitions"])


def test_no_text_for_users_cites_internal_pages() -> None:
    for text in (full(), docs(), schema_text()):
        assert "spec section" not in text


def test_show_says_only_what_was_set_unless_asked() -> None:
    loaded = load([], ["markets.A.levels.count=3", "risk.stale.book_ms=5", "instance.name=x"])
    assert show(loaded) == (
        "instance:\n  name: x\nmarkets:\n  A:\n    levels:\n      count: 3\n"
        "risk:\n  stale:\n    book_ms: 5\n"
    )
    assert re.search(r"(?m)^    book_ms: 5 +# --set$", show(loaded, origin=True))
    assert re.search(r"(?m)^    account_ms: 10000 +# default$", show(loaded, True, defaults=True))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.floats(0.01, 25),
    st.sampled_from(["BTCUSD", "1", "NULL", "0X1F", "1E3", "A-B"]),
    st.integers(1, 20),
    st.none() | st.text(max_size=8),
    st.decimals("0.00000001", "1000000", places=8),
)
def test_what_show_prints_loads_to_the_same_settings(
    width: float, market: str, count: int, file: str | None, tick: Decimal
) -> None:
    overrides = [
        f"defaults.spread.min_bps={width!r}",
        f"markets.{market}.levels.count={count}",
        f"backtest.latency.file={scalar(file)}",
        f"backtest.instruments.{market}={{tick: {tick:f}, lot: 1}}",
    ]
    config = load([], overrides).config
    assert config.backtest.latency.file == file
    for defaults in (False, True):
        text = show(load([], overrides), origin=True, defaults=defaults)
        assert load([Path("x")], texts={Path("x"): text}).config == config


def test_get_returns_a_value_or_a_section() -> None:
    loaded = load([], ["risk.loss.daily_limit_usd=12.50"])
    assert get(loaded, "risk.loss.daily_limit_usd") == "12.5\n"
    assert get(loaded, "risk.loss") == (
        "daily_limit_usd: 12.5\ndrawdown_from_peak_pct: 3.0\ndrawdown_warn_pct: 1.5\n"
    )
    assert get(loaded, "defaults.sizing.tier_weights") == "[0.5, 0.3, 0.2]\n"
    assert get(loaded, "defaults.sizing.fixed_base") == "null\n"
    assert get(loaded, "markets") == "{}\n"
    tiny = load([], ["backtest.instruments.X={tick: 1e-8, lot: 1e3}"])
    assert get(tiny, "backtest.instruments.X.tick") == "0.00000001\n"


@pytest.mark.parametrize("key", ["risk.los", "", "risk.loss.daily_limit_usd.x", "markets.A"])
def test_get_refuses_a_key_that_is_not_there(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        get(load([]), key)
    assert len(caught.value.problems) == 1


def test_sections_are_told_from_values() -> None:
    assert section_at(("markets", "ANY", "spread")) is section_at(("defaults", "spread"))
    assert is_section(("backtest", "instruments"))
    assert is_section(("backtest", "instruments", "X"))
    assert not is_section(("backtest", "instruments", "X", "tick"))
    assert not is_section(("backtest", "nope"))
