"""What is read off a bot now and then: what virtual quotes were worth."""

import pytest

from mmbot import assemble
from mmbot.config.loader import load
from mmbot.quoting.markout import Choice
from mmbot.quoting.strategy import MarketMaker
from mmbot.runtime.market_watch import MarketWatch


def test_virtual_quotes_are_read_off_where_a_market_has_them() -> None:
    config = load([], ["defaults.preset=recommended"]).config
    engine = assemble.synthetic_run(config, None, assemble.RunOptions()).engine
    strategy = engine.desks[0].strategy
    assert isinstance(strategy, MarketMaker)
    control = strategy.learning.markout
    assert control is not None
    control.shadows.restore(1.0, [(40.0, 80.0, 200.0), *[(0.5, 1.0, 2.0)] * 7], 0.0)
    control.floor_bps = 4.5
    gauges = MarketWatch(engine).readings().gauges
    # 80 / 40, and the root of (200 / 40 - 4) / 40; half a fill is no mean.
    assert gauges["shadow_markout_basis_points"] == {
        ("SIMUSD", "0.5", "mean"): 2.0,
        ("SIMUSD", "0.5", "stderr"): pytest.approx(0.158114),
    }
    assert gauges["shadow_fills"]["SIMUSD", "0.5"] == 40.0
    assert gauges["shadow_fills"]["SIMUSD", "9"] == 0.5
    assert gauges["shadow_half_width_basis_points"] == {("SIMUSD",): 4.5}
    assert gauges["no_depth_pays"] == {("SIMUSD",): 0.0}
    control.choice = Choice(None, pays=False)
    assert MarketWatch(engine).readings().gauges["no_depth_pays"] == {("SIMUSD",): 1.0}


def test_a_market_without_them_tells_nothing_of_them() -> None:
    engine = assemble.synthetic_run(load([], []).config, None, assemble.RunOptions()).engine
    gauges = MarketWatch(engine).readings().gauges
    assert not any(gauges[name] for name in ("shadow_fills", "no_depth_pays"))
