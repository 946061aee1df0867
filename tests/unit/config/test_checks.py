"""What must agree inside a market, what only deserves a remark, and the report of check-config."""

from pathlib import Path

import pytest

from mmbot.config.checks import remarks
from mmbot.config.loader import Loaded, load
from mmbot.config.show import check, derived
from mmbot.errors import ConfigError


def from_text(text: str) -> Loaded:
    return load([Path("c.yaml")], texts={Path("c.yaml"): text})


def warnings(loaded: Loaded) -> list[str]:
    return [f"{remark.key}: {remark.text}" for remark in remarks(loaded.config)]


def test_tiered_sizing_needs_a_weight_for_every_level() -> None:
    text = "defaults:\n  levels: {count: 3}\n  sizing: {mode: tiered, tier_weights: [0.6, 0.4]}\n"
    with pytest.raises(ConfigError) as caught:
        from_text(text)
    assert caught.value.problems == (
        "defaults.sizing.tier_weights (c.yaml:3:40): levels.count 3 needs as many"
        " sizing.tier_weights, not 2",
    )


def test_a_market_is_checked_with_what_it_inherits() -> None:
    text = (
        "defaults:\n  sizing: {mode: tiered}\n"
        "markets:\n  A: {levels: {count: 3}}\n  B: {levels: {count: 4}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        from_text(text)
    assert caught.value.problems == (
        "markets.B.levels.count (c.yaml:5:23): levels.count 4 needs as many"
        " sizing.tier_weights, not 3",
    )


def test_fewer_levels_than_weights_and_other_modes_are_fine() -> None:
    assert from_text("defaults: {levels: {count: 1}, sizing: {mode: tiered}}").config
    assert from_text("defaults: {levels: {count: 20}, sizing: {mode: fixed}}").config


def test_the_defaults_draw_no_remark() -> None:
    assert warnings(load([])) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("defaults: {inventory: {direction: literal}}", "defaults.inventory.direction"),
        ("defaults: {inventory: {deadband_pct: 100}}", "defaults.inventory.deadband_pct"),
        ("defaults: {spread: {min_bps: 1.9}}", "defaults.spread.min_bps"),
        ("backtest: {maker_fee_bps: 4.1}", "defaults.spread.min_bps"),
        (
            "defaults: {market_risk: {max_exposure_per_side_pct: 31}}",
            "defaults.market_risk.max_exposure_per_side_pct",
        ),
        (
            "defaults: {market_risk: {max_market_exposure_pct: 61}}",
            "defaults.market_risk.max_market_exposure_pct",
        ),
        (
            "defaults: {sizing: {fixed_usd: 1001}, inventory: {max_shift_bps: 0}}",
            "defaults.sizing.fixed_usd",
        ),
        # Half the width is 4 bps. 601 of 3,000 USD, at 20 bps: 4.007.
        ("defaults: {sizing: {fixed_usd: 601}}", "defaults.inventory.max_shift_bps"),
        # 100 of 499 USD: 4.008; 6.01 % of 10,000 USD: 4.007; tiers of 0.21 and 0.79.
        (
            "defaults: {market_risk: {max_position_usd: 499}}",
            "defaults.inventory.max_shift_bps",
        ),
        (
            "defaults: {sizing: {mode: percentage, percentage_of_free_collateral_pct: 6.01}}",
            "defaults.inventory.max_shift_bps",
        ),
        (
            "defaults: {sizing: {mode: tiered, tier_weights: [0.21, 0.79]}, levels: {count: 1}}",
            "defaults.inventory.max_shift_bps",
        ),
        ("defaults: {hedge: {threshold_pct: 0.35}}", "defaults.hedge.threshold_pct"),
        ("markets: {A: {hedge: {fraction_pct: 0.3}}}", "markets.A.hedge.fraction_pct"),
        ("risk: {loss: {drawdown_from_peak_pct: 0.03}}", "risk.loss.drawdown_from_peak_pct"),
        ("backtest: {bars: {p_touch_pct: 0.3}}", "backtest.bars.p_touch_pct"),
        ("markets: {A: {spread: {min_bps: 1.9}}, B: {}}", "markets.A.spread.min_bps"),
        ("risk: {max_open_orders_count: 3}", "risk.max_open_orders_count"),
    ],
)
def test_doubtful_settings_are_remarked_on_once(text: str, key: str) -> None:
    (warning,) = warnings(from_text(text))
    assert warning.startswith(f"{key}: ")


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {spread: {min_bps: 2.0}}",
        "backtest: {maker_fee_bps: -1}",
        "defaults: {market_risk: {max_exposure_per_side_pct: 30}}",
        "defaults: {market_risk: {max_market_exposure_pct: 60}}",
        "defaults: {sizing: {fixed_usd: 1000}, inventory: {max_shift_bps: 0}}",
        "defaults: {sizing: {fixed_usd: 1001, fixed_base: 1}}",
        "defaults: {sizing: {fixed_usd: 1001, mode: percentage}}",
        "defaults: {sizing: {fixed_usd: 600}}",
        "defaults: {market_risk: {max_position_usd: 500}}",
        "defaults: {sizing: {mode: percentage, percentage_of_free_collateral_pct: 6}}",
        "defaults: {sizing: {mode: tiered, tier_weights: [0.2, 0.8]}, levels: {count: 1}}",
        # An order above max_order_usd is cut to it: 100 USD.
        "defaults: {sizing: {mode: tiered, max_order_usd: 100}}",
        "risk: {max_open_orders_count: 4}",
        "defaults: {inventory: {deadband_pct: 0}, hedge: {threshold_pct: 1}}",
    ],
)
def test_settings_on_the_edge_are_not(text: str) -> None:
    assert warnings(from_text(text)) == []


