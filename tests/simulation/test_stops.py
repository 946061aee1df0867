"""The product's bot keeps stop triggers through faults, and lives on when one fires."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from mmbot.adapters.zo.trading.trigger_news import FIRED
from mmbot.domain.order import Side
from mmbot.exchange.model import Account, Trigger, TriggerKind
from tests.simulation.real import Real, terms
from tests.simulation.runs import Plan, simulate
from tests.simulation.schedule import Fault
from tests.simulation.stage import Stage

# 3 % from the entry, and a fifth of that off at most.
DISTANCE, OFF = Decimal("0.03"), Decimal("0.0061")
MOST_S = 90.0
TROUBLE = (
    Fault(2, 12, "act.drop_resp", {"p": 0.3}),
    Fault(10, 8, "act.drop_req", {"p": 0.3}),
    Fault(16, 10, "act.slow", {"p": 0.4, "ms": 1500, "jitter_ms": 1500}),
    Fault(20, 3, "ws.half_open", {"kind": "account"}),
    Fault(30, 5, "eng.maintenance", {}),
    Fault(38, 8, "act.reset_after", {"p": 0.2, "n": 40}),
)


def wrong(stage: Stage) -> list[str]:
    """What is not as it should be in truth: positions without their stop, stops without one."""
    account = stage.venue.exchange.state.accounts[stage.terms.account]
    found = []
    for market, params in enumerate(stage.venue.exchange.params.markets):
        stops = [each for each in account.triggers if each.market_id == market]
        held = account.positions.get(market)
        if held is None or not held.lots:
            found += [f"{params.symbol}: flat, and {each} rests" for each in stops]
            continue
        closing = Side.ASK if held.lots > 0 else Side.BID
        entry = Decimal(held.cost_atoms) / held.lots / params.atoms_per_ticklot
        at = entry * (1 - DISTANCE if held.lots > 0 else 1 + DISTANCE)
        good = [
            each
            for each in stops
            if each.side is closing
            and each.kind is TriggerKind.STOP_LOSS
            and abs(each.trigger_ticks - at) <= entry * OFF
        ]
        if len(stops) != 1 or stops != good:
            found.append(f"{params.symbol}: {held.lots} lots at {entry}, and {stops} rest")
    return found


async def waited(stage: Stage, holds: Callable[[], bool]) -> None:
    """Wait until something holds; in vain it says what is wrong."""
    until = stage.loop.now_s + MOST_S
    while not holds():
        assert stage.loop.now_s < until, wrong(stage)
        await asyncio.sleep(0.05)


async def all_right(stage: Stage) -> None:
    await waited(stage, lambda: not wrong(stage))


def protecting(account: Account) -> list[Trigger]:
    """The triggers that would close something now."""
    held = account.positions
    return [
        each
        for each in account.triggers
        if each.market_id in held and held[each.market_id].lots * each.side < 0
    ]


@pytest.mark.parametrize("seed", [3, 8])
def test_positions_have_their_stop_after_any_trouble(seed: int) -> None:
    seen: set[int] = set()

    async def act(stage: Stage) -> None:
        account = stage.venue.exchange.state.accounts[stage.terms.account]
        for _ in range(500):
            await asyncio.sleep(0.1)
            seen.update(each.market_id for each in account.triggers)
            sides = [(each.market_id, each.side) for each in account.triggers]
            assert len(sides) == len(set(sides))
        await all_right(stage)

    factory = partial(Real, stops=True)
    plan = Plan(
        seed=seed, factory=factory, terms=terms(), schedule=TROUBLE, horizon_s=50.0, act=act
    )
    result = simulate(plan)
    assert [str(each) for each in result.violations] == []
    assert result.fills
    assert seen


def test_a_stop_that_fires_closes_the_position_and_the_bot_goes_on() -> None:
    fired: list[int] = []

    async def act(stage: Stage) -> None:
        exchange, operation = stage.venue.exchange, stage.venue.operation
        account = exchange.state.accounts[stage.terms.account]
        await waited(stage, lambda: bool(protecting(account)))
        one = protecting(account)[0]
        price = exchange.state.markets[one.market_id].index_ticks or 0.0
        operation.set_index(one.market_id, one.trigger_ticks + one.side)
        operation.time(stage.venue.pace.now_ns + 1)
        operation.set_index(one.market_id, price)
        trades = [each for each in exchange.state.trades if each.taker_id == account.account_id]
        fired.extend(each.lots for each in trades if each.taker_side is one.side)
        assert one not in account.triggers
        assert not account.positions[one.market_id].lots
        await asyncio.sleep(20.0)
        run = stage.run
        assert run is not None
        view = run.bot.status()
        assert view is not None
        (alert,) = [each for each in view.alerts if each.code == FIRED]
        assert alert.market == exchange.params.markets[one.market_id].symbol
        await all_right(stage)

    plan = Plan(seed=5, factory=partial(Real, stops=True), terms=terms(), horizon_s=40.0, act=act)
    result = simulate(plan)
    assert [str(each) for each in result.violations] == []
    assert fired
    assert result.codes == (0,)
