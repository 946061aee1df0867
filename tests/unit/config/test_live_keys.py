"""What a running bot may take on, what it may not, and which way a limit is looser."""

from typing import Any

import pytest

from mmbot.config.keys import keys
from mmbot.config.live_keys import (
    LARGER_IS_LOOSER,
    LIVE,
    LIVE_OF_MARKET,
    NOT_THERE,
    differences,
    is_live,
    loosened,
    spelled_out,
)
from mmbot.config.market import MarketConfig
from mmbot.config.schema import Config
from mmbot.risk.limits import MarketRiskParams, RiskParams

TRADED = ("BTCUSD", "ETHUSD")


def settings(**sections: Any) -> Config:
    return Config.model_validate({"markets": {"BTCUSD": {}, "ETHUSD": {}}, **sections})


def test_every_live_limit_says_which_way_is_looser() -> None:
    """A limit that could be set, and had no direction, could be raised by anybody."""
    own = [("market_risk", *key.path) for key in keys(MarketRiskParams)]
    shared = [("risk", *key.path) for key in keys(RiskParams)]
    live = [path for path in own if is_live(("defaults", *path))]
    live += [path for path in shared if is_live(path)]
    assert live
    assert {".".join(path) for path in live} <= set(LARGER_IS_LOOSER)


def test_every_live_key_exists() -> None:
    there = {key.dotted for key in keys(Config)}
    of_market = {key.dotted for key in keys(MarketConfig)}
    for name, known in [
        *((each, there) for each in LIVE),
        *((e, of_market) for e in LIVE_OF_MARKET),
    ]:
        assert any(f"{key}.".startswith(f"{name}.") for key in known), name
    assert set(LARGER_IS_LOOSER) <= there | of_market


@pytest.mark.parametrize(
    ("key", "live"),
    [
        ("defaults.spread.min_bps", True),
        ("markets.BTCUSD.spread.min_bps", True),
        ("risk.loss.daily_limit_usd", True),
        ("defaults.fair_price.source", False),
        ("defaults.inventory.direction", False),
        ("markets.BTCUSD.enabled", False),
        ("risk.stale.book_ms", False),
        ("venue.http_url", False),
        ("instance.id", False),
        ("rate_limits.orders_per_second", False),
        ("backtest.seed", True),
    ],
)
def test_live_or_restart(key: str, live: bool) -> None:
    assert is_live(tuple(key.split("."))) is live


def test_a_short_key_is_that_of_every_market() -> None:
    assert spelled_out("spread.min_bps", TRADED) == [
        "markets.BTCUSD.spread.min_bps",
        "markets.ETHUSD.spread.min_bps",
    ]
    assert spelled_out("risk.loss.daily_limit_usd", TRADED) == ["risk.loss.daily_limit_usd"]


def test_what_markets_inherit_is_told_once() -> None:
    new = {"spread": {"min_bps": 9}}
    old = settings()
    followed = Config.model_validate(
        {"defaults": new, "markets": {"BTCUSD": new, "ETHUSD": {"spread": {"min_bps": 9.5}}}}
    )
    found = {
        each.key: (each.old, each.new, each.live) for each in differences(old, followed, TRADED)
    }
    assert found == {
        "defaults.spread.min_bps": (8.0, 9.0, True),
        "markets.ETHUSD.spread.min_bps": (8.0, 9.5, True),
    }


def test_a_market_that_comes_or_goes_needs_a_restart() -> None:
    old = settings()
    new = Config.model_validate({"markets": {"BTCUSD": {}, "ETHUSD": {"enabled": False}}})
    assert [(each.key, each.live) for each in differences(old, new, TRADED)] == [
        ("markets.ETHUSD.enabled", False)
    ]
    assert NOT_THERE not in [each.new for each in differences(old, new, TRADED)]


@pytest.mark.parametrize(("name", "larger"), LARGER_IS_LOOSER.items())
def test_every_limit_is_loosened_one_way_alone(name: str, larger: bool) -> None:
    section, *path = name.split(".")
    values = (20.0, 10.0)
    if name == "risk.max_open_orders_count":
        values = (20, 10)

    def at(value: float) -> Config:
        inner: Any = value
        for step in reversed(path):
            inner = {step: inner}
        if name == "risk.loss.drawdown_warn_pct":
            inner["loss"]["drawdown_from_peak_pct"] = 50
        if section == "risk":
            return settings(risk=inner)
        if name == "sizing.max_order_usd":
            inner["min_order_usd"] = 1
        return Config.model_validate({"markets": {s: {section: inner} for s in TRADED}})

    high, low = (at(value) for value in values)
    keys_ = [name] if section == "risk" else [f"markets.{symbol}.{name}" for symbol in TRADED]
    assert loosened(low, high, TRADED) == (keys_ if larger else [])
    assert loosened(high, low, TRADED) == ([] if larger else keys_)
    assert loosened(high, high, TRADED) == []


def test_no_limit_at_all_is_looser_than_any() -> None:
    bound = Config.model_validate(
        {"markets": {s: {"market_risk": {"max_position_usd": 5}} for s in TRADED}}
    )
    key = "market_risk.max_position_usd"
    assert loosened(bound, settings(), TRADED) == [f"markets.{s}.{key}" for s in TRADED]
    assert loosened(settings(), bound, TRADED) == []
