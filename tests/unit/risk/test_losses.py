from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbot.risk.losses import Baselines, Losses, LossParams

USD = 10**6


def losses(**changes: Any) -> Losses:
    """50 USD a day, 3 % from the peak, a warning from 1.5 % on."""
    return Losses(LossParams(**changes), Baselines())


def test_nothing_is_known_before_the_first_figure() -> None:
    one = losses()
    assert one.day_pnl_uusd is None
    assert one.drawdown_uusd is None


def test_a_drawdown_warns_until_it_recovers() -> None:
    one = losses(daily_limit_usd=Decimal(10**6))
    assert one.observe(1000 * USD, 1) is None
    assert one.observe(985 * USD + 1, 1) is None
    assert one.warning is None
    one.observe(985 * USD, 1)
    assert one.warning == "drawdown 15.00 USD from the peak 1000.00 USD"
    assert (one.day_pnl_uusd, one.drawdown_uusd) == (-15 * USD, 15 * USD)
    one.observe(986 * USD, 1)
    assert one.warning is None
    assert one.observe(970 * USD, 1) == "drawdown 30.00 USD from the peak 1000.00 USD"


@pytest.mark.parametrize("moved", [500, -500])
def test_money_that_moves_is_neither_profit_nor_loss(moved: int) -> None:
    one = losses()
    one.observe(1000 * USD, 1)
    one.observe(990 * USD, 1)
    one.transfer(moved * USD)
    assert one.observe((990 + moved) * USD, 1) is None
    assert one.day_pnl_uusd == -10 * USD
    assert one.drawdown_uusd == 10 * USD
    assert one.baselines.transfers_uusd == moved * USD
    one.observe((990 + moved) * USD, 2)
    assert one.baselines.transfers_uusd == 0


def test_a_transfer_before_the_first_figure_moves_nothing() -> None:
    one = losses()
    one.transfer(5)
    assert one.baselines == Baselines(transfers_uusd=5)


@given(st.lists(st.tuples(st.booleans(), st.integers(-20, 20)), max_size=30))
def test_transfers_change_no_result(steps: list[tuple[bool, int]]) -> None:
    with_transfers, without = losses(), losses()
    trading, moved = 1000 * USD, 0
    for one in (with_transfers, without):
        one.observe(trading, 1)
    for is_transfer, usd in steps:
        if is_transfer:
            moved += usd * USD
            with_transfers.transfer(usd * USD)
        else:
            trading += usd * USD
        with_transfers.observe(trading + moved, 1)
        without.observe(trading, 1)
        assert with_transfers.day_pnl_uusd == without.day_pnl_uusd
        assert with_transfers.drawdown_uusd == without.drawdown_uusd


def test_a_warning_beyond_the_limit_is_refused_when_it_was_asked_for() -> None:
    with pytest.raises(ValidationError, match="halt before it warns"):
        LossParams(drawdown_warn_pct=4)
    assert LossParams(drawdown_from_peak_pct=1).drawdown_warn_pct == 1.5