def test_literal_skew_is_explained_in_two_sentences() -> None:
    (warning,) = warnings(from_text("defaults: {inventory: {direction: literal}}"))
    assert warning.count(". ") == 1
    assert warning.endswith(".")
    assert "a long position grows" in warning
    assert "reduce leans toward flat" in warning


def test_what_every_market_shares_is_said_once() -> None:
    text = (
        "defaults: {inventory: {direction: literal}}\n"
        "markets: {A: {}, B: {inventory: {direction: reduce}}, C: {spread: {min_bps: 1.5}}}\n"
    )
    keys = [line.partition(": ")[0] for line in warnings(from_text(text))]
    assert keys == ["defaults.inventory.direction", "markets.C.spread.min_bps"]


def test_the_requote_interval_is_what_the_slowest_bucket_allows() -> None:
    # 3 enabled markets x 4 levels x 2 sides = 24 orders at 10 a second: 2.4 s.
    markets = (
        "markets: {A: {}, B: {}, C: {}, D: {enabled: false}}\ndefaults: {levels: {count: 4}}\n"
    )
    assert "at most every 2,400 ms" in derived(from_text(markets).config)[1]
    assert derived(from_text(markets).config)[0] == "3 markets quoted, 24 orders at full depth"
    # Cancels at 5 a second: 4.8 s.
    slow = from_text(markets + "rate_limits: {cancels_per_second: 5}\n").config
    assert "at most every 4,800 ms" in derived(slow)[1]
    # 6 batches a minute, 20 % held back: 0.08 a second. A batch replaces two orders: 150 s.
    few = from_text(markets + "rate_limits: {requests_per_minute: 6}\n").config
    assert "at most every 150,000 ms" in derived(few)[1]


def test_worst_case_exposure_is_the_sum_of_markets_capped_by_the_account() -> None:
    # One market of 30 % of 10,000 USD; three would be 90 %, the account allows 60 %.
    assert "exposure 30 % of equity: 3,000.00 USD" in derived(from_text("markets: {A: }").config)[2]
    three = from_text("markets: {A: {}, B: {}, C: {}}").config
    assert "exposure 60 % of equity: 6,000.00 USD" in derived(three)[2]


def test_nothing_enabled_is_said_plainly() -> None:
    config = from_text("markets: {A: {enabled: false}}").config
    assert derived(config) == ["no market is enabled: nothing is quoted"]


def test_the_report_shows_unit_origin_difference_and_doubt() -> None:
    text = "markets:\n  A:\n    spread: {min_bps: 1}\n  B:\n"
    lines = check(from_text(text))
    (own,) = (line for line in lines if line.startswith("  markets.A.spread"))
    assert own.split() == ["markets.A.spread.min_bps", "1.0", "bps", "#", "c.yaml:3:23"]
    (shared,) = (line for line in lines if line.startswith("  defaults.spread.min_bps"))
    assert shared.split() == ["defaults.spread.min_bps", "8.0", "bps"]
    assert [line.split()[0] for line in lines if line.startswith("  markets.B")] == [
        "markets.B.enabled"
    ]
    assert lines[-1].startswith("warning: markets.A.spread.min_bps (c.yaml:3:23): 1 bps is less")
