from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.events import AccountSnapshot, Command, Operator
from mmbot.risk.breaker import DAY_NS, GOOD_SNAPSHOTS, Breaker, BreakerMemory, BreakerState
from mmbot.risk.losses import LossParams

USD = 10**6
NOON = 20_000 * DAY_NS + DAY_NS // 2
RUNNING, EMERGENCY, HALTED = BreakerState.RUNNING, BreakerState.EMERGENCY, BreakerState.HALTED


def breaker(memory: BreakerMemory | None = None, **changes: Any) -> Breaker:
    """50 USD a day, 3 % from the peak, no warning before."""
    return Breaker(LossParams(**{"drawdown_warn_pct": 3.0, **changes}), memory)


def snapshot(equity_uusd: int | None, ts_ns: int = NOON) -> AccountSnapshot:
    return AccountSnapshot(ts_ns, ts_ns, equity_uusd, equity_uusd, 0, 0, False)


def tell(one: Breaker, command: Command, market: int | None = None) -> None:
    one.command(Operator(0, 0, command, market, "because"))


def test_a_quiet_day_runs() -> None:
    one = breaker()
    for usd in (1000, 1010, 990):
        one.observe(snapshot(usd * USD), None)
    assert one.state is RUNNING
    assert one.stop_reason(0) is None


def test_the_daily_loss_halts_at_its_limit() -> None:
    one = breaker(drawdown_from_peak_pct=100, drawdown_warn_pct=100)
    one.observe(snapshot(10_000 * USD), None)
    one.observe(snapshot(9_950 * USD + 1), None)
    assert one.state is RUNNING
    one.observe(snapshot(9_950 * USD), None)
    assert one.state is HALTED
    assert one.stop_reason(3) == "daily loss 50.00 USD reached the limit 50.00 USD"


def test_the_day_begins_with_the_last_figure_of_the_day_before() -> None:
    one = breaker(drawdown_from_peak_pct=100, drawdown_warn_pct=100)
    midnight = 20_001 * DAY_NS
    one.observe(snapshot(10_000 * USD, midnight - 2), None)
    one.observe(snapshot(9_980 * USD, midnight - 1), None)
    one.observe(snapshot(9_940 * USD, midnight), None)
    assert one.state is RUNNING
    one.observe(snapshot(9_930 * USD, midnight + 1), None)
    assert one.state is HALTED


def test_drawdown_counts_from_the_highest_figure() -> None:
    one = breaker(daily_limit_usd=Decimal(10**9))
    # 3 % of 1,200 are 36.
    for usd in (1000, 1200, 1165):
        one.observe(snapshot(usd * USD), None)
    assert one.state is RUNNING
    one.observe(snapshot(1164 * USD), None)
    assert one.stop_reason(0) == "drawdown 36.00 USD from the peak 1200.00 USD"


def test_a_halt_stays_until_it_is_cleared_and_keeps_its_first_reason() -> None:
    one = breaker()
    one.observe(snapshot(1000 * USD), None)
    one.observe(snapshot(900 * USD), None)
    reason = one.stop_reason(0)
    one.observe(snapshot(2000 * USD), None)
    one.observe(snapshot(100 * USD), None)
    for command in (Command.HALT, Command.RESUME, Command.PAUSE, Command.RESUME):
        tell(one, command)
        assert one.stop_reason(0) == reason
    tell(one, Command.CLEAR_HALT)
    assert one.state is RUNNING
    # The loss that was cleared does not halt again; the next one does.
    one.observe(snapshot(100 * USD), None)
    assert one.state is RUNNING
    one.observe(snapshot(96 * USD), None)
    assert one.state is HALTED


def test_the_latch_and_the_baselines_outlive_the_process() -> None:
    one = breaker()
    one.observe(snapshot(1000 * USD), None)
    one.observe(snapshot(980 * USD), None)
    text = msgspec.json.encode(one.memory)
    again = breaker(msgspec.json.decode(text, type=BreakerMemory))
    assert again.memory == one.memory
    assert again.state is RUNNING
    again.observe(snapshot(965 * USD), None)
    assert again.state is HALTED
    third = breaker(again.memory)
    assert third.state is HALTED
    tell(third, Command.PAUSE)
    tell(third, Command.CLEAR_HALT)
    assert breaker(third.memory).stop_reason(0) == "paused: because"


