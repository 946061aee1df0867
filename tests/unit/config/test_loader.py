"""Sources merge in the documented order and every value remembers where it came from."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.config.keys import keys, values
from mmbot.config.loader import Loaded, load
from mmbot.config.schema import Config
from mmbot.errors import ConfigError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def from_text(text: str) -> Loaded:
    return load([Path("c.yaml")], texts={Path("c.yaml"): text})


def problems(text: str, **sources: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load([Path("c.yaml")], texts={Path("c.yaml"): text}, **sources)  # type: ignore[arg-type]
    return caught.value.problems


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "{}\n", "risk:\ndefaults:\nmarkets:\n"]
)
def test_nothing_set_gives_the_defaults(text: str) -> None:
    assert from_text(text).config == load([]).config == Config()


def test_later_files_win_maps_merge_and_lists_replace(tmp_path: Path) -> None:
    first = write(
        tmp_path,
        "a.yaml",
        "defaults:\n  spread: {min_bps: 4, max_bps: 50}\n"
        "  sizing: {tier_weights: [0.5, 0.25, 0.25]}\n  levels: {count: 7}\n",
    )
    second = write(
        tmp_path,
        "b.yaml",
        "defaults:\n  spread: {min_bps: 6}\n  sizing: {tier_weights: [0.5, 0.5]}\n  levels:\n",
    )
    loaded = load([first, second])
    assert loaded.config.defaults.spread.min_bps == 6
    assert loaded.config.defaults.spread.max_bps == 50
    assert loaded.config.defaults.sizing.tier_weights == (0.5, 0.5)
    assert loaded.origin("defaults.spread.min_bps") == f"{second}:2:21"
    assert loaded.origin("defaults.spread.max_bps") == f"{first}:2:33"
    assert loaded.config.defaults.levels.count == 7
    assert loaded.origin("defaults.hedge.enabled") == "default"


def test_included_files_come_before_the_file_itself(tmp_path: Path) -> None:
    write(
        tmp_path, "parts/risk.yaml", "risk: {max_open_orders_count: 8, max_total_exposure_pct: 9}\n"
    )
    write(tmp_path, "parts/more.yaml", "include: [risk.yaml]\nrisk: {max_open_orders_count: 7}\n")
    top = write(
        tmp_path,
        "top.yaml",
        "include: [parts/more.yaml]\nrisk: {min_margin_fraction_pct: 25}\n",
    )
    risk = load([top]).config.risk
    assert (risk.max_open_orders_count, risk.max_total_exposure_pct) == (7, 9)
    assert risk.min_margin_fraction_pct == 25


def test_environment_wins_over_files_and_the_command_line_over_both() -> None:
    text = "risk: {max_open_orders_count: 1, max_total_exposure_pct: 10}\n"
    loaded = load(
        [Path("c.yaml")],
        ["risk.max_open_orders_count=3", "backtest.seed=5"],
        {
            "MMBOT__RISK__MAX_OPEN_ORDERS_COUNT": "2",
            "MMBOT__RISK__MAX_TOTAL_EXPOSURE_PCT": "20",
            "MMBOT__MARKETS__BTCUSD__SPREAD__MIN_BPS": "7",
            "MMBOT__BACKTEST__INSTRUMENTS__ETHUSDT": "{tick: 0.01, lot: 0.001}",
            "MMBOT_LOG_LEVEL": "debug",
            "HOME": "/",
        },
        {Path("c.yaml"): text},
    )
    config = loaded.config
    assert config.risk.max_open_orders_count == 3
    assert config.risk.max_total_exposure_pct == 20
    assert config.markets["BTCUSD"].spread.min_bps == 7
    assert config.backtest.instruments["ETHUSDT"].tick == Decimal("0.01")
    assert config.backtest.seed == 5
    assert loaded.origin("risk.max_open_orders_count") == "--set"
    assert loaded.origin("risk.max_total_exposure_pct") == "env MMBOT__RISK__MAX_TOTAL_EXPOSURE_PCT"


def test_markets_override_defaults_key_by_key() -> None:
    loaded = from_text(
        "defaults:\n  spread: {min_bps: 4, max_bps: 50}\n  levels: {count: 5}\n"
        "markets:\n  BTCUSD:\n    spread: {max_bps: 60}\n  ETHUSD:\n"
    )
    btc, eth = loaded.config.markets["BTCUSD"], loaded.config.markets["ETHUSD"]
    assert (btc.spread.min_bps, btc.spread.max_bps, btc.levels.count) == (4, 60, 5)
    assert eth == loaded.config.defaults
    assert loaded.origin("markets.BTCUSD.spread.max_bps") == "c.yaml:6:23"
    assert loaded.origin("markets.BTCUSD.spread.min_bps") == "c.yaml:2:21"
    assert loaded.origin("markets.ETHUSD.hedge.enabled") == "default"


def test_money_keeps_the_digits_that_were_written() -> None:
    loaded = from_text("backtest: {instruments: {X: {tick: 0.1, lot: 1e-8, contract_size: 100}}}\n")
    instrument = loaded.config.backtest.instruments["X"]
    assert instrument.tick == Decimal("0.1")
    assert instrument.lot == Decimal("0.00000001")
    assert instrument.contract_size == Decimal(100)


def test_the_same_sources_give_the_same_result() -> None:
    text = "markets: {B: {levels: {count: 3}}, A: {}}\nrisk: {max_open_orders_count: 9}\n"
    one, two = from_text(text), from_text(text)
    assert one == two
    assert one.config.model_dump_json() == two.config.model_dump_json()
    assert list(one.config.markets) == ["B", "A"]


def test_ten_mistakes_are_ten_lines_in_reading_order() -> None:
    text = """version: 2
