"""The verbs `orders|fills|positions|events`: what stands in a ledger, row by row."""

import argparse
from decimal import Decimal

from mmbot.cli.bot_look import orders_now, positions_now
from mmbot.cli.ledger_flags import Column, Money, deliver, ledger_path, moment, window
from mmbot.domain.market import Market
from mmbot.domain.order import DONE, Side
from mmbot.ledger.folds import Book, books
from mmbot.ledger.reader import LedgerReader
from mmbot.ledger.rows import FillRow, Kind, Note
from mmbot.runtime.audit import journal_words

_ORDERS = (
    Column("time", "time"),
    Column("market", "market"),
    Column("side", "side"),
    Column("price", "price", True),
    Column("size", "size", True),
    Column("leaves", "leaves", True),
    Column("state", "state"),
    Column("changed", "changed"),
    Column("order_id", "order", True),
    Column("reason", "reason"),
)
_FILLS = (
    Column("time", "time"),
    Column("market", "market"),
    Column("side", "side"),
    Column("price", "price", True),
    Column("size", "size", True),
    Column("liquidity", "as"),
    Column("fee_usd", "fee USD", True),
    Column("mid", "mid", True),
    Column("order_id", "order", True),
    Column("trade_id", "trade", True),
)
_POSITIONS = (
    Column("market", "market"),
    Column("size", "size", True),
    Column("mark", "mark", True),
    Column("mark_time", "marked"),
    Column("value_usd", "value USD", True),
    Column("pnl_usd", "PnL USD", True),
    Column("fees_usd", "fees USD", True),
    Column("funding_usd", "funding USD", True),
    Column("fills_count", "fills", True),
)
_EVENTS = (
    Column("time", "time"),
    Column("kind", "kind"),
    Column("market", "market"),
    Column("order_id", "order", True),
    Column("text", "text"),
)
EMPTY = "nothing in this ledger for that time and market"


def orders(args: argparse.Namespace) -> int:
    """Print the latest orders; those not done are as they stood when last heard of."""
    if args.now:
        return orders_now(args)
    with LedgerReader(ledger_path(args)) as reader:
        rows: list[dict[str, object]] = []
        for placed in reader.orders(window(args), args.last):
            order = placed.row
            if args.open and order.state in DONE:
                continue
            market = reader.markets[order.market]
            rows.append(
                {
                    "time": moment(placed.first_ns),
                    "market": market.symbol,
                    "side": side_name(order.side),
                    "price": market.price(order.ticks),
                    "size": market.size(order.lots),
                    "leaves": market.size(order.leaves_lots),
                    "state": order.state.value,
                    "changed": moment(order.ts_ns),
                    "order_id": order.order_id,
                    "reason": order.reason,
                }
            )
    return deliver(args, "mmbot.orders/1", _ORDERS, rows, EMPTY)


def fills(args: argparse.Namespace) -> int:
    """Print the latest trades."""
    with LedgerReader(ledger_path(args)) as reader:
        found = list(reader.fills(window(args)))[-args.last :]
        rows = [_fill(reader.markets[fill.market], fill) for fill in found]
    return deliver(args, "mmbot.fills/1", _FILLS, rows, EMPTY)


def positions(args: argparse.Namespace) -> int:
    """Print what the rows amount to; the venue's word is not asked for."""
    if args.now:
        return positions_now(args)
    with LedgerReader(ledger_path(args)) as reader:
        rows = [_position(book) for book in books(reader, window(args))]
    return deliver(args, "mmbot.positions/1", _POSITIONS, rows, EMPTY)


def events(args: argparse.Namespace) -> int:
    """Print the latest events of the journal."""
    with LedgerReader(ledger_path(args)) as reader:
        rows: list[dict[str, object]] = [
            {
                "time": moment(note.ts_ns),
                "kind": note.kind,
                "market": reader.symbol(note.market) or None,
                "order_id": note.order_id,
                "text": note.text if args.json or args.csv else _told(note),
            }
            for note in reader.events(window(args), args.last)
        ]
    return deliver(args, "mmbot.events/1", _EVENTS, rows, EMPTY)


def _told(note: Note) -> str:
    """Return what an event says, for people; a command in words."""
    return journal_words(note.text) if note.kind == Kind.COMMAND else note.text


def side_name(side: Side) -> str:
    """Return a side as reports write it."""
    return "bid" if side is Side.BID else "ask"


def mid_price(market: Market, half_ticks: int | None) -> Decimal | None:
    """Return a mark as a price, None when there is none."""
    return market.price(half_ticks) / 2 if half_ticks else None


def _fill(market: Market, fill: FillRow) -> dict[str, object]:
    return {
        "time": moment(fill.ts_ns),
        "market": market.symbol,
        "side": side_name(fill.side),
        "price": market.price(fill.ticks),
        "size": market.size(fill.lots),
        "liquidity": "hedge" if fill.hedge else "maker" if fill.maker else "taker",
        "fee_usd": Money.of(market.atoms_to_uusd(fill.fee_atoms, 2 * fill.ticks)),
        "mid": mid_price(market, fill.mark_half_ticks),
        "order_id": fill.order_id,
        "trade_id": fill.trade_id,
    }


def _position(book: Book) -> dict[str, object]:
    market, held, mark = book.market, book.position, book.mark_half_ticks
    value = held.lots * market.unit_value(mark)
    return {
        "market": market.symbol,
        "size": market.size(held.lots),
        "mark": mid_price(market, mark),
        "mark_time": moment(book.mark_ns or None),
        "value_usd": Money.of(market.atoms_to_uusd(value, mark)),
        "pnl_usd": Money.of(book.pnl_uusd),
        "fees_usd": Money.of(market.atoms_to_uusd(held.fees_atoms, mark)),
        "funding_usd": Money.of(market.atoms_to_uusd(held.funding_atoms, mark)),
        "fills_count": held.fills,
    }