def test_an_emergency_ends_after_good_snapshots_in_a_row() -> None:
    one = breaker()
    one.observe(snapshot(None), "a figure is missing")
    assert one.state is EMERGENCY
    assert one.stop_reason(0) == "a figure is missing"
    good = snapshot(1000 * USD)
    for _ in range(GOOD_SNAPSHOTS - 1):
        one.observe(good, None)
    one.fail("stale")
    for _ in range(GOOD_SNAPSHOTS - 1):
        one.observe(good, None)
        assert one.stop_reason(0) == "stale"
    one.observe(good, None)
    assert one.state is RUNNING


def test_pauses_of_markets_and_of_everything() -> None:
    one = breaker()
    tell(one, Command.PAUSE, 1)
    assert [one.stop_reason(market) for market in (0, 1)] == [None, "paused: because"]
    tell(one, Command.PAUSE)
    assert one.stop_reason(0) == "paused: because"
    tell(one, Command.RESUME, 1)
    assert one.stop_reason(1) == "paused: because"
    tell(one, Command.PAUSE, 1)
    tell(one, Command.RESUME)
    assert [one.stop_reason(market) for market in (0, 1)] == [None, None]
    tell(one, Command.PAUSE, 0)
    tell(one, Command.RESUME, 0)
    assert one.stop_reason(0) is None
    assert one.state is RUNNING


@pytest.mark.parametrize("market", [None, 2])
def test_an_operators_halt_is_of_everything(market: int | None) -> None:
    one = breaker()
    tell(one, Command.CLEAR_HALT)
    tell(one, Command.HALT, market)
    assert one.state is HALTED
    assert one.stop_reason(0) == "operator: because"


@settings(max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(list(Command)),
            st.integers(1, 2000),
            st.just("bad"),
        ),
        max_size=40,
    )
)
def test_halted_is_absorbing(steps: list[Command | int | str]) -> None:
    one = breaker()
    halted = False
    for number, step in enumerate(steps):
        if isinstance(step, Command):
            tell(one, step)
            halted = step is Command.HALT or (halted and step is not Command.CLEAR_HALT)
        elif isinstance(step, int):
            one.observe(snapshot(step * USD, NOON + number), None)
            halted = halted or one.state is HALTED
        else:
            one.observe(snapshot(None, NOON + number), step)
        if number % 5 == 4:
            one = breaker(one.memory)
        assert (one.state is HALTED) is halted


def test_an_operator_lets_positions_only_shrink() -> None:
    one = breaker()
    tell(one, Command.REDUCE)
    assert one.state is BreakerState.REDUCE_ONLY
    assert one.stop_reason(0) is None
    assert one.reduce_reason(0) == "reduce only: because"
    tell(one, Command.RESUME)
    assert (one.state, one.reduce_reason(0)) == (RUNNING, None)
    tell(one, Command.REDUCE, 1)
    assert (one.state, one.reduce_reason(0)) == (RUNNING, None)
    assert one.reduce_reason(1) == "reduce only: because"
    tell(one, Command.RESUME, 1)
    assert one.reduce_reason(1) is None


def test_a_warning_lets_positions_only_shrink_until_it_is_over() -> None:
    one = breaker(drawdown_warn_pct=1.5)
    one.observe(snapshot(1000 * USD), None)
    one.observe(snapshot(985 * USD), None)
    assert one.state is BreakerState.REDUCE_ONLY
    assert one.reduce_reason(0) == "drawdown 15.00 USD from the peak 1000.00 USD"
    one.observe(snapshot(986 * USD), None)
    assert one.state is RUNNING


def test_flattening_leaves_a_pause() -> None:
    one = breaker()
    tell(one, Command.FLATTEN, 1)
    assert (one.stop_reason(0), one.stop_reason(1)) == (None, "flattened: because")


def test_a_stop_is_no_resume() -> None:
    one = breaker()
    tell(one, Command.PAUSE)
    tell(one, Command.STOP)
    assert one.stop_reason(0) == "paused: because"


def test_another_cause_halts_too_and_the_first_reason_stays() -> None:
    one = breaker()
    one.halt("liquidated: by the venue")
    one.halt("another")
    assert one.state is HALTED
    assert one.stop_reason(0) == "liquidated: by the venue"


def test_pauses_of_markets_outlive_the_process() -> None:
    one = breaker()
    tell(one, Command.PAUSE, 1)
    tell(one, Command.REDUCE, 0)
    one.losses.transfer(7)
    text = msgspec.json.encode(one.memory)
    again = breaker(msgspec.json.decode(text, type=BreakerMemory))
    assert again.memory == one.memory
    assert again.stop_reason(1) == "paused: because"
    assert again.reduce_reason(0) == "reduce only: because"
    assert again.memory.transfers_uusd == 7
