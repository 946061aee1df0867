"""Result files: JSON and CSV, each written beside its place and moved there when complete."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from mmbot.domain.market import MICRO
from mmbot.domain.order import Side
from mmbot.research.record import RunRecord
from mmbot.research.results import Json

FILLS_COLUMNS = (
    "number,market,ts_exch_ns,ts_recv_ns,order_id,side,price,size,leaves,"
    "liquidity,cause,fee,mark,hedge"
)
EQUITY_COLUMNS = "ts_ns,equity_net_usd,equity_gross_usd,fees_usd"
QUOTES_COLUMNS = "market,ts_ns,mid,position,pnl,bid_price,bid_size,ask_price,ask_size"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there complete or not at all; OSError as the system says."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Json) -> None:
    """Write a result document, indented."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def write_csv(directory: Path, record: RunRecord) -> tuple[Path, ...]:
    """Write fills.csv, equity.csv and quotes.csv; prices and sizes are exact decimals."""
    tables = (
        ("fills.csv", FILLS_COLUMNS, _fills(record)),
        ("equity.csv", EQUITY_COLUMNS, _equity(record)),
        ("quotes.csv", QUOTES_COLUMNS, _quotes(record)),
    )
    paths = []
    for name, columns, rows in tables:
        path = directory / name
        write_whole(path, _table(columns, rows))
        paths.append(path)
    return tuple(paths)


def _table(columns: str, rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    text.write(columns + "\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _fills(record: RunRecord) -> Iterable[Sequence[object]]:
    for fill in record.fills:
        market = record.markets[fill.market].market
        yield (
            fill.number,
            market.symbol,
            fill.ts_exch_ns,
            fill.ts_recv_ns,
            fill.order_id,
            "buy" if fill.side is Side.BID else "sell",
            f"{market.price(fill.ticks):f}",
            f"{market.size(fill.lots):f}",
            f"{market.size(fill.leaves_lots):f}",
            "maker" if fill.maker else "taker",
            fill.cause,
            f"{market.money(fill.fee_atoms):f}",
            f"{market.price(fill.mark_half_ticks) / 2:f}",
            int(fill.hedge),
        )


def _equity(record: RunRecord) -> Iterable[Sequence[object]]:
    for point in record.equity:
        net, fees = point.net_uusd, point.fees_uusd
        yield point.ts_ns, net / MICRO, (net + fees) / MICRO, fees / MICRO


def _quotes(record: RunRecord) -> Iterable[Sequence[object]]:
    for entry in record.markets:
        market = entry.market
        for sample in entry.series:
            bid, ask = sample.bid_quote_ticks, sample.ask_quote_ticks
            yield (
                market.symbol,
                sample.ts_ns,
                f"{market.price(sample.mid_half_ticks) / 2:f}",
                f"{market.size(sample.position_lots):f}",
                f"{market.money(sample.pnl_atoms):f}",
                f"{market.price(bid):f}" if bid else "",
                f"{market.size(sample.bid_lots):f}" if bid else "",
                f"{market.price(ask):f}" if ask else "",
                f"{market.size(sample.ask_lots):f}" if ask else "",
            )
