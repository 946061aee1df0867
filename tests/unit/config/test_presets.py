"""Presets: what they set, and that every key that is set beside them wins."""

from pathlib import Path

import pytest

from mmbot.config.loader import load
from mmbot.config.market import MarketConfig
from mmbot.config.presets import PRESETS
from mmbot.errors import ConfigError

TEXT = """
defaults:
  spread: {min_bps: 5.0}
markets:
  BTCUSD: {preset: recommended, inventory: {kappa: 2.0}}
  ETHUSD: {}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_a_preset_is_what_nobody_sets(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    loaded = load([path])
    bitcoin, ether = loaded.config.markets["BTCUSD"], loaded.config.markets["ETHUSD"]
    assert (bitcoin.spread.model, bitcoin.fair_price.source) == ("markout", "blend")
    assert (bitcoin.inventory.model, bitcoin.inventory.kappa) == ("linear", 2.0)
    # What is set wins, also where it is inherited.
    assert bitcoin.spread.min_bps == 5.0
    assert ether == MarketConfig.model_validate({"spread": {"min_bps": 5.0}})
    assert loaded.origin("markets.BTCUSD.spread.model") == "preset recommended"
    assert loaded.origin("markets.BTCUSD.inventory.kappa") == f"{path}:5:52"


def test_a_preset_of_all_markets_is_left_by_one(tmp_path: Path) -> None:
    text = "defaults: {preset: recommended}\nmarkets: {A: {}, B: {preset: seed}}\n"
    config = load([written(tmp_path, text)]).config
    assert config.defaults.spread.model == config.markets["A"].spread.model == "markout"
    assert config.markets["B"] == MarketConfig()


def test_the_seed_is_what_stands_without_one(tmp_path: Path) -> None:
    config = load([written(tmp_path, "defaults: {preset: seed}\n")]).config
    assert config.defaults == MarketConfig()


def test_a_wrong_name_is_told_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, "defaults:\n  preset: best\n")
    with pytest.raises(ConfigError, match=r"defaults.preset .*2:11.*seed, recommended"):
        load([path])


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_valid(name: str) -> None:
    assert MarketConfig.model_validate(PRESETS[name])
    assert name in MarketConfig.model_json_schema()["properties"]["preset"]["enum"]
