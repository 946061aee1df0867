"""The bot told to stop, in every way a person or a supervisor does; and ended by its own faults."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.process.trading import Place, place, run

# The figure, for a machine that has nothing else to do, and what a busy one may add.
STOPPED_S = 5.0
SLACK_S = 5.0


async def _left(at: Place) -> list[int]:
    assert await at.venue.violations() == []
    return await at.epochs()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_nothing_left(tmp_path: Path, number: signal.Signals) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.bot() as bot:
            await at.quoting(bot)
            bot.send(number)
            ended = await bot.ended(STOPPED_S + SLACK_S)
            assert ended.code == 0, ended.err
            assert await _left(at) == []

    run(work())


def test_a_stop_in_the_middle_of_updates_leaves_nothing(tmp_path: Path) -> None:
    """Answers are slow and some are lost, so actions are under way when the signal comes."""

    async def work() -> None:
        async with place(tmp_path) as at, at.bot() as bot:
            await at.quoting(bot)
            await at.venue.faults(
                {"knob": "act.slow", "ms": 300, "p": 0.5}, {"knob": "act.drop_resp", "p": 0.1}
            )
            await asyncio.sleep(1.0)
            bot.send(signal.SIGTERM)
            # What was never answered is waited for: it could land for venue.action_lifetime_s.
            ended = await bot.ended(STOPPED_S + 6.0 + SLACK_S)
            assert ended.code == 0, ended.err
            assert await _left(at) == []

    run(work())


def test_a_second_ctrl_c_changes_the_code_alone(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.bot() as bot:
            await at.quoting(bot)
            # Cancels that take a while, so that the second one comes in time.
            await at.venue.faults({"knob": "act.slow", "ms": 700, "p": 1.0})
            bot.send(signal.SIGINT)
            await asyncio.sleep(0.3)
            bot.send(signal.SIGINT)
            ended = await bot.ended(STOPPED_S + SLACK_S)
            assert ended.code == 130, ended.err
            assert await _left(at) == []

    run(work())


@pytest.mark.parametrize("fault", ["task", "callback"])
def test_a_crash_takes_the_orders_off_first(tmp_path: Path, fault: str) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            words = ("--mode", "live", "-c", str(at.config))
            bot = await at.module("tests.process.sick", fault, "run", *words)
            await at.quoting(bot)
            bot.send(signal.SIGUSR1)
            ended = await bot.ended(STOPPED_S + SLACK_S)
            assert ended.code == 1, ended.err
            assert await _left(at) == []

    run(work())


def test_a_blocked_loop_is_noticed_by_its_watchdog(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            words = ("--mode", "live", "-c", str(at.config))
            bot = await at.module("tests.process.sick", "block", "run", *words)
            await at.quoting(bot)
            bot.send(signal.SIGUSR1)
            await at.gone(1.0 + SLACK_S)
            ended = await bot.ended(5.0 + SLACK_S)
            assert ended.code == -signal.SIGABRT, ended.err
            assert await _left(at) == []

    run(work())


def test_without_time_it_ends_by_itself(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.bot("--for", "4s") as bot:
            await at.quoting(bot)
            ended = await bot.ended()
            assert ended.code == 0, ended.err
            assert await _left(at) == []

    run(work())
