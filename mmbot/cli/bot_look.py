"""Orders and positions as the running bot knows them at this moment."""

import argparse

from mmbot.cli.bot_line import client, read_status
from mmbot.cli.ledger_flags import Column, Money, deliver
from mmbot.domain.status import MarketStatus

_ORDERS = (
    Column("market", "market"),
    Column("side", "side"),
    Column("price", "price", True),
    Column("leaves", "leaves", True),
)
_POSITIONS = (
    Column("market", "market"),
    Column("size", "size", True),
    Column("mark", "mark", True),
    Column("value_usd", "value USD", True),
    Column("exposure_pct", "% of equity", True),
    Column("pnl_usd", "PnL USD", True),
    Column("day_pnl_usd", "day PnL USD", True),
    Column("fills_count", "fills", True),
)


def orders_now(args: argparse.Namespace) -> int:
    """Print what rests."""
    rows = [
        {
            "market": each.symbol,
            "side": side,
            "price": each.tick * level.ticks,
            "leaves": each.lot * level.lots,
        }
        for each in _markets(args)
        for side, levels in (("bid", each.bids), ("ask", each.asks))
        for level in levels
    ]
    return deliver(args, "mmbot.orders-now/1", _ORDERS, rows, "no order rests")


def positions_now(args: argparse.Namespace) -> int:
    """Print what is held; PnL counts from the start of the run, and from 00:00 UTC."""
    rows = [
        {
            "market": each.symbol,
            "size": each.lot * each.position_lots,
            "mark": each.tick * each.mark_half_ticks / 2 if each.mark_half_ticks else None,
            "value_usd": Money.of(_signed(each.exposure_uusd, each)),
            "exposure_pct": _percent(each.exposure_ratio),
            "pnl_usd": Money.of(each.pnl_uusd),
            "day_pnl_usd": Money.of(each.day_pnl_uusd),
            "fills_count": each.fills,
        }
        for each in _markets(args)
    ]
    return deliver(args, "mmbot.positions-now/1", _POSITIONS, rows, "no market is traded")


def _markets(args: argparse.Namespace) -> list[MarketStatus]:
    wanted = {symbol.upper() for symbol in args.market}
    with client(args) as bot:
        view = read_status(bot)
    return [each for each in view.markets if not wanted or each.symbol in wanted]


def _signed(uusd: int, each: MarketStatus) -> int:
    return uusd if each.position_lots > 0 else -uusd


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{100 * ratio:.1f}"
