"""Metrics of the hand-worked run, and ratios against the statistics module."""

from itertools import accumulate
from math import sqrt
from statistics import mean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.research.markets import measure_markets
from mmbot.research.metrics import Metrics, measure, sharpe
from mmbot.research.record import Recorder
from tests.unit.research.runs import SECOND, START, but, fill, hand_run, inverse, linear, sample


@pytest.fixture
def hand() -> Metrics:
    return measure(hand_run())


def test_profit(hand: Metrics) -> None:
    profit = hand.profit
    assert profit.span_s == 40
    assert profit.pnl_net_usd == 0.644725
    # Fees 105.5e6 atoms of 5e-11.
    assert profit.fees_usd == 0.005275
    assert profit.pnl_gross_usd == 0.65
    assert profit.funding_usd == 0.1
    assert profit.final_equity_usd == 1000.644725
    assert profit.return_pct == pytest.approx(0.0644725)
    # 99 x 3 + 102 x 4 + 100 x 1 = 805 tick lots of 0.05 USD.
    assert profit.volume_usd == 40.25
    assert profit.turnover_ratio == 0.04025
    assert profit.pnl_net_bps == pytest.approx(0.644725 / 40.25 * 1e4)
    assert profit.pnl_gross_bps == pytest.approx(0.65 / 40.25 * 1e4)


def test_trading(hand: Metrics) -> None:
    trading = hand.trading
    assert (trading.fills_count, trading.hedge_fills_count) == (3, 1)
    assert (trading.placed_count, trading.cancelled_count) == (10, 4)
    assert (trading.rejected_count, trading.post_only_rejected_count) == (1, 1)
    assert trading.requests_per_s == 8 / 40
    assert trading.fill_rate_pct == 30
    assert trading.fills_per_quote_s == 3 / 30  # quotes rested from 0 to 30 s
    assert trading.cancels_per_fill_ratio == pytest.approx(4 / 3)
    assert trading.maker_volume_pct == pytest.approx(705 / 805 * 100)
    assert trading.taker_volume_pct == pytest.approx(100 / 805 * 100)
    # Bought 397 and sold 408 of 805.
    assert trading.both_sided_pct == pytest.approx(2 * 397 / 805 * 100)
    # 3 bought at 99 sold at 102, 1 sold at 102 bought at 100: both won.
    assert (trading.closings_count, trading.win_rate_pct) == (2, 100)
    # 3 lots for 10 s and 1 for 10 s, 4 lots closed.
    assert trading.holding_s == 10


def test_presence(hand: Metrics) -> None:
    presence = hand.presence
    # 2 ticks around mids of 100 and 99 for 10 s each: 2 / 99.5.
    assert presence.quoted_spread_bps == pytest.approx(2 / 99.5 * 1e4)
    assert presence.two_sided_pct == 50
    assert presence.quoting_pct == 75
    # |q| >= 3 lots from 10 to 20 s.
    assert presence.limit_time_pct == 25
    # One lot on average, three at most, of 0.1 at the final 49 USD.
    assert presence.inventory_abs_mean_usd == pytest.approx(4.9)
    assert presence.inventory_max_usd == pytest.approx(14.7)


def test_market() -> None:
    (market,) = measure_markets(hand_run())
    # Lots 0, 3, -1, 0 for 10 s each: mean 0.5, mean square 2.5, of 0.1 base.
    assert market.inventory_mean_base == pytest.approx(0.05)
    assert market.inventory_sd_base == pytest.approx(0.15)
    assert market.inventory_abs_mean_base == pytest.approx(0.1)
    assert market.inventory_max_base == pytest.approx(0.3)
    assert market.inventory_final_base == 0
    assert market.limit_base == pytest.approx(0.3)
    assert market.final_price == 49
    assert market.gates_pct == {"spread too wide": 25}
    assert market.pnl_net_usd == 0.644725


def test_sharpe_says_why_it_is_missing(hand: Metrics) -> None:
    risk = hand.risk
    assert (risk.sharpe_minute_ratio, risk.sharpe_hour_ratio) == (None, None)
    assert risk.sharpe_minute_reason == "needs 30 whole minutes, has 0"
    assert risk.sharpe_hour_reason == "needs 24 whole hours, has 0"


def test_sharpe_of_still_equity() -> None:
    closes = [(minute, 1000) for minute in range(40)]
    assert sharpe(closes, 1, 30) == (None, "equity does not move")


@settings(max_examples=100)
@given(st.lists(st.integers(-1000, 1000), min_size=33, max_size=60), st.integers(0, 50))
def test_sharpe_equals_mean_over_deviation(changes: list[int], first: int) -> None:
    equity = list(accumulate(changes, initial=10_000))
    closes = [(first + minute, value) for minute, value in enumerate(equity)]
    # The last minute is not whole; minutes without a change may be left out.
    whole = changes[:-1]
    sparse = [
        close
        for place, close in enumerate(closes)
        if place in (0, len(closes) - 2, len(closes) - 1) or changes[place - 1]
    ]
    ratio, _ = sharpe(sparse, 1, 30)
    if len(set(whole)) == 1:
        assert ratio is None
    else:
        expected = mean(whole) / stdev(whole) * sqrt(365 * 24 * 60)
        assert ratio == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_hours_are_hours() -> None:
    closes = [(minute, (minute // 60) ** 2) for minute in range(30 * 60 + 5)]
    changes = [(hour + 1) ** 2 - hour**2 for hour in range(29)]
    ratio, reason = sharpe(closes, 60, 24)
    assert ratio == pytest.approx(mean(changes) / stdev(changes) * sqrt(365 * 24))
    assert reason is None


def test_drawdown_in_money_share_and_time() -> None:
    recorder = Recorder([linear()], 1_000_000_000)
    usd = 20_000_000_000  # atoms
    for second, pnl in ((0, 0), (10, 250), (20, 150), (30, 260), (40, 200), (55, 220)):
        recorder.sample(sample(second, 200, 0, pnl * usd))
    risk = measure(recorder.finish(START + 60 * SECOND, [200])).risk
    # 1250 to 1150 is the deepest; the end of the run finds the account empty of profit: 1260 to
    # 1000, from 30 s to 60 s.
    assert risk.max_drawdown_usd == 260
    assert risk.max_drawdown_pct == pytest.approx(260 / 1260 * 100)
    assert risk.max_drawdown_s == 30


def test_inverse_money_is_worth_its_coin() -> None:
    recorder = Recorder([inverse()], 10**9)
    recorder.fill(but(fill(0, 1, Side.BID, 100, 1), mark_half_ticks=200))
    profit = measure(recorder.finish(START + 2 * SECOND, [250])).profit
    # 100 USD bought at 50 are 2 coins; at 62.5 they are 1.6: 0.4 coins of 62.5 USD.
    assert profit.pnl_net_usd == pytest.approx(25)
    assert profit.volume_usd == 100


def test_a_run_without_anything() -> None:
    metrics = measure(Recorder([linear()], 10**9).finish(START, [0]))
    flat = metrics.flat()
    assert flat["pnl_net_usd"] == 0
    for key in ("pnl_net_bps", "fill_rate_pct", "win_rate_pct", "holding_s", "two_sided_pct"):
        assert flat[key] is None
