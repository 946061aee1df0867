"""A running bot commanded from the command line, its configuration changed under it."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

from mmbot.cli import main
from tests.process.served import Ended
from tests.process.test_watched import Supervisor
from tests.process.trading import PATIENCE_S, Place, place, run

# Three levels a side in two markets.
MOST_ORDERS = 12
CANCELLED_MS = 1_000
# So that all of them rest all the time.
QUIET = "requote: {price_tolerance_bps: 50, size_tolerance_pct: 50}"


async def verb(at: Place, *words: str) -> Ended:
    """Run a verb to its end."""
    child = await at.mmbot(*words, "-c", str(at.config))
    return await child.ended()


async def status(at: Place) -> Any:
    ended = await verb(at, "status", "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["status"]


def edit(at: Place, old: str, new: str) -> None:
    text = at.config.read_text()
    assert old in text
    at.config.write_text(text.replace(old, new))


async def until_spread(at: Place, bps: float) -> None:
    """Wait until the running bot says that it quotes by this setting."""
    until = time.monotonic() + PATIENCE_S
    while True:
        told = json.loads((await verb(at, "explain", "--json", "--market", "BTCUSD")).out)
        terms = {each["name"]: each["bps"] for each in told["explain"][0].get("half_width", [])}
        if terms.get("min") == bps / 2:
            return
        assert time.monotonic() < until, told


async def until_mode(at: Place, mode: str) -> None:
    """Wait until the bot is there and says so."""
    until = time.monotonic() + 2 * PATIENCE_S
    while True:
        ended = await verb(at, "status", "--json")
        if ended.code == 0 and json.loads(ended.out)["status"]["mode"] == mode:
            return
        assert time.monotonic() < until, ended
        await asyncio.sleep(0.2)


def test_orders_are_off_within_a_second_and_stay_off(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at:
            edit(at, "levels: {count: 2}", f"levels: {{count: 3}}\n  {QUIET}")
            edit(at, "spread: {min_bps: 2, max_bps: 8}", "spread: {min_bps: 60, max_bps: 61}")
            async with at.bot() as bot:
                await at.quoting(bot, MOST_ORDERS)
                ended = await verb(at, "cancel-all", "--reason", "news", "--json")
                assert ended.code == 0, ended.err
                facts = json.loads(ended.out)["cancel-all"]["facts"]
                assert await at.epochs() == []
                assert (facts["left"], facts["cancelled"]) == (0, MOST_ORDERS)
                assert facts["batches"] >= MOST_ORDERS / 4
                assert facts["took_ms"] <= CANCELLED_MS
                view = await status(at)
                assert view["mode"] == "paused"
                assert "news (cli:" in view["reasons"][0]
                await asyncio.sleep(1.0)
                assert await at.epochs() == []
                assert (await verb(at, "resume")).code == 0
                await at.quoting(bot, MOST_ORDERS)
                ended = await verb(at, "stop", "--yes")
                assert ended.code == 0, ended.err
                assert (await bot.ended()).code == 0
            assert (await verb(at, "status")).code == 9

    run(work())


def test_a_file_is_read_again_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at, at.bot() as bot:
            await at.quoting(bot)
            good = at.config.read_text()
            edit(at, "min_bps: 2", "min_bps: 5")
            shown = await verb(at, "reload", "--dry-run")
            assert "defaults.spread.min_bps: 2.0 -> 5.0" in shown.out
            await until_spread(at, 2.0)
            changed = await verb(at, "reload")
            assert (changed.code, "1 setting changed" in changed.out) == (0, True), changed.err
            await until_spread(at, 5.0)

            edit(at, "min_bps: 5", "min_bps: 6\n    oops: 1")
            broken = await verb(at, "reload", "--socket", str(tmp_path / "control-proc.sock"))
            assert broken.code == 3
            assert "nothing changed" in broken.err
            # Whoever has broken the file can still stop the bot, and is told how.
            lost = await verb(at, "pause")
            socket = tmp_path / "control-proc.sock"
            assert (lost.code, f"--socket {socket}" in lost.err) == (3, True), lost.err
            for words in (("orders", "--now"), ("cancel-all",)):
                done = await verb(at, *words, "--socket", str(socket))
                assert done.code == 0, done.err
            assert await at.epochs() == []
            assert (await verb(at, "resume", "--socket", str(socket))).code == 0
            await at.quoting(bot)

            at.config.write_text(good.replace("min_bps: 2", "min_bps: 6").replace("id: 7", "id: 8"))
            fixed = await verb(at, "reload", "--socket", str(tmp_path / "control-proc.sock"))
            assert fixed.code == 3
            assert "instance.id needs a restart" in fixed.err
            await until_spread(at, 5.0)

            at.config.write_text(good.replace("min_bps: 2", "min_bps: 7"))
            bot.send(signal.SIGHUP)
            await until_spread(at, 7.0)

    run(work())


def test_an_override_outlives_a_restart(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at:
            async with at.bot() as bot:
                await at.quoting(bot)
                raised = await verb(at, "set", "risk.loss.daily_limit_usd", "501")
                assert (raised.code, "allow more" in raised.err) == (1, True)
                done = await verb(at, "set", "spread.min_bps", "4", "--for", "10m")
                assert done.code == 0, done.err
                await until_spread(at, 4.0)
                bot.send(signal.SIGTERM)
                assert (await bot.ended()).code == 0
            async with at.bot() as bot:
                await at.quoting(bot)
                (override,) = (await status(at))["overrides"]
                assert (override["key"], override["value"]) == ("spread.min_bps", "4")
                await until_spread(at, 4.0)
                assert (await verb(at, "unset", "spread.min_bps")).code == 0
                await until_spread(at, 2.0)
                assert (await status(at))["overrides"] == []

                before = at.config.read_text()
                kept = await verb(at, "set", "spread.min_bps", "3", "--persist")
                assert (kept.code, "1 setting changed" in kept.out) == (0, True), kept.err
                await until_spread(at, 3.0)
                after = at.config.read_text()
                assert after == before.replace("min_bps: 2", "min_bps: 3")
                no = await verb(at, "set", "instance.id", "8", "--persist")
                assert (no.code, "needs a restart" in no.err) == (3, True)
                assert at.config.read_text() == after

    run(work())


def test_an_upgrade_keeps_what_has_to_be_kept(tmp_path: Path) -> None:
    """The drill of docs/systemd.md: copy, stop, check, start."""

    async def work() -> None:
        async with place(tmp_path, flow="normal") as at:
            async with at.bot() as bot:
                await at.quoting(bot)
                paused = await verb(at, "pause", "--market", "ETHUSD", "--reason", "thin")
                assert paused.code == 0, paused.err
                assert (await verb(at, "db", "backup", "--into", ".", "--keep", "7")).code == 0
                before = await status(at)
                bot.send(signal.SIGTERM)
                assert (await bot.ended()).code == 0
            assert await at.epochs() == []
            assert (await verb(at, "check-config")).code == 0
            async with at.bot() as bot:
                await at.quoting(bot, 2)
                after = await status(at)
                assert after["epoch"] == before["epoch"] + 1
                fills = [sum(each["day_fills"].values()) for each in (before, after)]
                assert fills[0] <= fills[1]
                btc, eth = after["markets"]
                assert btc["bids"]
                assert btc["asks"]
                assert "thin (cli:" in eth["reason"]
                assert not eth["bids"] + eth["asks"]
                assert (await verb(at, "resume", "--market", "ETHUSD")).code == 0
                await at.quoting(bot, 4)

    run(work())
    (copy,) = tmp_path.glob("proc-*.ledger")
    assert main(["db", "verify", "--ledger", str(copy)]) == 0


def test_a_loss_halts_until_somebody_clears_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            edit(at, "daily_limit_usd: 500", "daily_limit_usd: 0.02")
            async with at.bot() as bot:
                ended = await bot.ended(PATIENCE_S + 30)
                assert ended.code == 6, ended.err
            edit(at, "daily_limit_usd: 0.02", "daily_limit_usd: 500")
            above = Supervisor(tmp_path / "notify.sock")
            env = {"NOTIFY_SOCKET": str(above.path), "WATCHDOG_USEC": "20000000"}
            async with at.bot("--stay-halted", env=env) as bot:
                # A restart clears nothing; this one stays to be asked.
                await until_mode(at, "halted")
                assert (await verb(at, "resume")).code == 6
                assert await at.epochs() == []
                assert (await verb(at, "health")).code == 10
                cleared = await verb(at, "reset-halt", "--reason", "looked at it")
                assert cleared.code == 0, cleared.err
                await at.quoting(bot)
                assert set(await at.epochs()) == {3}
                refused = await verb(at, "reset-halt", "--reason", "again")
                assert (refused.code, "not halted" in refused.err) == (1, True)
                # An override that was too tight is taken back before the halt is cleared.
                key = "risk.loss.daily_limit_usd"
                assert (await verb(at, "set", key, "0.02")).code == 0
                await until_mode(at, "halted")
                loosened = await verb(at, "unset", key)
                assert loosened.code == 0, loosened.err
                # With a broken file it could not begin anew: it stays halted, and stays.
                edit(at, "min_bps: 2", "min_bsp: 2")
                (socket,) = at.folder.glob("control-*.sock")
                broken = await at.mmbot("reset-halt", "--reason", "x", "--socket", str(socket))
                ended = await broken.ended()
                assert (ended.code, "did you mean min_bps?" in ended.err) == (6, True), ended.err
                edit(at, "min_bsp: 2", "min_bps: 2")
                cleared = await verb(at, "reset-halt", "--reason", "too tight")
                assert cleared.code == 0, cleared.err
                await at.quoting(bot)
                assert (await status(at))["overrides"] == []
                told = (await verb(at, "events", "--since", "5m")).out
                assert f"unset {key}" in told
                # systemd kills a service that has said that it stops, and this one goes on.
                await above.hears("STATUS=beginning anew", 2)
                await above.hears("STATUS=quoting", 2)
                assert "STOPPING" not in "".join(above.heard)
                bot.send(signal.SIGTERM)
                await above.hears("STOPPING=1")
            above.close()

    run(work())


def test_a_bot_on_paper_is_not_taken_for_the_one_that_trades(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at:
            async with at.bot() as bot:
                await at.quoting(bot)
                bot.send(signal.SIGKILL)
                await bot.process.wait()
            assert await at.epochs()
            words = ("run", "--mode", "paper", "-c", str(at.config))
            async with at.child(*words) as paper:
                await paper.says("quoting")
                assert (await status(at))["run_mode"] == "paper"
                dir_flag = ("--dir", str(at.sessions))
                ended = await verb(at, "cancel-all", "--yes", *dir_flag)
                assert ended.code == 0, ended.err
                assert await at.epochs() == []
                # A live one wants to be the one that is commanded, and says why it cannot.
                second = await at.mmbot("run", "--mode", "live", "-c", str(at.config))
                refused = await second.ended()
                assert (refused.code, "it answers at" in refused.err) == (7, True)

    run(work())
