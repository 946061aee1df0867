"""What the bot tells by itself: within a second, once, corrected, repeated until seen to."""

import asyncio
import time
from pathlib import Path

from mmbot.domain.events import Fill
from mmbot.domain.notices import Notice, Severity
from tests.chat.place import ADMIN, OPERATOR, VIEWER, Bot, Place, place, run
from tests.chat.test_commands import answer

LOUD = "startup: loud, shutdown: loud, fill: loud, risk: loud, config: none, order_error: none"


def tell(bot: Bot, severity: Severity, code: str, text: str) -> float:
    """Have the bot notice something; returns when."""
    now_ns = bot.bot.live.works.clock()
    bot.bot.keepers.notices([Notice(now_ns, severity, code, 0, text)])
    return time.monotonic()


def test_risk_alerts_arrive_within_a_second_and_are_repeated_until_acknowledged(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.settings(LOUD, "alerts: {escalate_after_s: 2}")
            async with at.bot() as bot:
                await bot.quoting()
                assert "BTCUSD, ETHUSD" in (await at.api.seen("started")).text
                await asyncio.sleep(1.1)
                at_s = tell(bot, Severity.CRITICAL, "position", "2 lots, not 3 <&>")
                shown = await at.api.seen("POSITION")
                assert shown.at_s - at_s <= 1.0
                assert "2 lots, not 3 <&>" in shown.text
                assert not shown.silent
                (alert,) = (a for a in bot.bot.status().alerts if a.code == "position")
                assert f"alert {alert.id}" in shown.text
                for chat in (ADMIN, OPERATOR, VIEWER):
                    await at.api.seen("POSITION", chat=chat)
                # A second one is a count in the same message.
                tell(bot, Severity.CRITICAL, "position", "2 lots, not 3 <&>")
                await at.api.seen("POSITION BTCUSD (2x)")
                again = await at.api.seen(f"still open after 0 min: /ack {alert.id}")
                assert 1.9 <= again.at_s - at_s <= 4.0
                assert "1 alert acknowledged" in await answer(
                    at, f"/ack {alert.id}", OPERATOR, "1 "
                )
                # What was under way is on its way.
                await asyncio.sleep(1.5)
                count = len(at.api.messages)
                await asyncio.sleep(2.2)
                assert not [e for e in at.api.messages[count:] if "still open" in e.text]
            ended = await at.api.seen("the run ends: enough")
            assert "0 orders" in ended.text

    run(work)


def test_fills_arrive_within_a_second(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.settings(f"{LOUD}, fill_digest: silent")
            at.edit("commands_per_minute: 600", "fill_digest_s: 10")
            at.edit("spread: {min_bps: 60, max_bps: 61}", "spread: {min_bps: 1, max_bps: 2}")
            at.edit("price_tolerance_bps: 50, size_tolerance_pct: 50", "price_tolerance_bps: 1")
            async with at.bot() as bot:
                heard = bot.bot.control.subscribe()
                await at.api.seen("started")
                async with asyncio.timeout(30):
                    while not isinstance(filled := await heard.next(), Fill):
                        pass
                at_s = time.monotonic()
                shown = await at.api.seen("(maker)")
                assert shown.at_s - at_s <= 1.0
                size = bot.bot.control.markets[filled.market].size(filled.lots)
                assert f"{size:f}" in shown.text
                # Of ten seconds or eleven.
                await at.api.seen("fills 1", within_s=15)

    run(work)


async def muted(at: Place, bot: Bot) -> None:
    await bot.quoting()
    assert "muted up to warning" in await answer(at, "/mute 30m", OPERATOR)
    tell(bot, Severity.WARNING, "late_fill", "psst")
    tell(bot, Severity.CRITICAL, "stray_order", "look")
    await at.api.seen("STRAY ORDER")
    await answer(at, "/mute critical 1h", OPERATOR, "what is critical can be acknowledged")
    await answer(at, "/mute 30m", VIEWER, "needs the role")
    assert "muted" not in await answer(at, "/unmute", OPERATOR, "stray_order")
    assert not [each for each in at.api.messages if "late_fill BTCUSD: psst" in each.text]


def test_what_is_critical_is_never_muted(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.settings(LOUD)
            async with at.bot() as bot:
                await muted(at, bot)

    run(work)
