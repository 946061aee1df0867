"""The bot killed and stopped as processes are, with and without its guard; and its exchange."""

import asyncio
import signal
import time
from pathlib import Path
from random import Random

from tests.contract.process import running
from tests.process.trading import PATIENCE_S, Child, Executed, Place, moved_in, place, run

# The figures, and what a busy machine may add.
GUARDED_S = 6.0
RESTARTED_S = 5.0
SLACK_S = 10.0
# After a standstill the loop has to have turned in time for so long (runtime.hindering).
CALM_S = 0.5


def test_with_its_guard_orders_of_a_killed_bot_are_gone_in_time(tmp_path: Path) -> None:
    async def work() -> None:
        chance = Random(3)
        async with place(tmp_path) as at, at.guard() as guard:
            for _ in range(3):
                async with at.bot() as bot:
                    await at.quoting(bot)
                    await asyncio.sleep(chance.uniform(0.0, 1.0))
                    bot.send(signal.SIGKILL)
                    await at.gone(GUARDED_S)
            assert guard.process.returncode is None, guard.err
            assert await at.venue.violations() == []

    run(work())


def test_without_a_guard_they_are_gone_soon_after_the_next_start(tmp_path: Path) -> None:
    async def work() -> None:
        chance = Random(4)
        async with place(tmp_path) as at:
            await at.venue.faults({"knob": "act.slow", "ms": 50, "p": 0.3})
            for _ in range(3):
                async with at.bot() as bot:
                    await at.quoting(bot)
                    await asyncio.sleep(chance.uniform(0.0, 1.0))
                    bot.send(signal.SIGKILL)
                    await bot.process.wait()
                before = max(await at.epochs())
                async with at.bot() as bot:
                    await at.gone(RESTARTED_S + SLACK_S, newest_epoch=before)
                    await at.quoting(bot)
                    assert min(await at.epochs()) > before
                    bot.send(signal.SIGTERM)
                    assert (await bot.ended()).code == 0, bot.err
            assert await at.venue.violations() == []

    run(work())


def test_a_paused_bot_sends_nothing_that_is_old(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at, at.bot() as bot:
            for pause_s in (3.0, 4.0):
                await _stopped(at, bot, pause_s)
                # What it had sent before is there by now.
                last = await at.last_action()
                # The exchange's clock is the host's.
                resumed_s = time.time()
                bot.send(signal.SIGCONT)
                done = await _after(at, last)
                # What rests goes off, in as many actions as it takes; then nothing for a while.
                off, on = _parts(done)
                assert [each.places for each in off] == [0] * len(off), done
                assert on[0].time_s - resumed_s > CALM_S - 0.1, done
            bot.send(signal.SIGTERM)
            assert (await bot.ended()).code == 0, bot.err

    run(work())


async def _stopped(at: Place, bot: Child, pause_s: float) -> None:
    """Stop it for so long, until a pause which the market has left an order of it."""
    while True:
        await at.quoting(bot)
        bot.send(signal.SIGSTOP)
        await asyncio.sleep(pause_s)
        if await at.epochs():
            return
        bot.send(signal.SIGCONT)


async def _after(at: Place, action_id: int) -> list[Executed]:
    """Return what our account has had executed after an action, once it places again."""
    until = time.monotonic() + PATIENCE_S
    while True:
        done = [each for each in await at.executed(action_id) if each.places or each.cancels]
        if any(each.places for each in done):
            return done
        assert time.monotonic() < until, done
        await asyncio.sleep(0.1)


def _parts(done: list[Executed]) -> tuple[list[Executed], list[Executed]]:
    first = next(at for at, each in enumerate(done) if each.places)
    assert first, done
    return done[:first], done[first:]


def test_an_exchange_that_comes_back_is_quoted_again(tmp_path: Path) -> None:
    async def work() -> None:
        flags = ("--flow", "volatile", "--state", str(tmp_path / "state"))
        async with running(*flags, stepped=False) as venue:
            at = await moved_in(venue, tmp_path)
            bot = await at.mmbot("run", "--mode", "live", "-c", str(at.config))
            await at.quoting(bot)
            venue.kill()
        port = venue.url.rpartition(":")[2]
        await asyncio.sleep(1.0)
        async with running(*flags, "--port", port, stepped=False) as venue:
            at = Place(venue, tmp_path, at.account_id)
            last = await at.last_action()
            done = await _after(at, last)
            assert any(each.places for each in done)
            await at.quoting(bot)
            bot.send(signal.SIGTERM)
            ended = await bot.ended()
            assert ended.code == 0, ended.err
            assert await at.epochs() == []
            assert await at.venue.violations() == []

    run(work())


def test_cancel_all_does_without_the_bot(tmp_path: Path) -> None:
    async def work() -> None:
        words = ("cancel-all", "--direct", "--landing-s", "0", "--json")
        async with place(tmp_path) as at:
            for faults in ([], [{"knob": "rest.5xx", "p": 0.4}]):
                async with at.bot() as bot:
                    await at.quoting(bot)
                    bot.send(signal.SIGKILL)
                    await bot.process.wait()
                await at.venue.faults(*faults)
                async with at.child(*words, "-c", str(at.config)) as child:
                    ended = await child.ended()
                await at.venue.faults()
                assert ended.code == 0, ended
                assert await at.epochs() == []

    run(work())
