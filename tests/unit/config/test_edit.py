"""Editing keeps every comment, writes whole or not at all, and changes nothing but the key."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.config.edit import init, put_back, round_trip, set_value
from mmbot.config.keys import values
from mmbot.config.loader import load
from mmbot.config.reference import full, schema_text, template
from mmbot.config.schema import Config
from mmbot.config.show import scalar
from mmbot.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "config.yaml"
    init(target, "full")
    return target


def refused(path: Path, key: str, text: str) -> str:
    before = {entry: entry.read_bytes() for entry in path.parent.iterdir()}
    with pytest.raises(ConfigError) as caught:
        set_value(path, key, text)
    assert {entry: entry.read_bytes() for entry in path.parent.iterdir()} == before
    (line,) = caught.value.problems
    return line


@pytest.mark.parametrize("name", ["minimal", "full"])
def test_a_starter_file_survives_load_and_dump_unchanged(name: str) -> None:
    text = template("minimal") if name == "minimal" else full()
    assert round_trip(text) == text


def test_init_writes_the_template_with_its_schema(tmp_path: Path) -> None:
    target = tmp_path / "bot.yaml"
    assert init(target, "minimal") == [target, tmp_path / "mmbot.schema.json"]
    assert target.read_text() == template("minimal")
    assert (tmp_path / "mmbot.schema.json").read_text() == schema_text()
    assert sorted(os.listdir(tmp_path)) == ["bot.yaml", "mmbot.schema.json"]


def test_init_overwrites_only_by_force(tmp_path: Path) -> None:
    target = tmp_path / "bot.yaml"
    target.write_text("mine\n")
    with pytest.raises(ConfigError, match="exists already"):
        init(target, "full")
    assert target.read_text() == "mine\n"
    init(target, "full", force=True)
    assert target.read_text() == full()


def test_init_says_what_stands_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: no such file or directory"):
        init(tmp_path / "nowhere" / "bot.yaml", "full")
    with pytest.raises(ConfigError, match="cannot be written: is a directory"):
        init(tmp_path, "full", force=True)
    assert os.listdir(tmp_path) == []


def test_one_value_is_one_changed_line(path: Path) -> None:
    diff = set_value(path, "risk.max_total_exposure_pct", "45")
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in "+++---"]
    assert [line.split("#")[0].split() for line in changed] == [
        ["-", "max_total_exposure_pct:", "60.0"],
        ["+", "max_total_exposure_pct:", "45"],
    ]
    assert path.with_name("config.yaml.bak").read_text() == full()
    assert load([path]).config.risk.max_total_exposure_pct == 45
    assert path.read_text().count("#") == full().count("#")


def test_setting_the_same_value_writes_nothing(path: Path) -> None:
    assert set_value(path, "instance.id", "1") == ""
    assert not path.with_name("config.yaml.bak").exists()


def test_new_sections_are_added(path: Path) -> None:
    set_value(path, "markets.BTCUSD.spread.min_bps", "4")
    set_value(path, "markets.BTCUSD.sizing.tier_weights", "[0.75, 0.25]")
    set_value(path, "backtest.instruments.ETHUSDT", "{tick: 0.01, lot: 0.001}")
    config = load([path]).config
    assert config.markets["BTCUSD"].spread.min_bps == 4
    assert config.markets["BTCUSD"].sizing.tier_weights == (0.75, 0.25)
    assert str(config.backtest.instruments["ETHUSDT"].tick) == "0.01"
    assert config.model_copy(update={"markets": {}, "backtest": Config().backtest}) == Config()


@pytest.mark.parametrize(
    ("key", "text", "line"),
    [
        ("risk.max_total_exposure", "5", "unknown key; did you mean max_total_exposure_pct?"),
        ("risk.max_total_exposure_pct", "0.5", "0.5 is below 1; write 50 for 50 %"),
        ("risk.max_total_exposure_pct", "yes", 'expected a number, not "yes"'),
        ("risk.max_total_exposure_pct", "", "expected a number, not nothing"),
        ("risk.max_total_exposure_pct", "[1", "not valid YAML: expected ',' or ']'"),
        ("risk.max_total_exposure_pct", "&a 1", "anchors and aliases"),
        ("risk.max_total_exposure_pct", "1\n---\n2", "a second document"),
        ("defaults.spread.min_bps", "31", "max_bps 30.0 is below min_bps 31.0"),
        (
            "defaults.estimates.sigma_min_bps",
            "60",
            "sigma_max_bps 50.0 is below sigma_min_bps 60.0",
        ),
        ("risk", "5", "expected a section"),
        ("risk..x", "5", "is not a key"),
        ("", "5", "is not a key"),
        ("a=b", "5", "unknown key"),
        ("include", "[x.yaml]", "unknown key"),
    ],
)
def test_a_wrong_edit_changes_no_file(path: Path, key: str, text: str, line: str) -> None:
    assert line in refused(path, key, text)


def test_a_file_that_is_already_wrong_is_not_edited(path: Path) -> None:
    path.write_text("risk: {max_open_orders_count: 0}\n")
    assert refused(path, "instance.id", "3").endswith("(" + f"{path}:1:31): 0 is below 1")


def test_links_permissions_and_line_ends_are_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    target.write_bytes(b"# mine\r\nrisk:\r\n  max_open_orders_count: 5 # few\r\n")
    target.chmod(0o640)
    link.symlink_to(target)
    set_value(link, "risk.max_open_orders_count", "6")
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_bytes() == b"# mine\r\nrisk:\r\n  max_open_orders_count: 6 # few\r\n"


def test_an_included_file_is_overridden_not_edited(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("risk: {max_open_orders_count: 5}\n")
    top = tmp_path / "top.yaml"
    top.write_text("include: [part.yaml]\n")
    set_value(top, "risk.max_open_orders_count", "6")
    assert (tmp_path / "part.yaml").read_text() == "risk: {max_open_orders_count: 5}\n"
    assert load([top]).config.risk.max_open_orders_count == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "instance:\n  id: 3\n"),
        ("# only\n# words", "# only\n# words\ninstance:\n  id: 3\n"),
        ("---\n# a\nrisk: {} # b\n", "# a\nrisk: {} # b\ninstance:\n  id: 3\n"),
        ("instance:\n", "instance:\n  id: 3\n"),
        ("instance: {name: 'x'} # c\n", "instance: {name: 'x', id: 3} # c\n"),
        ('"instance":\n  "id": 0o2\n', '"instance":\n  "id": 3\n'),
    ],
)
def test_files_of_any_style_are_edited(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    set_value(path, "instance.id", "3")
    assert path.read_text() == expected


def test_text_that_the_writer_would_change_is_not_touched(tmp_path: Path) -> None:
    # The round-trip writer takes this text for a time and would write it in another form.
    path = tmp_path / "c.yaml"
    path.write_text("backtest:\n  latency:\n    file: 2001-12-14 21:59:43.1000 Z\n")
    assert refused(path, "instance.id", "3").endswith(
        "instance.id cannot be set without changing other values"
    )


def test_a_section_that_is_only_valid_merged_is_refused(path: Path) -> None:
    set_value(path, "backtest.instruments.X", "{tick: 1, lot: 1}")
    line = refused(path, "backtest.instruments.X", "{tick: 2}")
    assert line.endswith("is required")


DEFAULTS = {".".join(at): value for at, value in values(Config())}


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.sampled_from(sorted(DEFAULTS)), st.data())
def test_no_edit_damages_a_file(
    tmp_path_factory: pytest.TempPathFactory, key: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("edit") / "c.yaml"
    path.write_text(full())
    default = DEFAULTS[key]
    text = data.draw(
        st.sampled_from([scalar(default), "3", "7.25", "null", "true", "-1", "x", "[1.0]", "{}"])
        | st.text(max_size=5)
    )
    try:
        set_value(path, key, text)
    except ConfigError:
        assert path.read_text() == full()
        return
    now = dict(values(load([path]).config))
    same = {".".join(at): value for at, value in now.items() if ".".join(at) != key}
    assert same == {name: value for name, value in DEFAULTS.items() if name != key}
    before = [line.split("#", 1)[1:] for line in full().splitlines()]
    assert [line.split("#", 1)[1:] for line in path.read_text().splitlines()] == before


def test_the_latest_change_can_be_put_back(path: Path) -> None:
    before = path.read_bytes()
    path.chmod(0o640)
    assert set_value(path, "risk.loss.daily_limit_usd", "7")
    assert path.read_bytes() != before
    put_back(path)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_keeps_its_owner(path: Path) -> None:
    # Only root can give files away; for others the test can say less.
    owner = (4_321, 4_322) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(path, *owner)
    assert set_value(path, "risk.loss.daily_limit_usd", "7")
    assert (path.stat().st_uid, path.stat().st_gid) == owner
