"""The daily loss limit over restarts, and that a bot which loses more is found (I17)."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from mmbot.runtime.supervision import EXIT_HALTED
from tests.simulation.real import Real, terms
from tests.simulation.runs import Plan, Result, simulate
from tests.simulation.stage import Stage

LIMIT_USD = 1.0
MOST_S = 1_200.0


async def waited(stage: Stage, holds: Callable[[], bool]) -> bool:
    """Wait until something holds; whether it came to."""
    until = stage.loop.now_s + MOST_S
    while not holds() and stage.loop.now_s < until:  # noqa: ASYNC110 - the truth of another program
        await asyncio.sleep(0.05)
    return holds()


def lost(seed: int, own_usd: float) -> tuple[Result, list[float]]:
    """Kill the bot when half of what it may lose is lost; what each run had lost in the end.

    The bot itself believes that it may lose `own_usd`.
    """
    losses: list[float] = []

    async def act(stage: Stage) -> None:
        first = stage.run
        assert first is not None
        assert await waited(stage, lambda: stage.judge.losing.lost_usd() > LIMIT_USD / 2)
        first.kill()
        losses.append(stage.judge.losing.lost_usd())
        await asyncio.sleep(0.5)
        second = stage.begin()
        await waited(stage, lambda: not second.is_on or bool(stage.judge.violations))
        losses.append(stage.judge.losing.lost_usd())
        if second.is_on:
            second.kill()
        else:
            third = stage.begin()
            await waited(stage, lambda: not third.is_on)

    factory = partial(Real, daily_usd=own_usd)
    plan = Plan(
        seed=seed,
        factory=factory,
        terms=terms(LIMIT_USD),
        horizon_s=1.0,
        quiet_s=8.0,
        act=act,
        ends=False,
        settled=False,
    )
    return simulate(plan), losses


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_lost_before_a_restart_counts(seed: int) -> None:
    result, losses = lost(seed, LIMIT_USD)
    assert [str(each) for each in result.violations] == []
    assert result.codes == (None, EXIT_HALTED, EXIT_HALTED)
    assert LIMIT_USD * 0.9 < losses[1] < LIMIT_USD * 1.5


def test_a_bot_that_loses_more_is_found() -> None:
    # What a bot loses that counts from its restart.
    result, _ = lost(1, LIMIT_USD * 1.5)
    assert {each.invariant for each in result.violations} == {"I17"}
