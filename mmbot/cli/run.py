"""The verb `run`: the bot in the foreground, until told to stop."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

import msgspec
import uvloop

from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, live_bot, real_world
from mmbot.assemble.live.run_folder import STATUS
from mmbot.cli.output import say, show
from mmbot.cli.record import duration
from mmbot.cli.venue import venue_settings
from mmbot.config.schema import Config
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import MarketStatus, StatusView
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.supervision import ExitReport

STATUS_EVERY_S = 10.0
UUSD_PER_USD = 1_000_000


def run(args: argparse.Namespace) -> int:
    """Trade, on paper or for real, or look on; the exit code says how it ended."""
    seconds = duration(args.duration)
    config = venue_settings(args)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run(args, config, seconds))
    _tell(report, as_json=args.json)
    return report.code


async def _run(args: argparse.Namespace, config: Config, seconds: float | None) -> ExitReport:
    options = LiveOptions(
        markets=args.market,
        record=args.record,
        accept_literal_skew=args.accept_literal_skew,
        close_on_exit=args.close_on_exit,
        warn=say,
        notices=_say_notices,
    )
    async with live_bot(config, RunMode(args.mode), real_world(os.environ), options) as bot:
        for line in bot.lines:
            say(line)
        listen(bot.live)
        teller = asyncio.create_task(_tell_status(bot), name="status lines")
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, bot.live.stop, "its time is over")
        try:
            return await bot.live.run()
        finally:
            teller.cancel()
            if bot.folder is not None:
                bot.folder.write(STATUS, msgspec.json.encode(bot.status()))


def listen(live: MarketMakerLive) -> None:
    """Let SIGTERM and Ctrl-C end the run; a second Ctrl-C changes the exit code, not the end."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        if live.ending.begun:
            say("still taking orders off")
            live.interrupt()
        else:
            live.stop("Ctrl-C")

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, live.stop, "SIGTERM")


def status_lines(view: StatusView) -> list[str]:
    """Say in a line how the bot stands, and one for each market."""
    equity = "?" if view.equity_uusd is None else f"{view.equity_uusd / UUSD_PER_USD:,.2f}"
    ack = "-" if view.ack_p50_ms is None else f"{view.ack_p50_ms:.1f} ms"
    why = f" ({'; '.join(view.reasons)})" if view.reasons else ""
    head = (
        f"{view.instance} {view.run_mode.upper()} {view.mode.upper()}{why}: equity {equity} USD, "
        f"{view.orders} orders, {view.fills} fills, {view.placed} placed, {view.rejected} refused, "
        f"ack {ack}"
    )
    return [head, *(_market_line(each) for each in view.markets)]


def _market_line(market: MarketStatus) -> str:
    quotes = f"{len(market.bids)} x {len(market.asks)} quotes"
    why = f", {market.reason}" if market.reason else ""
    pnl = market.pnl_uusd / UUSD_PER_USD
    return (
        f"  {market.symbol}: {market.best_bid}/{market.best_ask} ticks, {quotes}{why}, position "
        f"{market.position_lots} lots, PnL {pnl:+,.2f} USD, {market.fills} fills"
    )


async def _tell_status(bot: LiveBot) -> None:
    while True:
        await asyncio.sleep(STATUS_EVERY_S)
        sys.stderr.write("".join(f"{line}\n" for line in status_lines(bot.status())))


def _say_notices(notices: Sequence[Notice]) -> None:
    for each in notices:
        if each.severity >= Severity.WARNING:
            say(f"{each.severity.name.lower()}: {each.code}: {each.text}")


def _tell(report: ExitReport, *, as_json: bool) -> None:
    left = report.leftovers
    if as_json:
        content = {
            "schema": "mmbot.run/1",
            "exit_code": report.code,
            "reason": report.reason,
            "clean": left.clean,
            "orders_left": [str(each) for each in left.orders],
        }
        show([msgspec.json.encode(content).decode()])
        return
    if left.clean:
        say(f"ended: {report.reason}; no order of ours rests")
    elif left.orders:
        say(f"ended: {report.reason}; THESE ORDERS MAY REST: {', '.join(map(str, left.orders))}")
    else:
        say(f"ended: {report.reason}; nobody could prove that no order rests: {left.reason}")