defaults:
  spred: {min_bps: 3}
  levels: {count: 0}
  inventory: {direction: reducing}
markets:
  BTCUSD:
    enabled: yes
    market_risk: {max_market_exposure_pct: 0.3}
risk:
  min_margin_fraction_pct: 0.18
  min_margin_fraction_pct: 20
  max_open_orders_count: 10.5
  loss: {daily_limit_usd: .inf}
backtest:
  initial_equity_usd: -1
"""
    assert problems(text) == (
        "version (c.yaml:1:10): 2 is not one of 1",
        "defaults.spred (c.yaml:3:3): unknown key; did you mean spread?",
        "defaults.levels.count (c.yaml:4:19): 0 is below 1",
        'defaults.inventory.direction (c.yaml:5:26): "reducing" is not one of reduce, literal;'
        " did you mean reduce?",
        'markets.BTCUSD.enabled (c.yaml:8:14): expected true or false, not "yes"',
        "markets.BTCUSD.market_risk.max_market_exposure_pct (c.yaml:9:44): 0.3 is below 1;"
        " write 30 for 30 %",
        "risk.min_margin_fraction_pct (c.yaml:11:28): 0.18 is below 1; write 18 for 18 %",
        "risk.min_margin_fraction_pct (c.yaml:12:3): repeated key; the first is on line 11",
        "risk.max_open_orders_count (c.yaml:13:26): expected a whole number, not 10.5",
        "risk.loss.daily_limit_usd (c.yaml:14:27): .inf is not a finite number",
        "backtest.initial_equity_usd (c.yaml:16:23): -1 is not above 0",
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("risk: 5\n", "risk (c.yaml:1:7): expected a section (lines of key: value), not 5"),
        ("markets: [BTC]\n", "markets (c.yaml:1:10): expected a section (lines of key: value)"),
        (
            "markets: {btcusd: {}}\n",
            'markets.btcusd (c.yaml:1:11): "btcusd" may only contain upper-case letters, digits,'
            " - and _",
        ),
        (
            "instance: {name: 12}\n",
            'instance.name (c.yaml:1:18): expected text, not 12; write "12" in quotes',
        ),
        (
            f"instance: {{name: {'a' * 33}}}\n",
            f'instance.name (c.yaml:1:18): "{"a" * 33}" is longer than 32 characters',
        ),
        (
            "backtest: {instruments: {BTCUSDT: {tick: 0.1}}}\n",
            "backtest.instruments.BTCUSDT.lot (c.yaml:1:35): is required",
        ),
        (
            "backtest: {latency: {model: table}}\n",
            "backtest.latency.model (c.yaml:1:29): model table reads its delays from a file;"
            " set file",
        ),
        (
            "defaults: {sizing: {tier_weights: []}}\n",
            "defaults.sizing.tier_weights (c.yaml:1:35): needs at least 1 entries, has 0",
        ),
        (
            "defaults: {sizing: {tier_weights: [0.5, x]}}\n",
            'defaults.sizing.tier_weights.1 (c.yaml:1:41): expected a number, not "x"',
        ),
        (
            "defaults: {sizing: {tier_weights: [0.5, 0.6]}}\n",
            "defaults.sizing.tier_weights (c.yaml:1:35): weights must not be negative and must"
            " add up to 1, not 1.1",
        ),
        (
            "defaults: {sizing: {fixed_usd: null}}\n",
            "defaults.sizing.fixed_usd (c.yaml:1:32): expected a number, not nothing",
        ),
        (
            "deadband_pct: 3\n",
            "deadband_pct (c.yaml:1:1): unknown key here; it belongs to defaults.inventory",
        ),
        ("spread: {}\n", "spread (c.yaml:1:1): unknown key here; it belongs to defaults"),
        (
            "defaults: {min_interval_ms: 1}\n",
            "defaults.min_interval_ms (c.yaml:1:12): unknown key here; it belongs to"
            " defaults.requote or defaults.hedge",
        ),
        (
            "risk: {max_market_exposure_pct: 30}\n",
            "risk.max_market_exposure_pct (c.yaml:1:8): unknown key here; it belongs to"
            " defaults.market_risk",
        ),
        (
            "markets: {BTCUSD: {deadband_pct: 3}}\n",
            "markets.BTCUSD.deadband_pct (c.yaml:1:20): unknown key here; it belongs to"
            " markets.BTCUSD.inventory",
        ),
        (
            "backtest: {latency_ms: 3}\n",
            "backtest.latency_ms (c.yaml:1:12): unknown key here; it belongs to simulate",
        ),
        (
            "backtest: {entry_ms: 3}\n",
            "backtest.entry_ms (c.yaml:1:12): unknown key here; it belongs to backtest.latency",
        ),
        (
            "defaults: {reference: {}}\n",
            "defaults.reference (c.yaml:1:12): unknown key here; it belongs to defaults.fair_price",
        ),
        (
            "backtest: {instruments: {X: {tick: 1, lot: 1, imf_pct: 0.001}}}\n",
            "backtest.instruments.X.imf_pct (c.yaml:1:56): 0.001 is below 0.01",
        ),
        (
            "risk: {version: 1}\n",
            "risk.version (c.yaml:1:8): unknown key here; it belongs to the top level",
        ),
        (
            "markets: {BTCUSD: {spread: {min_bsp: 1}}}\n",
            "markets.BTCUSD.spread.min_bsp (c.yaml:1:29): unknown key; did you mean min_bps?",
        ),
        (
            "rate_limits: {zzz: 1}\n",
            "rate_limits.zzz (c.yaml:1:15): unknown key; possible here: orders_per_second,"
            " cancels_per_second, requests_per_minute, emergency_reserve_pct",
        ),
        (
            '"\\e[31m\\n": 1\n',
            "\\U0000001b[31m\\U0000000a (c.yaml:1:1): unknown key; possible here: version",
        ),
        ("- a\n- b\n", "c.yaml:1:1: expected lines of key: value at the top"),
        ("include: {a: b}\n", "include (c.yaml:1:10): expected file names"),
        ("include: [nope.yaml]\n", "c.yaml:1:11: cannot be read: nope.yaml: no such file"),
        ("include: c.yaml\n", "c.yaml:1:10: c.yaml includes itself"),
    ],
)
def test_a_mistake_reads_as_a_plain_sentence(text: str, line: str) -> None:
    (found,) = problems(text)
    assert found.startswith(line)
    assert "write" not in found or "write" in line
    assert "pydantic" not in found
    assert "http" not in found


def test_an_inherited_mistake_is_reported_once_at_its_own_line() -> None:
    text = (
        "defaults:\n  levels: {count: 21}\n  spread: {min_bps: 9, max_bps: 5}\n"
        "markets: {A: {}, B: {}}\n"
    )
    assert problems(text) == (
        "defaults.levels.count (c.yaml:2:19): 21 is above 20",
        "defaults.spread.max_bps (c.yaml:3:33): max_bps 5.0 is below min_bps 9.0",
    )


def test_a_market_that_clashes_with_defaults_is_reported_at_the_market() -> None:
    text = "defaults:\n  spread: {max_bps: 20}\nmarkets:\n  A:\n    spread: {min_bps: 25}\n"
    assert problems(text) == (
        "markets.A.spread.min_bps (c.yaml:5:23): max_bps 20.0 is below min_bps 25.0",
    )


def test_a_clash_names_the_key_that_was_set_last() -> None:
    assert problems(
        "defaults:\n  spread: {min_bps: 25}\n", overrides=["defaults.spread.max_bps=9"]
    ) == ("defaults.spread.max_bps (--set): max_bps 9.0 is below min_bps 25.0",)
    assert problems("defaults: {spread: {max_bps: 2}}\n") == (
        "defaults.spread.max_bps (c.yaml:1:30): max_bps 2.0 is below min_bps 8.0",
    )


def test_mistakes_outside_files_name_their_source() -> None:
    assert problems(
        "",
        env={"MMBOT__RISK__STALE__BOOK_MS": "soon", "MMBOT____X": "1"},
        overrides=["risk.max_open_orders_count", "risk.nope=[", "seed=3"],
    ) == (
        'risk.stale.book_ms (env MMBOT__RISK__STALE__BOOK_MS): expected a whole number, not "soon"',
        "env MMBOT____X: '.x' is not a key like risk.max_total_exposure_pct",
        "--set risk.max_open_orders_count: expected section.key=value",
        "risk.nope (--set): not valid YAML: expected the node content, but found"
        " '<stream end>' (while parsing a flow node)",
        "seed (--set): unknown key here; it belongs to backtest or simulate",
    )


def test_unreadable_files_are_one_line_each_and_nothing_else(tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing.yaml", tmp_path
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"instance:\n  name: caf\xe9\n")
    large = write(tmp_path, "large.yaml", "#" * 262_145)
    endless = Path("/dev/zero")
    with pytest.raises(ConfigError) as caught:
        load([missing, folder, latin, large, endless])
    assert caught.value.problems == (
        f"{missing}: cannot be read: no such file or directory",
        f"{folder}: cannot be read: is a directory",
        f"{latin}:2:12: not UTF-8 text: byte 0xe9",
        f"{large}: larger than 262,144 bytes; that is not a configuration",
        "/dev/zero: larger than 262,144 bytes; that is not a configuration",
    )
    assert caught.value.exit_code == 3


def test_nothing_is_called_missing_when_a_file_was_not_read(tmp_path: Path) -> None:
    part = write(tmp_path, "part.yaml", "backtest: {instruments: {X: {tick: 1}}}\n")
    with pytest.raises(ConfigError) as caught:
        load([part, tmp_path / "lot.yaml"])
    assert [line for line in caught.value.problems if "required" in line] == []


def test_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    one = write(tmp_path, "1.yaml", "risk: {max_open_orders_count: 0}\n")
    two = write(tmp_path, "2.yaml", "risk:\n  stale: {book_ms: 0}\n")
    with pytest.raises(ConfigError) as caught:
        load([one, two])
    assert caught.value.problems == (
        f"risk.max_open_orders_count ({one}:1:31): 0 is below 1",
        f"risk.stale.book_ms ({two}:2:20): 0 is below 1",
    )


LEAVES = [(".".join(path), value) for path, value in values(Config())]


@pytest.mark.parametrize(("key", "value"), LEAVES)
def test_every_default_is_accepted_when_written_down(key: str, value: object) -> None:
    text = json.dumps(value, default=str)
    loaded = load([], [f"{key}={text}"])
    assert loaded.config == Config()
    assert loaded.origins == {key: "--set"}


KEYS = st.sampled_from([key.path for key in keys(Config)])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=6)
    | st.lists(st.floats(-1, 2), max_size=3)
    | st.dictionaries(st.sampled_from(["min_bps", "count", "x"]), st.integers(0, 30), max_size=2)
)


def nest(path: tuple[str, ...], value: object) -> object:
    for name in reversed(path):
        value = {name.replace("<NAME>", "BTCUSD"): value}
    return value


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.tuples(KEYS, st.integers(1, 5), VALUES), min_size=1, max_size=6))
def test_random_settings_are_loaded_or_refused_with_their_key(
    entries: list[tuple[tuple[str, ...], int, object]],
) -> None:
    texts = {
        Path(f"{index}.yaml"): json.dumps(nest(path[:depth], value))
        for index, (path, depth, value) in enumerate(entries)
    }
    found: tuple[str, ...] = ()
    try:
        loaded = load(list(texts), texts=texts)
    except ConfigError as error:
        found = error.problems
    if found:
        assert [line for line in found if ".yaml:1:" not in line] == []
    else:
        assert load(list(texts), texts=texts) == loaded
        assert Config.model_validate(loaded.config.model_dump()) == loaded.config
